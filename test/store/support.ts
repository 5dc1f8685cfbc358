import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sqlite3 from 'sqlite3';
import { onTestFinished } from 'vitest';
import type { Actor, RecordDraft, Resource } from '../../contract/record.ts';
import { systemClock } from '../../gateway/base/clock.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';

export const actor: Actor = {
  principal: 'deploy-bot',
  kind: 'agent',
  onBehalfOf: 'engineer@example.com',
  authentication: { method: 'publickey', key: 'SHA256:abc' },
  source: '192.0.2.7:50022',
};
export const target: Resource = { name: 'web-1', kind: 'ssh', address: '192.0.2.10:22' };

/** A directory that is gone when the test has finished. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs SQL on a file the way an administrator with a shell would. */
export function administer(file: string, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(file, (opened) => {
      if (opened) return reject(opened);
      database.exec(sql, (error) => database.close(() => (error ? reject(error) : resolve())));
    });
  });
}

export const newSession = () => uuidV7(systemClock.wallMicros());

const zeros = '0'.repeat(64);

/** Drafts of the records of a session, with what a test does not care about filled in. */
export const draft = {
  sessionOpen: (session: string, change: { actor?: Partial<Actor>; target?: Partial<Resource> } = {}): RecordDraft<'session.open'> => ({
    type: 'session.open',
    outcome: 'success',
    actor: { ...actor, ...change.actor },
    target: { ...target, ...change.target },
    session,
    body: {
      protocol: 'ssh',
      requested: 'web-1',
      client: 'OpenSSH_9.2',
      decision: { verdict: 'allow', policies: ['allow web-1'], policySet: 'configuration' },
    },
  }),
  sessionClose: (session: string, bytes = { i: 1, o: 2, e: 3 }): RecordDraft<'session.close'> => ({
    type: 'session.close',
    outcome: 'success',
    actor,
    target,
    session,
    body: { reason: 'the client disconnected', duration: 12, channels: 1, bytes },
  }),
  sessionRecovered: (session: string, channel: number, lastFrameAt: number): RecordDraft<'session.recovered'> => ({
    type: 'session.recovered',
    outcome: 'success',
    actor,
    target,
    session,
    body: { channels: [{ channel, lastFrameAt, frames: 5, tornBytes: 7 }] },
  }),
  channelOpen: (session: string, channel: number, kind: string, detail: Record<string, unknown> = {}): RecordDraft<'channel.open'> => ({
    type: 'channel.open',
    outcome: 'success',
    actor,
    target,
    session,
    body: { channel, kind, detail },
  }),
  channelClose: (session: string, channel: number, exit: { status?: number; signal?: string }): RecordDraft<'channel.close'> => ({
    type: 'channel.close',
    outcome: 'success',
    actor,
    target,
    session,
    body: { channel, reason: 'closed', exit, bytes: { i: 10, o: 20, e: 30 }, segments: 1 },
  }),
  segmentSealed: (session: string, channel: number, segment: number, bytes: number): RecordDraft<'segment.sealed'> => ({
    type: 'segment.sealed',
    outcome: 'success',
    actor,
    target,
    session,
    body: {
      channel,
      segment,
      file: `recordings/2026/03/${session}/${channel}/000${segment}.cast.zst`,
      bytes: 99,
      sha256: zeros,
      from: 0,
      to: 8_000_000_000_000,
      events: 3,
      streams: {
        i: { offset: 0, bytes, sha256: zeros },
        o: { offset: 5, bytes, sha256: zeros },
        e: { offset: 0, bytes: 1, sha256: zeros },
      },
      attachments: [],
    },
  }),
};
