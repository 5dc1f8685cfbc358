export type {
  Config,
  Forwarding,
  GatewayConfig,
  LimitsConfig,
  ListenAddress,
  LockoutConfig,
  RecordingConfig,
  ShellTarget,
  SshConfig,
  SshTarget,
  Target,
} from './config-types.ts';
export type { OperatorRole, Principal } from './identity/principal.ts';
export type { CredentialReference, SecretReference } from './identity/secret-reference.ts';
export type { SshPublicKey } from './identity/ssh-public-key.ts';
export type { AllowEntry } from './policy/allow-list.ts';
