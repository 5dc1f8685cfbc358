import type { VerdictStep } from '../../../contract/operations/audit.ts';
import { printable } from '../../base/printable.ts';
import { EvidenceReader } from '../../store/evidence-reader.ts';
import type { Finding } from './finding.ts';
import type { Outcome } from './outcome.ts';
import { placeWords, some } from './verdict.ts';
import { verifyDataDirectory } from './verify-data-directory.ts';

export interface WholeVerification {
  readonly ok: boolean;
  readonly records: number;
  readonly sessions: number;
  readonly segments: number;
  readonly size: number;
  readonly steps: VerdictStep[];
  readonly faults: string[];
  readonly faultCount: number;
  /** Sessions that faults are in. Undefined when there is a fault of which nobody can say that it is in no other session. */
  readonly failed: readonly string[] | undefined;
}

const MOST_TOLD = 100;
const MOST_FAILED = 10_000;
/** Records that are looked up to see whose they are. */
const MOST_LOOKED_UP = 1000;

type Step = 'records' | 'ledger' | 'signature' | 'recordings' | 'sessions' | 'approvals';

/** The verification of a whole data directory, beside the gateway that writes it, for people who did not ask at its keyboard. */
export async function verifyAll(
  directory: string,
  key: string,
  progress: (state: { done: number; total: number }) => void,
): Promise<WholeVerification> {
  const faults = new Faults();
  const outcome = await verifyDataDirectory(
    directory,
    { trusted: key, atATime: 1, progress: (done, total) => progress({ done, total }) },
    (finding) => faults.take(finding),
  );
  const { records, ledger } = outcome;
  return {
    ok: faults.count === 0,
    records: records.records,
    sessions: records.sessions,
    segments: records.segments,
    size: ledger?.size ?? 0,
    steps: stepsOf(outcome, faults),
    faults: faults.told,
    faultCount: faults.count,
    failed: await faults.sessions(directory),
  };
}

class Faults {
  readonly told: string[] = [];
  readonly first = new Map<Step, { words: string; more: number }>();
  readonly #sessions = new Set<string>();
  readonly #indexes: number[] = [];
  #elsewhere = false;
  count = 0;

  take(finding: Finding): void {
    if (finding.severity !== 'fault') return;
    this.count += 1;
    const { where, words } = finding;
    const place = placeWords(where);
    if (this.told.length < MOST_TOLD) this.told.push(printable(place === '' ? words : `${place}: ${words}`));
    const step = stepOf(finding);
    const known = this.first.get(step);
    if (known === undefined) this.first.set(step, { words: printable(words), more: 0 });
    else known.more += 1;
    if (where.session !== undefined && this.#sessions.size < MOST_FAILED) this.#sessions.add(where.session);
    else if (where.session === undefined && where.index !== undefined && where.last === undefined && this.#indexes.length < MOST_LOOKED_UP)
      this.#indexes.push(where.index);
    else this.#elsewhere = true;
  }

  async sessions(directory: string): Promise<string[] | undefined> {
    if (this.#elsewhere) return undefined;
    if (this.#indexes.length > 0) {
      const reader = await EvidenceReader.open(directory);
      try {
        // Whose a record is that was altered, its neighbours cannot say: what it is listed as is all there is.
        for (const session of await reader.sessionsAt(this.#indexes)) {
          if (session === undefined) return undefined;
          if (session !== null) this.#sessions.add(session);
        }
      } finally {
        await reader.close();
      }
    }
    return [...this.#sessions];
  }
}

/** Which of the steps a fault belongs to. */
function stepOf({ code, where }: Finding): Step {
  const { file, segment, session } = where;
  if (file?.startsWith('ledger/') === true || file?.startsWith('keys/') === true || code === 'truncated')
    return code === 'forged' || code === 'unsigned' ? 'signature' : 'ledger';
  if (code === 'unsigned') return 'signature';
  if (code === 'forged') return 'approvals';
  if (segment !== undefined || (file !== undefined && file !== 'sallyport.db')) return 'recordings';
  return session === undefined ? 'records' : 'sessions';
}

function stepsOf(outcome: Outcome, { first }: Faults): VerdictStep[] {
  const { records, ledger, spent, files, bytes } = outcome;
  const { asked, decided } = records.approvals;
  const steps: [Step, string, number][] = [
    ['records', `${some(records.records, 'record')}, each of the form and with the hash that it must have`, spent?.records ?? 0],
    [
      'ledger',
      `The log was rebuilt from the records: ${some(ledger?.size ?? 0, 'record')}, with the root of the checkpoint`,
      spent?.ledger ?? 0,
    ],
    ['signature', `The checkpoint over ${some(ledger?.size ?? 0, 'record')} carries the signature of the ledger's key`, 0],
    ['recordings', `${some(files, 'file')} of recordings with ${some(bytes, 'byte')}, each what was sealed`, spent?.recordings ?? 0],
    ['sessions', `${some(records.sessions, 'session')} from the opening to the end, and the lists agree`, spent?.lists ?? 0],
    [
      'approvals',
      `${some(asked, 'request')}, ${some(decided, 'decision')}, ${some(records.signOffs, 'sign-off')}, each signed by its reviewer`,
      0,
    ],
  ];
  return steps.map(([name, words, millis]) => {
    const wrong = first.get(name);
    return {
      name,
      ok: wrong === undefined,
      words: wrong === undefined ? words : `${wrong.words}${wrong.more === 0 ? '' : `, and ${wrong.more} more`}`,
      millis: Math.round(millis * 1000) / 1000,
    };
  });
}
