import type { SshPublicKey } from './ssh-public-key.ts';

/** Roles of a human at the operator API and in the desktop application. */
export const operatorRoles = ['reviewer', 'auditor', 'admin'] as const;
export type OperatorRole = (typeof operatorRoles)[number];

/** Somebody who can be authenticated. An agent acts for a human, and both are recorded. */
export interface Principal {
  readonly name: string;
  readonly kind: 'human' | 'agent';
  /** Always there on an agent: the name of a human in the same configuration. */
  readonly onBehalfOf?: string;
  readonly groups: readonly string[];
  readonly sshKeys: readonly SshPublicKey[];
  readonly operator: readonly OperatorRole[];
  /** Known, so that records keep making sense, but refused like a stranger. */
  readonly disabled: boolean;
}
