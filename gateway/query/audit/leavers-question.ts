import type { AuditRecord } from '../../../contract/record.ts';
import type { Answering, Question, Row, Seen } from './question.ts';

export const leaversQuestion: Question = {
  name: 'leavers',
  asks: 'Which identities were disabled, and were they seen afterwards?',
  columns: [
    { name: 'time', says: 'when the gateway took it into force (UTC)' },
    { name: 'principal', says: 'who' },
    { name: 'kind', says: 'human or agent' },
    { name: 'human', says: 'the human for whom an agent acted', wide: true },
    { name: 'what', says: 'disabled, removed, locked' },
    { name: 'until', says: 'when that was taken back; empty where it holds to the end of the period' },
    { name: 'sessions_after', says: 'sessions that were opened afterwards by them, or by an agent for them: 0 is what is expected' },
    { name: 'refused_after', says: 'attempts afterwards that were refused' },
    { name: 'first_after', says: 'when they were first seen again' },
    { name: 'last_after', says: 'when they were seen last' },
    { name: 'index', says: 'ledger index of the record', wide: true },
  ],
  filters: [],
  limits: [
    'Identities that were gone before the gateway recorded who is known are not in this answer',
    'A refused log-in names whoever has the key. With the key of somebody who was removed from the configuration it names nobody, and is among refused',
  ],
  missing: [],
  order: 'in the order in which it was taken back; those who stayed away come last, in the order in which they went',
  followsSessions: false,
  context: [],
  contextAll: ['identity.changed', 'principal.locked', 'principal.unlocked'],
  answer: () => new LeaversAnswer(),
};

interface Gone {
  time: string;
  index: number;
  principal: string;
  kind: string | null;
  human: string | null;
  what: string;
  inPeriod: boolean;
  sessions: number;
  refused: number;
  first: string | undefined;
  last: string | undefined;
}

/** Whoever makes up more than this is told of in part. */
const MOST_GONE = 50_000;

/** Who is gone, and what was seen of them in the period. Those who went before it are told of only where they were seen. */
class LeaversAnswer implements Answering {
  readonly #disabled = new Map<string, Gone>();
  readonly #locked = new Map<string, Gone>();

  *take(seen: Seen): Generator<Row> {
    const { record, inPeriod } = seen;
    switch (record?.type) {
      case 'identity.changed':
        yield* this.#change(
          this.#disabled,
          record.body.principal,
          record.body.state === 'known' ? undefined : goneBy(record, seen),
          record.time,
        );
        break;
      case 'principal.locked':
        yield* this.#change(this.#locked, record.body.principal, goneBy(record, seen), record.time);
        break;
      case 'principal.unlocked':
        yield* this.#change(this.#locked, record.body.principal, undefined, record.time);
        break;
      case 'session.open':
      case 'session.refused':
        if (inPeriod) this.#seen([record.actor.principal, record.actor.onBehalfOf], record.time, record.type === 'session.open');
        break;
      case 'auth.refused':
        if (inPeriod) this.#seen(namedIn(record.body.reason), record.time, false);
        break;
      default:
        break;
    }
  }

  *finish(): Generator<Row> {
    for (const gone of [...this.#disabled.values(), ...this.#locked.values()]) yield* rowOf(gone, null);
  }

  *#change(among: Map<string, Gone>, principal: string, now: Gone | undefined, time: string): Generator<Row> {
    const before = among.get(principal);
    if (before !== undefined && (now === undefined || before.what !== now.what)) {
      among.delete(principal);
      yield* rowOf(before, time);
    }
    if (now !== undefined && !among.has(principal) && among.size < MOST_GONE) among.set(principal, now);
  }

  #seen(names: readonly (string | undefined)[], time: string, opened: boolean): void {
    for (const name of new Set(names)) {
      if (name === undefined) continue;
      for (const gone of [this.#disabled.get(name), this.#locked.get(name)]) {
        if (gone === undefined) continue;
        if (opened) gone.sessions += 1;
        else gone.refused += 1;
        gone.first ??= time;
        gone.last = time;
      }
    }
  }
}

function goneBy(record: AuditRecord<'identity.changed'> | AuditRecord<'principal.locked'>, { index, inPeriod }: Seen): Gone {
  const { time } = record;
  const common = { time, index, inPeriod, principal: record.body.principal, sessions: 0, refused: 0, first: undefined, last: undefined };
  if (record.type === 'principal.locked') return { ...common, kind: null, human: null, what: 'locked' };
  const { kind, onBehalfOf, state } = record.body;
  return { ...common, kind, human: onBehalfOf ?? null, what: state };
}

/** In the words of a refused log-in: `NAME is disabled`, `AGENT acts for NAME, who is disabled`, `NAME is locked by …`. */
function namedIn(reason: string): string[] {
  const [, agent, human] = /^(\S+) acts for (\S+), who is disabled$/.exec(reason) ?? [];
  if (agent !== undefined && human !== undefined) return [agent, human];
  const name = /^(\S+) is (?:disabled$|locked by )/.exec(reason)?.[1];
  return name === undefined ? [] : [name];
}

function* rowOf(gone: Gone, until: string | null): Generator<Row> {
  const { time, principal, kind, human, what, sessions, refused, first, last, index, inPeriod } = gone;
  if (!inPeriod && first === undefined) return;
  yield {
    time,
    principal,
    kind,
    human,
    what,
    until,
    sessions_after: sessions,
    refused_after: refused,
    first_after: first ?? null,
    last_after: last ?? null,
    index,
  };
}
