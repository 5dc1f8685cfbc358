import { Screen } from '../design/pane.tsx';

export function SessionsScreen() {
  return <Screen label="sessions">{null}</Screen>;
}
