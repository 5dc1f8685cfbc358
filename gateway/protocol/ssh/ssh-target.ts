import type { SessionTarget } from '../../session/session-parts.ts';

/** What the SSH protocol reads of a target of kind `ssh`. */
export interface SshTargetSettings extends SessionTarget {
  readonly kind: 'ssh';
  readonly address: { readonly host: string; readonly port: number };
  /** `SHA256:` and the base64 of the host key's digest, as OpenSSH prints it. */
  readonly hostKey: string;
  readonly login: string;
  /** Patterns of variables that a client may set at the target. */
  readonly environment: readonly string[];
}

/** What the SSH protocol reads of a target of kind `shell`. */
export interface ShellTargetSettings extends SessionTarget {
  readonly kind: 'shell';
  readonly user?: string;
  readonly shell?: string;
  readonly directory?: string;
  readonly environment: readonly string[];
}

export type SshReachable = SshTargetSettings | ShellTargetSettings;

/** True when a variable's name is on the target's allow-list; a trailing `*` stands for any rest. */
export function mayPass(name: string, allowed: readonly string[]): boolean {
  return allowed.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}
