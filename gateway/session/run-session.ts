import type { Decision } from '../../contract/policy.ts';
import type { NegotiatedTransport, RecordDraft } from '../../contract/record.ts';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import { reasonAgainst } from '../identity/identify.ts';
import { appendPersistently } from './append-persistently.ts';
import { decisionBody, resourceOf } from './decision-facts.ts';
import { lockedOut } from './locks.ts';
import { type Authenticated, Session } from './session.ts';
import type { SessionParts, SessionTarget } from './session-parts.ts';
import { targetsFor } from './visible-targets.ts';

/** What a protocol brings: a client that has been authenticated, and how to reach and serve a target. */
export interface SessionAttempt<Target extends SessionTarget, Upstream> {
  readonly protocol: string;
  readonly who: Authenticated;
  /** What the client asked for, as it wrote it. */
  readonly requested: string;
  /** The client's software as it names itself; untrusted. */
  readonly client: string;
  /** What the client's connection is protected with, as far as the protocol knows. */
  readonly transport: NegotiatedTransport | undefined;
  /** The connection that this one came through, where the gateway was the jump host. */
  readonly via?: { readonly principal: string; readonly source: string } | undefined;
  /** The target's name in `requested`. */
  readonly target: string;
  /** Its connection needs consent: the client is kept, and told. Called at most once, and before `connect`. */
  wait(): Waiting;
  /** Reaches the target. Nothing may be sent to it before `durable` has resolved. */
  connect(target: Target, session: Session, durable: Promise<unknown>): Promise<Upstream>;
  /** Relays until either side ends; resolves with the reason in words. */
  relay(upstream: Upstream, session: Session): Promise<string>;
  /** Tells the client that there is no session, and why. Resolves when it has been told. */
  refuse(error: SallyportError): Promise<void>;
}

/** A client that waits before there is a session. */
export interface Waiting {
  /** Aborts when it has gone. */
  readonly gone: AbortSignal;
  tell(line: string): void;
}

/** What a refusal needs of an attempt. */
type RefusableAttempt = Pick<SessionAttempt<SessionTarget, unknown>, 'protocol' | 'who' | 'requested' | 'target' | 'refuse'>;

/**
 * The spine. Identified by now, the client's target is found; policy decides; the session enters; `session.open` is made
 * durable; the target is reached; bytes are relayed, recorded first, until either side ends; the recordings are
 * sealed; `session.close` is appended. Refusals are records too.
 */
export async function runSession<Target extends SessionTarget, Upstream>(
  attempt: SessionAttempt<Target, Upstream>,
  parts: SessionParts<Target>,
): Promise<void> {
  let session: Session | undefined;
  let decision: Decision;
  let target: Target;
  try {
    target = await findTarget(attempt, parts);
    if (attempt.who.restrictions?.targets?.includes(target.name) === false)
      throw new SallyportError('ACCESS_DENIED', `your certificate is not good for ${target.name}`, {
        remedy: `you may reach: ${await visible(attempt, parts)}`,
      });
    session = new Session(attempt.protocol, attempt.who, target, parts);
    const facts = { protocol: attempt.protocol };
    decision = session.decide('connect', facts);
    if (decision.verdict === 'deny')
      throw new SallyportError('ACCESS_DENIED', decision.reason, { remedy: `you may reach: ${await visible(attempt, parts)}` });
    if (decision.verdict === 'ask') {
      await obtainConsent(session, decision, facts, attempt);
      mustStillBeKnown(attempt.who, parts);
    }
    if (parts.recorder.space !== 'ample')
      throw new SallyportError('DISK_LOW', 'the gateway has too little disk space to record a session', {
        remedy: 'free space in its data directory',
      });
    if (parts.ledger.trouble !== undefined) throw parts.ledger.trouble;
    // In one turn with the entry: a lock that comes later finds the session there.
    const lock = parts.locks.lockOn(session.actor.principal, session.actor.onBehalfOf);
    if (lock !== undefined) throw lockedOut(lock);
    parts.live.enter(session);
  } catch (error) {
    // A connection that was approved and is refused all the same leaves no grant behind.
    if (session !== undefined) parts.approvals.sessionOver(session.id);
    await refuse(attempt, parts, asSallyportError(error));
    return;
  }

  let end: SallyportError | undefined;
  let reason: string;
  let opened = false;
  const started = parts.clock.monotonicNanos();
  const durable = parts.records.append({
    type: 'session.open',
    outcome: 'success',
    actor: session.actor,
    target: session.resource,
    session: session.id,
    body: {
      protocol: attempt.protocol,
      requested: attempt.requested,
      client: attempt.client,
      decision: decisionBody(decision),
      ...(attempt.transport === undefined ? {} : { transport: attempt.transport }),
      ...(attempt.via === undefined ? {} : { via: attempt.via }),
    },
  });
  const begun = durable.then(() => {
    opened = true;
  });
  try {
    const [upstream] = await Promise.all([attempt.connect(target, session, begun), begun]);
    reason = await attempt.relay(upstream, session);
    end = session.endReason;
    if (end !== undefined) reason = end.message;
  } catch (error) {
    end = session.endReason ?? asSallyportError(error);
    reason = end.message;
    parts.log.warn({ session: session.id, code: end.code, target: target.name }, reason);
    await tell(attempt, parts, end);
  }
  // A target that could not be reached may be told sooner than the opening is durable; then it is closed all the same.
  await begun.catch(() => undefined);
  // Sealing may take a while; the place is free for the next session of the same principal.
  parts.live.leave(session);
  // What was never recorded as open has nothing to close.
  if (opened && (await closeSession(session, parts, started, reason, end))) await sign(session, parts);
  parts.approvals.sessionOver(session.id);
  parts.live.closed(session);
}

