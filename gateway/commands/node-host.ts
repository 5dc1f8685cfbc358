import type { PlayerHost } from '../../contract/replay/player.ts';

export const nodeHost: PlayerHost = {
  now: () => performance.now(),
  pause: () => new Promise((resolve) => setImmediate(resolve)),
};
