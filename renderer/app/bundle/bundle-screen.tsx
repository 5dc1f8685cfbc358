import { Screen } from '../design/pane.tsx';

export function BundleScreen() {
  return <Screen label="bundle">{null}</Screen>;
}
