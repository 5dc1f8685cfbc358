import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Config, SshTarget } from '../config/types.ts';
import { loadConfig } from '../config.ts';
import { readHostKey } from '../protocol/ssh/host-key.ts';
import { print } from './output.ts';

const SSH_PORT = 22;

/**
 * Prints lines for `known_hosts` of whoever comes with `ssh -J`: the gateway answers in the place of every SSH target,
 * with its own host key.
 */
export async function knownHosts(options: { config: string; data?: string }): Promise<number> {
  const config = loadConfig(options.config);
  const { publicKey } = await readHostKey(options.data ?? config.gateway.data);
  const listen = gatewayNames(config);
  if (listen.length > 0) await print(`${listen.join(',')} ${publicKey}\n`);
  for (const target of config.targets.values()) {
    if (target.kind === 'ssh') await print(`${targetNames(target).join(',')} ${publicKey}\n`);
  }
  return 0;
}

/** By its name on its own port and on the one that `ssh` takes unless told; by its address. */
function targetNames({ name, address }: SshTarget): string[] {
  const names = [written(name, SSH_PORT), written(name, address.port), written(address.host, address.port)];
  return [...new Set(names)];
}

/** Where it listens. On all addresses at once, its host's names are what is known of them; a port of the system's choice is not known. */
function gatewayNames({ gateway }: Config): string[] {
  const { ssh } = gateway.listen;
  if (ssh === undefined || ssh.port === 0) return [];
  const everywhere = ssh.host === '0.0.0.0' || ssh.host === '::';
  const hosts = everywhere ? [...new Set([hostname(), 'localhost', '127.0.0.1', ...(ssh.host === '::' ? ['::1'] : [])])] : [ssh.host];
  return hosts.map((host) => written(host, ssh.port));
}

/** As ssh looks it up (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): in small letters, and with the port only where it is not 22. */
function written(host: string, port: number): string {
  const name = isIP(host) === 0 ? host.toLowerCase().replace(/\.$/, '') : host;
  return port === SSH_PORT ? name : `[${name}]:${port}`;
}
