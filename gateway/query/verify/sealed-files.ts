import type { AuditRecord } from '../../../contract/record.ts';

/** A file that a record says is there. */
export interface SealedFile {
  index: number;
  session: string;
  channel: number;
  segment: number;
  file: string;
  bytes: number;
  sha256: string;
  /** Of a segment: what its list entry says besides, and the digest of the text in it. */
  seal?: { from: number; to: number; events: number; text?: { bytes: number; lines: number; sha256: string } };
}

/** The segment and its attachments. None of a record without a session, which is told as a malformed one. */
export function sealedFiles(index: number, { session, body }: AuditRecord<'segment.sealed'>): SealedFile[] {
  if (session === undefined) return [];
  const { channel, segment, file, bytes, sha256, from, to, events, text, attachments } = body;
  const common = { index, session, channel, segment };
  const seal = { from, to, events, ...(text === undefined ? {} : { text }) };
  return [{ ...common, file, bytes, sha256, seal }, ...attachments.map((attachment) => ({ ...common, ...attachment }))];
}
