import { Screen } from '../design/pane.tsx';

export function EvidenceScreen() {
  return <Screen label="evidence">{null}</Screen>;
}
