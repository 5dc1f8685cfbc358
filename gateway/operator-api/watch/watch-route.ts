import { roles } from '../../../contract/operator-api.ts';
import { parseCastPosition } from '../../query/live-cast/cast-position.ts';
import { type SocketScope, socketRoute } from '../socket-route.ts';
import type { CastPlace, LiveWatch } from './live-watch.ts';

/** RFC 6455, section 7.4.1: what was sent makes no sense. */
const POLICY_VIOLATION = 1008;

/** The WebSocket of contract/live-frames.ts. Everybody with a role may watch, as they may read what is recorded. */
export function serveLiveWatch(scope: SocketScope, watch: LiveWatch): void {
  socketRoute(scope, '/api/sessions/:session/live', roles, async (socket, { actor, params, query }) => {
    const from = castPlaceIn(query.from);
    if (from === 'none') socket.close(POLICY_VIOLATION, 'from is not CHANNEL:POSITION');
    else await watch.watch(String(params.session), { actor }, socket, from);
  });
}

/** `CHANNEL:POSITION` */
function castPlaceIn(from: unknown): CastPlace | 'none' | undefined {
  if (from === undefined) return undefined;
  const [, channel, written = ''] = (typeof from === 'string' && /^(\d{1,10}):(.{1,64})$/.exec(from)) || [];
  const position = parseCastPosition(written);
  if (channel === undefined || Number(channel) > 0xffff_ffff || position === undefined) return 'none';
  return { channel: Number(channel), position };
}
