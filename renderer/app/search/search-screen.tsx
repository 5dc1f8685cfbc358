import { Screen } from '../design/pane.tsx';

export function SearchScreen() {
  return <Screen label="search">{null}</Screen>;
}
