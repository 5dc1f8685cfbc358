import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Route } from './clients.ts';
import { type Configuration, type Gateway, type GatewayOptions, startGateway } from './gateway.ts';
import { type KeyPair, learnHostKey, makeKey } from './keys.ts';
import { startTargetHost, type TargetHost, type TargetHostOptions } from './sshd.ts';
import type { Belongings } from './temp.ts';

/** A way through the gateway that only one test uses, so that its sessions are easy to find. */
export interface AgentRoute extends Route {
  principal: string;
}

/** A target host, a gateway in front of it, and agents who may go there. */
export interface World {
  host: TargetHost;
  gateway: Gateway;
  /** Past the gateway, for comparison. */
  direct: Route;
  /** The next agent nobody used yet, on its way to a target (`web` unless named). */
  agent(target?: string): AgentRoute;
}

export interface WorldOptions {
  /** How many agents there are. */
  agents?: number;
  host?: TargetHostOptions;
  /** More settings of the target `web`. */
  web?: Configuration;
  /** More targets; each may be reached by every agent unless it says otherwise. */
  targets?: (host: TargetHost) => Configuration[];
  /** People beside the one whom the agents act for. */
  humans?: Configuration[];
  /** More of the human whom the agents act for. */
  engineer?: Configuration;
  /** More sections of the configuration. */
  configuration?: Configuration;
  gateway?: Omit<GatewayOptions, 'configuration'>;
}

export async function openWorld(belongings: Belongings, options: WorldOptions = {}): Promise<World> {
  const directory = belongings.directory('world');
  const count = options.agents ?? 24;
  const names = agentNames(count);
  const [host, keys] = await Promise.all([
    startTargetHost(belongings, options.host),
    Promise.all(names.map((name) => makeKey(directory, name))),
  ]);
  const targets = [{ ...webTarget(host), ...options.web }, ...(options.targets?.(host) ?? [])];
  const gateway = await startGateway(belongings, {
    ...options.gateway,
    configuration: {
      agents: names.map((name, index) => ({
        name,
        'on-behalf-of': 'engineer@example.com',
        groups: ['agents'],
        'ssh-keys': [(keys[index] as KeyPair).publicLine],
      })),
      targets: targets.map((target) => ({ allow: names, ...target })),
      ...options.configuration,
      humans: [{ name: 'engineer@example.com', ...options.engineer }, ...(options.humans ?? [])],
    },
  });
  const knownHosts = join(directory, 'known_hosts');
  const gatewayKey = await learnHostKey(knownHosts, gateway.host, gateway.port);
  const [type, key] = host.hostKey.publicLine.split(' ');
  appendFileSync(knownHosts, `[${host.host}]:${host.port} ${type} ${key}\n`);
  let next = 0;
  return {
    host,
    gateway,
    direct: { host: host.host, port: host.port, user: 'root', key: host.loginKey, knownHosts, hostKey: host.hostKey.fingerprint },
    agent: (target = 'web') => {
      const key = keys[next];
      const principal = names[next];
      next += 1;
      if (key === undefined || principal === undefined)
        throw new Error(`all ${count} agents of this world are taken: ask openWorld for more`);
      return { host: gateway.host, port: gateway.port, user: target, key, knownHosts, hostKey: gatewayKey, principal };
    },
  };
}

/** What the agents of a world are called. */
export function agentNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `agent-${index + 1}`);
}

/** The target host as the configuration names it. */
export function webTarget(host: TargetHost, name = 'web'): Configuration {
  return {
    name,
    kind: 'ssh',
    address: host.address,
    'host-key': host.hostKey.fingerprint,
    login: 'root',
    credential: { key: { file: host.loginKey.path } },
  };
}
