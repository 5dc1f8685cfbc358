import type { Actor, RecordDraft } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';
import { closedInTime } from './closed-in-time.ts';
import type { Session } from './session.ts';
import type { SessionParts } from './session-parts.ts';
import type { LiveState } from './supervised.ts';

/**
 * What operators do to running sessions. It takes effect at once, is in the recording and in the records with the
 * operator's name, and is answered when the record is durable.
 */
export class Supervision {
  readonly #parts: Pick<SessionParts, 'live' | 'records' | 'log'>;

  constructor(parts: Pick<SessionParts, 'live' | 'records' | 'log'>) {
    this.#parts = parts;
  }

  /** How a live session stands; undefined when it is not live. */
  state(session: string): LiveState | undefined {
    return this.#parts.live.find(session)?.state;
  }

  async message({ session: id, text }: { session: string; text: string }, by: Actor): Promise<{ shown: number }> {
    const session = this.#find(id);
    // What may have been shown has to be on record even if nobody saw it.
    await this.#record(session, by, { type: 'supervise.message', body: { text } });
    session.note({ t: 'supervise', what: 'message', by: by.principal, text }, `message of ${by.principal}`);
    return { shown: session.say(`${by.principal}: ${text}`) };
  }

  async pause({ session: id, reason }: Ordered, by: Actor): Promise<LiveState> {
    const session = this.#find(id);
    if (!session.pause(true)) throw new SallyportError('CONFLICT', 'this session is paused already');
    session.note({ t: 'supervise', what: 'pause', by: by.principal, reason }, `paused by ${by.principal}`);
    session.say(`paused by ${by.principal}: ${reason}`);
    await this.#record(session, by, { type: 'supervise.pause', body: { reason } });
    return session.state;
  }

  async resume({ session: id, reason }: Ordered, by: Actor): Promise<LiveState> {
    const session = this.#find(id);
    if (!session.state.paused) throw new SallyportError('CONFLICT', 'this session is not paused');
    // Durable first: nothing goes on that nobody has answered for.
    await this.#record(session, by, { type: 'supervise.resume', body: { reason } });
    session.note({ t: 'supervise', what: 'resume', by: by.principal, reason }, `resumed by ${by.principal}`);
    session.say(`resumed by ${by.principal}`);
    if (!session.pause(false)) throw new SallyportError('CONFLICT', 'somebody else resumed this session in the same moment');
    return session.state;
  }

  async step({ session: id, on, reason }: Ordered & { on: boolean }, by: Actor): Promise<LiveState> {
    const session = this.#find(id);
    if (session.stepping === on)
      throw new SallyportError('CONFLICT', on ? 'this session is stepped through already' : 'nobody steps through this session');
    if (on) session.step(true);
    await this.#record(session, by, { type: 'supervise.step', body: { on, reason } });
    session.step(on);
    session.note(
      { t: 'supervise', what: 'step', on, by: by.principal, reason },
      on ? `stepped through by ${by.principal}` : `stepping ended by ${by.principal}`,
    );
    session.say(on ? `from here on each action waits for ${by.principal} or another reviewer` : 'actions do not wait any more');
    return session.state;
  }

  /** Resolves when both legs are closed and the end is recorded. */
  async terminate({ session: id, reason }: Ordered, by: Actor): Promise<void> {
    const session = this.#find(id);
    session.note({ t: 'supervise', what: 'terminate', by: by.principal, reason }, `ended by ${by.principal}`);
    session.end(new SallyportError('SESSION_TERMINATED', `${by.principal} ended this session: ${reason}`));
    await closedInTime([session], this.#parts.live, `session ${id} is ended`);
    await this.#record(session, by, { type: 'supervise.terminate', body: { reason } });
  }

  #find(id: string): Session {
    const session = this.#parts.live.find(id);
    if (session === undefined || session.endReason !== undefined)
      throw new SallyportError('SESSION_NOT_LIVE', `no session ${id} is running`, { remedy: 'see sallyport sessions --state live' });
    return session;
  }

  async #record(session: Session, by: Actor, fact: SupervisionFact): Promise<void> {
    await this.#parts.records.append(this.#draft(session, by, fact));
  }

  #draft({ id, resource }: Session, actor: Actor, fact: SupervisionFact): RecordDraft {
    return { ...fact, outcome: 'success', actor, target: resource, session: id };
  }
}

interface Ordered {
  readonly session: string;
  readonly reason: string;
}

type SupervisionType = 'supervise.message' | 'supervise.pause' | 'supervise.resume' | 'supervise.step' | 'supervise.terminate';
type SupervisionFact = { [T in SupervisionType]: Pick<RecordDraft<T>, 'type' | 'body'> }[SupervisionType];
