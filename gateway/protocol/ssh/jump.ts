import type { Actor, RecordBody, Resource } from '../../../contract/record.ts';
import { asSallyportError, describeError, SallyportError } from '../../base/errors.ts';
import { resourceOf } from '../../session/decision-facts.ts';
import { lockedOut } from '../../session/locks.ts';
import type { SessionParts } from '../../session/session-parts.ts';
import { targetsFor } from '../../session/visible-targets.ts';
import type { JumpAnswer } from './jump-port.ts';
import { jumpTargets } from './jump-target.ts';
import type { SshClient } from './ssh-listener.ts';
import type { SshReachable } from './ssh-target.ts';

/** Where a jump leads: as the client wrote it, and the names of the targets that are there for it. */
export interface JumpDestination {
  readonly host: string;
  readonly port: number;
  /** At least one; several differ in their login. */
  readonly targets: readonly string[];
}

/**
 * What becomes of a `direct-tcpip` channel of somebody who has chosen no target (`ssh -J gateway …`): one that leads to
 * an SSH target of theirs is answered by the gateway itself, so that the session in it is recorded. Everything else is
 * refused, alike whether there is such a target or not, and recorded.
 */
export async function answerJump(client: SshClient, host: string, port: number, parts: SessionParts<SshReachable>): Promise<JumpAnswer> {
  const { nest, who } = client;
  const { principal, onBehalfOf } = who.actor;
  const address = writtenAddress(host, port);
  const lock = parts.locks.lockOn(principal, onBehalfOf);
  if (lock !== undefined) {
    const { code, message } = lockedOut(lock);
    await record(who.actor, { name: address, kind: 'unknown' }, { code, reason: message, requested: `direct-tcpip ${address}` }, parts);
    return { refused: message };
  }
  const known = jumpTargets(host, port, parts.inForce().targets.values());
  const only = who.restrictions?.targets;
  const visible = (await targetsFor(who, parts)).map(({ name }) => name).filter((name) => only?.includes(name) ?? true);
  const targets = known.map(({ name }) => name).filter((name) => visible.includes(name));
  if (targets.length > 0 && nest !== undefined) return { take: (stream) => nest(stream, { host, port, targets }) };
  const refused = new SallyportError('TARGET_UNKNOWN', `there is no SSH target at ${address}`, {
    remedy: `you may reach: ${visible.length === 0 ? 'nothing yet; ask whoever runs this gateway' : visible.join(', ')}`,
  });
  const [hidden] = known;
  const told =
    hidden === undefined
      ? { code: refused.code, reason: refused.message }
      : { code: 'ACCESS_DENIED', reason: `${principal} may not connect to ${hidden.name}` };
  const resource: Resource = hidden === undefined ? { name: address, kind: 'unknown' } : resourceOf(hidden);
  await record(who.actor, resource, { ...told, requested: `direct-tcpip ${address}` }, parts);
  return { refused: describeError(refused) };
}

/**
 * What a client asks for whose target the jump has fixed: its user name is the login there, as it would be without a
 * gateway. `TARGET` and `LOGIN+TARGET` do as well, where they name that very target.
 */
export function jumpedRequest(user: string, to: JumpDestination, parts: SessionParts<SshReachable>) {
  const requested = `${user}@${writtenAddress(to.host, to.port)}`;
  const { targets } = parts.inForce();
  for (const name of to.targets) {
    const target = targets.get(name);
    if (target?.kind === 'ssh' && target.login === user) return { requested, login: user, target: name };
  }
  for (const name of to.targets) {
    if (user === name) return { requested, login: undefined, target: name };
    if (user.endsWith(`+${name}`)) return { requested, login: user.slice(0, -name.length - 1), target: name };
  }
  // The login that nobody has there is refused in its place, by the session.
  return { requested, login: user, target: to.targets[0] ?? to.host };
}

function writtenAddress(host: string, port: number): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
}

async function record(
  actor: Actor,
  target: Resource,
  body: Omit<RecordBody<'session.refused'>, 'protocol'>,
  parts: Pick<SessionParts, 'records' | 'log'>,
): Promise<void> {
  try {
    await parts.records.append({ type: 'session.refused', outcome: 'denied', actor, target, body: { protocol: 'ssh', ...body } });
  } catch (failure) {
    const { code, message } = asSallyportError(failure);
    parts.log.error({ code }, `a refusal could not be recorded: ${message}`);
  }
}
