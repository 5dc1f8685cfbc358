import { Screen } from '../design/pane.tsx';

export function ReplayScreen({ session }: { session: string }) {
  return <Screen label="replay">{session}</Screen>;
}
