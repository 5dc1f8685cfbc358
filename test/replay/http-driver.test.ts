import { describe, expect, it } from 'vitest';
import type { RecordingOutline } from '../../contract/operator-api.ts';
import { openHttpRecording } from '../../contract/replay/http-driver.ts';
import { Player } from '../../contract/replay/player.ts';
import type { RecordingTransport } from '../../contract/replay/recording-transport.ts';
import { nodeHost, textOf } from './memory-driver.ts';

const SECOND = 1_000_000_000;
const session = '01234567-89ab-7def-8123-456789abcdef';
const sealed = (segment: number, from: number, to: number) => ({
  segment,
  state: 'sealed' as const,
  from: from * SECOND,
  to: to * SECOND,
  bytes: 100,
  sha256: '0'.repeat(64),
});

/** A gateway that has these segments, and nothing made of them. */
function gatewayWith(texts: ReadonlyMap<number, string>, segments: RecordingOutline['segments']): RecordingTransport {
  const outline: RecordingOutline = {
    ...{ session, channel: 0, kind: 'shell', opened: '2026-03-01T09:30:00.123456Z', duration: 30_000_000 },
    ...{ terminal: true, input: false, live: null, complete: false, segments },
  };
  const request: RecordingTransport['request'] = async (path) => {
    const segment = /segments\/(\d+)\/cast$/.exec(path)?.[1];
    const text = segment === undefined ? JSON.stringify(outline) : texts.get(Number(segment));
    return { status: text === undefined ? 404 : 200, text: async () => text ?? '' };
  };
  return { request, connect: () => ({ close: () => undefined }), after: () => () => undefined };
}

describe('a recording at a gateway', () => {
  it('of which a segment is missing goes on behind it, and a sequence that was cut by that is over', async () => {
    const header = JSON.stringify({ version: 3, term: { cols: 80, rows: 24 }, 'x-sallyport': { pty: true } });
    const texts = new Map([
      [1, `${header}\n[1.0,"o","before \\u001b[3"]\n`],
      [3, '[1.0,"o","1m behind"]\n'],
    ]);
    const missing = { segment: 2, state: 'missing' as const, from: 10 * SECOND, to: 10 * SECOND };
    const driver = await openHttpRecording(gatewayWith(texts, [sealed(1, 0, 10), missing, sealed(3, 20, 30)]), session, 0);
    const player = new Player(driver, nodeHost);
    player.seek(driver.outline.duration, 0);
    await player.shown();
    expect(textOf(player.screen)).toBe('before 1m behind');
    const damage = { from: 10_000_000, to: 20_000_000, words: 'Part 2 of this recording is missing.' };
    expect(driver.timeline.damage).toEqual([damage]);
    expect(driver.outline.idle).toContainEqual({ from: damage.from, to: damage.to, damaged: true });
    await player.close();
  });
});
