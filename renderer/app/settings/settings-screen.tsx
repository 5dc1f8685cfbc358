import { Screen } from '../design/pane.tsx';

export function SettingsScreen() {
  return <Screen label="settings">{null}</Screen>;
}
