import { roles } from '../../../contract/operator-api.ts';
import { type SocketScope, socketRoute } from '../socket-route.ts';
import type { LiveWatch } from './live-watch.ts';

/** The WebSocket of contract/live-frames.ts. Everybody with a role may watch, as they may read what is recorded. */
export function serveLiveWatch(scope: SocketScope, watch: LiveWatch): void {
  socketRoute(scope, '/api/sessions/:session/live', roles, (socket, { actor, params }) =>
    watch.watch(String(params.session), { actor }, socket),
  );
}
