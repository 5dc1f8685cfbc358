import { expect, test } from 'vitest';
import { liveMessage } from '../../../contract/live-frames.ts';
import { describe } from '../../../gateway/operator-api/watch/watched-session.ts';
import type { FeedChannel } from '../../../gateway/relay/live-feed.ts';

test.each([
  [0, 0, { cols: 80, rows: 24 }],
  [100_000, 9, { cols: 500, rows: 9 }],
  [132, 43, { cols: 132, rows: 43 }],
])('a terminal of %i×%i, which a client may ask for, is told as it is shown, and watchers understand it', (cols, rows, terminal) => {
  const channel = describe({ channel: 0, kind: 'shell', openedAt: 1, terminal: { cols, rows } } as FeedChannel);
  expect(channel.terminal).toEqual(terminal);
  expect(liveMessage.safeParse({ type: 'channel-opened', ...channel }).success).toBe(true);
});
