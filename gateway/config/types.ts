import type { ApprovalRule } from '../approval/approval-rule.ts';
import type { OidcSettings } from '../identity/oidc-settings.ts';
import type { Principal } from '../identity/principal.ts';
import type { CredentialReference, SecretReference } from '../identity/secret-reference.ts';
import type { SshPublicKey } from '../identity/ssh-public-key.ts';
import type { WorkloadIssuer } from '../identity/workload.ts';
import type { AllowEntry } from '../policy/allow-list.ts';
import type { LedgerConfig } from './ledger-key.ts';
import type { PolicyFile } from './policy-file.ts';
import type { CertificateReference } from './server-certificate.ts';

/** The whole configuration, checked and frozen. Bytes are bytes, durations are seconds, paths are absolute. */
export interface Config {
  readonly path: string;
  /** SHA-256 of the file's bytes, in hexadecimal. */
  readonly hash: string;
  readonly gateway: GatewayConfig;
  /** Humans and agents by name: they share one name space. */
  readonly principals: ReadonlyMap<string, Principal>;
  readonly targets: ReadonlyMap<string, Target>;
  /** What decides; without it the lists of the targets do. Read, and not known to be right: config/policy-check.ts. */
  readonly policy?: PolicyFile;
  readonly approvals: ReadonlyMap<string, ApprovalRule>;
  readonly recording: RecordingConfig;
  readonly limits: LimitsConfig;
  readonly ssh: SshConfig;
  readonly ledger: LedgerConfig;
  /** Without it, nobody logs in through an identity provider. */
  readonly oidc?: OidcSettings;
  readonly certificates: CertificatesConfig;
  /** Issuers whose tokens are exchanged for certificates. */
  readonly workloads: readonly WorkloadIssuer[];
}

export interface GatewayConfig {
  /** What to listen on. A protocol that this version does not serve is a fault, so these are all that is ever there. */
  readonly listen: { readonly ssh?: ListenAddress; readonly https?: ListenAddress };
  /** Of the HTTPS listener; the gateway makes its own without it. */
  readonly certificate?: CertificateReference;
  /** The data directory. */
  readonly data: string;
  /** How this gateway calls itself in records; the host's name unless configured. */
  readonly name: string;
}

export interface ListenAddress {
  /** A name or an address; an IPv6 address has no brackets here. */
  readonly host: string;
  /** 0 lets the system pick one. */
  readonly port: number;
}

export interface RecordingConfig {
  /** How long recordings are kept, from the end of their session. */
  readonly retainSeconds: number;
  /** For targets that have all of these tags; the first that fits counts. */
  readonly retainByTag: readonly { readonly tags: Readonly<Record<string, string>>; readonly retainSeconds: number }[];
  /** Bytes of journal after which a segment is sealed. */
  readonly segment: number;
  /** Seconds after which a segment is sealed however small it is. */
  readonly segmentSeconds: number;
  /** Free bytes below which new sessions are refused. */
  readonly reserve: number;
  /** Unsealed bytes above which relays slow down. */
  readonly backlog: number;
  readonly durability: 'relaxed' | 'strict';
  /** Of binary streams and files: their digests, or everything. */
  readonly content: 'digest' | 'whole';
  /** Whether what is typed on a PTY is recorded. */
  readonly input: boolean;
}

export interface LimitsConfig {
  readonly sessions: number;
  readonly sessionsPerPrincipal: number;
  readonly channelsPerSession: number;
  /** Seconds from accepting a connection until it has to be authenticated. */
  readonly handshake: number;
  /** Seconds without a byte in either direction until a session ends; 0 is never. */
  readonly idle: number;
  /** Seconds to reach a target and log in there. */
  readonly connect: number;
  /** Seconds between keep-alives towards both sides; 0 sends none. */
  readonly keepAlive: number;
  /** Connections that are not authenticated yet, of all sources together. */
  readonly unauthenticated: number;
  /** Refused attempts on one connection until it is closed. */
  readonly authAttempts: number;
  readonly lockout: LockoutConfig;
}

/** So many failed attempts of one source within a time lock it out for a time. */
export interface LockoutConfig {
  /** 0 turns the lock-out off. */
  readonly failures: number;
  readonly withinSeconds: number;
  readonly forSeconds: number;
}

export interface SshConfig {
  readonly rekeyBytes: number;
  readonly rekeySeconds: number;
  /** Algorithms that are off unless named here. */
  readonly weakAlgorithms: readonly string[];
  /** Shown before authentication. */
  readonly banner?: string;
}

/** Of SSH certificates. */
export interface CertificatesConfig {
  /** Beside the gateway's own. */
  readonly authorities: readonly { readonly name: string; readonly key: SshPublicKey }[];
  /** Path of a key revocation list. */
  readonly revoked?: string;
  /** Of a certificate that the gateway makes, unless less or more is asked for, and the most. */
  readonly lifetimeSeconds: number;
  readonly longestSeconds: number;
}

export type Target = SshTarget | ShellTarget;

interface AnyTarget {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Principals, and groups of principals, that may connect. Nobody else may. */
  readonly allow: readonly AllowEntry[];
  /** Names of variables that a client may set; a trailing `*` stands for any rest. */
  readonly environment: readonly string[];
  /** Overrides of the `recording` section. */
  readonly recording: { readonly content?: 'digest' | 'whole'; readonly input?: boolean };
  /** Overrides what `recording` says. */
  readonly retainSeconds?: number;
  /** Overrides `limits.idle`; 0 is never. */
  readonly idle?: number;
}

export interface SshTarget extends AnyTarget {
  readonly kind: 'ssh';
  readonly address: { readonly host: string; readonly port: number };
  /** Fingerprint of the target's host key as OpenSSH prints it: `SHA256:` and 43 characters of base64. */
  readonly hostKey: string;
  readonly login: string;
  readonly credential: CredentialReference;
  /** Opens an encrypted private key. */
  readonly passphrase?: SecretReference;
  readonly forwarding: readonly Forwarding[];
}

export type Forwarding = 'local' | 'remote' | 'agent';

/** A shell on the gateway's own host. */
export interface ShellTarget extends AnyTarget {
  readonly kind: 'shell';
  /** The operating system's user; the gateway's own unless given. */
  readonly user?: string;
  /** Absolute path of the shell; the user's own unless given. */
  readonly shell?: string;
  /** Absolute path of the working directory; the user's home unless given. */
  readonly directory?: string;
}
