import { SallyportError } from '../../base/errors.ts';
import type { Performers } from '../operations.ts';
import { AuditDesk } from './audit-desk.ts';
import type { EvidenceDeskParts } from './evidence-parts.ts';
import { EvidenceStatus } from './evidence-status.ts';
import { Exports } from './exports.ts';
import { SpoolRoom } from './spool-room.ts';
import { Verifications } from './verifications.ts';

type EvidenceOperation =
  | 'evidence.status'
  | 'evidence.verify'
  | 'session.verify'
  | 'audit.questions'
  | 'audit.ask'
  | 'export.start'
  | 'export.show'
  | 'export.cancel';

type CsvAsking = Parameters<AuditDesk['askForCsv']>;
type CsvAnswer = Awaited<ReturnType<AuditDesk['askForCsv']>>;

/** Where operators look at evidence, have it verified, ask about it and take it away. */
export interface EvidenceDesk {
  readonly operations: Pick<Performers, EvidenceOperation>;
  readonly exports: Pick<Exports, 'fetch'>;
  /** `over`: aborted when something was erased since it was asked, which may stand in the answer. */
  readonly askForCsv: (asked: CsvAsking[0], asking: CsvAsking[1]) => Promise<CsvAnswer & { readonly over: AbortSignal }>;
  /** Everything that is at work ends, and no file is left. */
  close(): Promise<void>;
}

export async function openEvidenceDesk(parts: Omit<EvidenceDeskParts, 'stopping'>): Promise<EvidenceDesk> {
  const stopping = new AbortController();
  const all = { ...parts, stopping: stopping.signal };
  const room = await SpoolRoom.open(parts.dataDirectory, parts.room);
  const verifications = new Verifications(all);
  const status = new EvidenceStatus(all, verifications);
  const audit = new AuditDesk(all);
  const exports = new Exports(all, room);
  let erasing = new AbortController();
  const stopListening = parts.records.onDurable((stored) => {
    if (!stored.some(({ record }) => record.type === 'erased')) return;
    exports.forget();
    erasing.abort(new SallyportError('CONFLICT', 'something was erased meanwhile', { remedy: 'ask again' }));
    erasing = new AbortController();
  });
  return {
    operations: {
      'evidence.status': () => status.show(),
      'evidence.verify': (_, asking) => verifications.begin(asking),
      'session.verify': (input, asking) => verifications.session(input, asking),
      'audit.questions': async () => audit.questions(),
      'audit.ask': (input, asking) => audit.ask(input, asking),
      'export.start': (input, asking) => exports.start(input, asking),
      'export.show': async (input, asking) => exports.show(input, asking),
      'export.cancel': (input, asking) => exports.cancel(input, asking),
    },
    exports,
    askForCsv: async (asked, asking) => {
      const over = erasing.signal;
      return { ...(await audit.askForCsv(asked, asking, room)), over };
    },
    close: async () => {
      stopListening();
      stopping.abort();
      await Promise.all([exports.close(), verifications.idle()]);
      await room.close();
    },
  };
}
