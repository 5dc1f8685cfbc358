import { SallyportError } from '../base/errors.ts';
import type { Config } from '../config/types.ts';
import { readTargetCredential } from '../identity/target-credentials.ts';
import type { Listener } from '../protocol/listener.ts';
import type { HostKey } from '../protocol/ssh/host-key.ts';
import { listenSsh } from '../protocol/ssh/ssh-listener.ts';
import { type SshServing, serveSshClient } from '../protocol/ssh/ssh-session.ts';
import type { SshReachable, SshTargetSettings } from '../protocol/ssh/ssh-target.ts';
import type { SessionParts } from '../session/session-parts.ts';
import { version } from '../version.ts';

/** What the listener was built with stays until the next start; limits and targets are those of `current`. */
export function listenForSsh(
  config: Config,
  hostKey: HostKey,
  parts: SessionParts<SshReachable>,
  current: () => Config,
): Promise<Listener> {
  const listen = config.gateway.listen.ssh;
  if (listen === undefined) throw new SallyportError('CONFIG_INVALID', 'gateway.listen.ssh is missing');
  const ident = `Sallyport_${version}`;
  const rekey = { bytes: config.ssh.rekeyBytes, seconds: config.ssh.rekeySeconds };
  const serving: SshServing = {
    parts,
    limits: () => current().limits,
    connect: () => ({
      connect: current().limits.connect,
      handshake: current().limits.handshake,
      rekey,
      weakAlgorithms: config.ssh.weakAlgorithms,
      ident,
    }),
    credential: (target: SshTargetSettings) => {
      const configured = current().targets.get(target.name);
      if (configured?.kind !== 'ssh') throw new SallyportError('TARGET_UNKNOWN', `the target ${target.name} has been removed`);
      return readTargetCredential(configured);
    },
  };
  return listenSsh(
    {
      ...listen,
      hostKey,
      name: config.gateway.name,
      ident,
      ...(config.ssh.banner === undefined ? {} : { banner: config.ssh.banner }),
      weakAlgorithms: config.ssh.weakAlgorithms,
      rekey,
      handshake: config.limits.handshake,
      unauthenticated: config.limits.unauthenticated,
      authAttempts: config.limits.authAttempts,
    },
    parts,
    (client) => serveSshClient(client, serving),
  );
}
