import type { RecordDraft } from '../../../contract/record.ts';
import { asSallyportError, describeError, SallyportError } from '../../base/errors.ts';
import { resourceOf } from '../../session/session.ts';
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
  const { nest } = client;
  const known = jumpTargets(host, port, parts.inForce().targets.values());
  const only = client.who.restrictions?.targets;
  const visible = (await targetsFor(client.who, parts)).map(({ name }) => name).filter((name) => only?.includes(name) ?? true);
  const targets = known.map(({ name }) => name).filter((name) => visible.includes(name));
  if (targets.length > 0 && nest !== undefined) return { take: (stream) => nest(stream, { host, port, targets }) };
  const reach = visible.length === 0 ? 'nothing yet; ask whoever runs this gateway' : visible.join(', ');
  const refused = new SallyportError('TARGET_UNKNOWN', `there is no SSH target at ${writtenAddress(host, port)}`, {
    remedy: `you may reach: ${reach}`,
  });
  const [hidden] = known;
  await record(
    {
      type: 'session.refused',
      outcome: 'denied',
      actor: client.who.actor,
      target: hidden === undefined ? { name: writtenAddress(host, port), kind: 'unknown' } : resourceOf(hidden),
      body: {
        protocol: 'ssh',
        code: hidden === undefined ? refused.code : 'ACCESS_DENIED',
        reason: hidden === undefined ? refused.message : `${client.who.actor.principal} may not connect to ${hidden.name}`,
        requested: `direct-tcpip ${writtenAddress(host, port)}`,
      },
    },
    parts,
  );
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

async function record(draft: RecordDraft, parts: Pick<SessionParts, 'records' | 'log'>): Promise<void> {
  try {
    await parts.records.append(draft);
  } catch (failure) {
    const { code, message } = asSallyportError(failure);
    parts.log.error({ code }, `a refusal could not be recorded: ${message}`);
  }
}
