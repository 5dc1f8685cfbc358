import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Frame, FrameEncoder } from '../../contract/frame-codec.ts';
import { nodeCodecHost } from '../../gateway/recording/codec-host.ts';
import { journalFile } from '../../gateway/recording/journal-layout.ts';
import type { StretchHeader } from '../../gateway/recording/stretch-header.ts';
import type { MemoryLedger } from './support.ts';
import { stretchHeader } from './support.ts';

const encoder = new FrameEncoder(nodeCodecHost);

export function stretchBytes(header: StretchHeader, frames: readonly Frame[]): Buffer {
  return Buffer.concat(encoder.encode([{ kind: 'header', at: header.start, header }, ...frames]));
}

/** A stretch as a gateway that died left it. Returns its path. */
export function leaveStretch(
  dataDirectory: string,
  change: Partial<StretchHeader>,
  frames: readonly Frame[],
  keep?: (bytes: Buffer) => Uint8Array,
): string {
  const header = stretchHeader(change);
  const path = journalFile(dataDirectory, header.session, header.channel, header.stretch);
  mkdirSync(dirname(path), { recursive: true });
  const bytes = stretchBytes(header, frames);
  writeFileSync(path, keep === undefined ? bytes : keep(bytes));
  return path;
}

/** The records of a session that has begun, with its channels. */
export async function openInLedger(ledger: MemoryLedger, session: string, channels: readonly number[] = [0]): Promise<void> {
  const { actor, target } = stretchHeader();
  await ledger.records.append({
    type: 'session.open',
    outcome: 'success',
    actor,
    target,
    session,
    body: { protocol: 'ssh', requested: 'web-1', client: 'test', decision: { verdict: 'allow', policies: [], policySet: 'test' } },
  });
  for (const channel of channels) {
    await ledger.records.append({
      type: 'channel.open',
      outcome: 'success',
      actor,
      target,
      session,
      body: { channel, kind: 'session', detail: {} },
    });
  }
}
