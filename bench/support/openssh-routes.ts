import { type KeyPair, makeKey } from '../../test/support/keys.ts';
import { startTargetHost, type TargetHost } from '../../test/support/sshd.ts';
import type { Belongings } from '../../test/support/temp.ts';
import { BenchGateway } from './gateway.ts';
import { requireOpenSsh } from './peers.ts';
import { SshClient } from './ssh-client.ts';

/** The ways of one stock client to the same sshd: nothing between, a second sshd between, the gateway between. */
export const direct = 'direct';
export const proxyJump = 'proxyjump';
export const throughGateway = 'gateway';

export interface Routes {
  readonly client: SshClient;
  readonly gateway: BenchGateway;
}

export interface RouteOptions {
  /** The one cipher for every hop; without it everybody offers their defaults. */
  readonly cipher?: string;
  readonly profile?: string | undefined;
}

export async function openRoutes(belongings: Belongings, options: RouteOptions): Promise<Routes> {
  await requireOpenSsh();
  const directory = belongings.directory('bench-ssh');
  const settings = [
    // Hundreds of connections begin in the same second.
    'MaxStartups 2000',
    // The gateway's own hop to the target has no client configuration to limit it, so the server does.
    ...(options.cipher === undefined ? [] : [`Ciphers ${options.cipher}`]),
  ];
  const target = await startTargetHost(belongings, { settings });
  const jump = await startTargetHost(belongings, { settings });
  const clientKey = await makeKey(directory, 'client');
  const gateway = await BenchGateway.start(belongings, {
    targets: [gatewayTarget('target', target)],
    clientKey,
    profile: options.profile,
  });
  const login = 'root';
  const client = new SshClient(
    directory,
    'bench',
    [
      { name: direct, port: target.port, user: login, key: target.loginKey.path },
      { name: 'jump', port: jump.port, user: login, key: jump.loginKey.path },
      { name: proxyJump, port: target.port, user: login, key: target.loginKey.path, jump: 'jump' },
      gateway.host(throughGateway, 'target'),
    ],
    options.cipher === undefined ? {} : { ciphers: options.cipher },
  );
  return { client, gateway };
}

function gatewayTarget(
  name: string,
  host: TargetHost,
): { name: string; port: number; hostKey: KeyPair; login: string; credential: KeyPair } {
  return { name, port: host.port, hostKey: host.hostKey, login: 'root', credential: host.loginKey };
}
