import { mkdirSync } from 'node:fs';
import type { Frame } from '../../contract/frame-codec.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import { openEvidence } from '../../gateway/evidence.ts';
import { leaveStretch } from '../../test/recording/journals.ts';

/** What each session had shown since its last segment: a screenful now and then for most of a minute. */
export const JOURNAL_BYTES = 64 * 1024;
const CHUNK_BYTES = 1024;
const TORN_BYTES = 7;

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * A data directory as a gateway leaves it that was killed with so many sessions in progress: their openings are
 * recorded, nothing of what they showed is sealed, and the last frame of each is torn.
 */
export async function leaveJournals(directory: string, count: number): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const gateway = { name: 'bench', listen: {}, data: directory };
  const evidence = await openEvidence({ gateway, ledger: {} }, directory, { clock: systemClock, log: silent });
  const frames = screenfuls();
  const waiting: Promise<unknown>[] = [];
  for (let number = 0; number < count; number += 1) {
    const openedAt = systemClock.wallMicros();
    const session = uuidV7(openedAt);
    const actor = {
      principal: `agent-${number % 50}`,
      kind: 'agent' as const,
      onBehalfOf: 'engineer@example.com',
      source: '192.0.2.7:50022',
    };
    const target = { name: 'web-1', kind: 'ssh' as const, address: '192.0.2.10:22' };
    const common = { outcome: 'success' as const, actor, target, session };
    const decision = { verdict: 'allow' as const, policies: ['targets.web-1.allow'], policySet: 'f5'.repeat(32) };
    const client = { protocol: 'ssh', requested: 'web-1', client: 'OpenSSH_9.2p1' };
    waiting.push(
      evidence.records.append({ ...common, type: 'session.open', body: { ...client, decision } }),
      evidence.records.append({ ...common, type: 'channel.open', body: { channel: 0, kind: 'shell', detail: {} } }),
    );
    const terminal = { cols: 80, rows: 24, type: 'xterm-256color' };
    leaveStretch(directory, { session, actor, target, openedAt, wall: openedAt, terminal }, frames, (bytes) =>
      bytes.subarray(0, bytes.length - TORN_BYTES),
    );
  }
  await Promise.all(waiting);
  await evidence.close();
}

function screenfuls(): Frame[] {
  return Array.from({ length: JOURNAL_BYTES / CHUNK_BYTES }, (_, index) => {
    let text = '';
    for (let line = 0; text.length < CHUNK_BYTES; line += 1)
      text += `\x1b[3${(index + line) % 8}m${String(index * 37 + line).padStart(8, '0')}\x1b[m  job ${(index * line) % 97} finished in ${(index * 7919 + line * 31) % 1000} ms\r\n`;
    return { kind: 'data' as const, at: index * 900_000_000, stream: 'o' as const, bytes: Buffer.from(text.slice(0, CHUNK_BYTES)) };
  });
}
