import { LiveSession } from './session/live-session.tsx';
import { Wall } from './wall/wall.tsx';

export function LiveScreen({ session }: { session: string | undefined }) {
  return session === undefined ? <Wall /> : <LiveSession key={session} session={session} />;
}