/** The client is told what it waits for, and what came of it. */
async function obtainConsent(
  session: Session,
  decision: Decision,
  facts: Readonly<Record<string, unknown>>,
  attempt: Pick<SessionAttempt<SessionTarget, unknown>, 'wait'>,
): Promise<void> {
  const waiting = attempt.wait();
  const wanted = { decision, action: 'connect', facts, channel: undefined, signal: waiting.gone } as const;
  const { reviewers } = await session.consent(wanted, ({ request, whom, until }) =>
    waiting.tell(`this connection waits for approval by ${whom}, until ${until} (request ${request.id})`),
  );
  if (reviewers.length > 0) waiting.tell(`approved by ${reviewers.join(', ')}`);
}

/** Waiting takes minutes, in which somebody may have been taken out of the configuration, or disabled in it. */
function mustStillBeKnown({ actor }: Authenticated, parts: Pick<SessionParts, 'inForce'>): void {
  const { principals } = parts.inForce();
  const principal = principals.get(actor.principal);
  // Whom the configuration does not list, a certificate speaks for, which is good for minutes.
  const known =
    principal === undefined ? actor.authentication?.method === 'certificate' : reasonAgainst(principal, principals) === undefined;
  if (!known) throw new SallyportError('ACCESS_DENIED', 'this principal may not connect any more');
}

async function closeSession(
  session: Session,
  parts: SessionParts,
  started: number,
  reason: string,
  error: SallyportError | undefined,
): Promise<boolean> {
  try {
    await session.closeChannels(reason);
    const draft: RecordDraft<'session.close'> = {
      type: 'session.close',
      outcome: error === undefined ? 'success' : 'failure',
      actor: session.actor,
      target: session.resource,
      session: session.id,
      body: {
        reason,
        ...(error === undefined ? {} : { code: error.code }),
        duration: Math.round((parts.clock.monotonicNanos() - started) / 1e6),
        channels: session.channelsOpened,
        bytes: { ...session.bytes },
      },
    };
    await appendPersistently(draft, parts);
    return true;
  } catch (failure) {
    // The session is over either way. Its journals stay, and recovery at the next start closes it in the records.
    const { code, message } = asSallyportError(failure);
    parts.log.error({ session: session.id, code }, `the session's end could not be recorded: ${message}`);
    return false;
  }
}

/** Whoever is told that a session is over may rely on its records being signed; if they can't be now, they will be. */
async function sign(session: Session, parts: SessionParts): Promise<void> {
  try {
    const { size } = await parts.ledger.signed();
    const { id, actor, target } = session;
    parts.log.info(
      { session: id, principal: actor.principal, target: target.name, checkpoint: size },
      'a session is over, recorded and signed',
    );
  } catch (failure) {
    const { code, message } = asSallyportError(failure);
    parts.log.warn({ session: session.id, code }, `the session's end is recorded and not signed yet: ${message}`);
  }
}

async function findTarget<Target extends SessionTarget>(attempt: RefusableAttempt, parts: SessionParts<Target>): Promise<Target> {
  const target = parts.inForce().targets.get(attempt.target);
  if (target === undefined) {
    throw new SallyportError('TARGET_UNKNOWN', `there is no target named "${attempt.target}"`, {
      remedy: `you may reach: ${await visible(attempt, parts)}`,
    });
  }
  return target;
}

async function visible(attempt: RefusableAttempt, parts: Pick<SessionParts, 'inForce' | 'clock'>): Promise<string> {
  const names = (await targetsFor(attempt.who, parts)).map(({ name }) => name);
  return names.length === 0 ? 'nothing yet; ask whoever runs this gateway' : names.join(', ');
}

async function refuse(attempt: RefusableAttempt, parts: SessionParts, error: SallyportError): Promise<void> {
  const known = parts.inForce().targets.get(attempt.target);
  try {
    await parts.records.append({
      type: 'session.refused',
      outcome: 'denied',
      actor: attempt.who.actor,
      target: known === undefined ? { name: attempt.target, kind: 'unknown' } : resourceOf(known),
      body: { protocol: attempt.protocol, code: error.code, reason: error.message, requested: attempt.requested },
    });
  } catch (failure) {
    const { code, message } = asSallyportError(failure);
    parts.log.error({ code }, `a refusal could not be recorded: ${message}`);
  }
  await tell(attempt, parts, error);
}

/** A client that can't be told must not keep its session from being closed. */
async function tell(attempt: RefusableAttempt, parts: SessionParts, error: SallyportError): Promise<void> {
  try {
    await attempt.refuse(error);
  } catch (failure) {
    const { code, message } = asSallyportError(failure);
    parts.log.error({ code }, `a client could not be told why there is no session: ${message}`);
  }
}
