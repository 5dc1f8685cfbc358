import { Screen } from '../design/pane.tsx';

export function LiveScreen({ session }: { session: string | undefined }) {
  return <Screen label="live">{session}</Screen>;
}
