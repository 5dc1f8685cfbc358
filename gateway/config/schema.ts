import { z } from 'zod';
import { operatorRoles } from '../identity/principal.ts';
import { parseSshPublicKey } from '../identity/ssh-public-key.ts';
import { certificatesSchema } from './certificates-schema.ts';
import {
  choice,
  duration,
  durationOrOff,
  filePath,
  flag,
  list,
  listenAddress,
  principalName,
  retention,
  section,
  size,
  text,
  textLike,
  wholeNumber,
} from './leaves.ts';
import { ledgerSchema } from './ledger-schema.ts';
import { oidcSchema } from './oidc-schema.ts';
import { referenceSchema, tagsSchema } from './target-schema.ts';
import type { Read } from './units.ts';
import { workloadSchema } from './workloads-schema.ts';

/** Everything but targets: target-schema.ts. Bounds keep a typing mistake from becoming an outage. */

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const TiB = 1024 * GiB;
const DAY = 86_400;

export const certificateSchema = section(
  {
    chain: filePath('Name the PEM file with the certificate and its issuers, for example chain: tls/fullchain.pem.'),
    key: referenceSchema,
  },
  'Write a section, for example certificate: { chain: tls/fullchain.pem, key: { file: tls/key.pem } }.',
);

export const gatewaySchema = section(
  {
    listen: section(
      {
        ssh: listenAddress(2222).optional(),
        postgres: listenAddress(5433).optional(),
        mysql: listenAddress(3307).optional(),
        https: listenAddress(7443).optional(),
      },
      'Say where to listen, for example listen: { ssh: "127.0.0.1:2222" }.',
    ),
    data: filePath('Name the data directory, for example data: ./data.').default('./data'),
    name: textLike(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
      'It is up to 63 letters, digits and . _ - and begins with a letter or a digit.',
    ).optional(),
    certificate: certificateSchema.optional(),
  },
  'Write a section, for example gateway: { listen: { ssh: "127.0.0.1:2222" }, data: ./data }.',
);

const sshKey = text('Write one line of a .pub file, for example "ssh-ed25519 AAAA… comment".', (line) => {
  const parsed = parseSshPublicKey(line);
  return 'fault' in parsed ? { problem: parsed.fault } : { value: parsed.key };
});

const principal = {
  name: principalName(),
  groups: list(principalName(), 'Write a list of names, for example groups: [platform].').default([]),
  'ssh-keys': list(sshKey, 'Write a list of public keys, for example ssh-keys: ["ssh-ed25519 AAAA… comment"].').default([]),
  disabled: flag().default(false),
};

export const humanSchema = section(
  { ...principal, operator: list(choice(operatorRoles), 'Write a list of roles, for example operator: [reviewer].').default([]) },
  'Write a section, for example { name: reviewer@example.com, ssh-keys: ["ssh-ed25519 AAAA…"] }.',
);

export const agentSchema = section(
  { ...principal, 'on-behalf-of': principalName() },
  'Write a section, for example { name: deploy-bot, on-behalf-of: engineer@example.com, ssh-keys: ["ssh-ed25519 AAAA…"] }.',
);

const retainRule = section(
  { tags: tagsSchema, retain: retention() },
  'Write a section, for example { tags: { env: prod }, retain: 800d }.',
);

export const recordingSchema = section(
  {
    retain: retention().default(400 * DAY),
    'retain-by-tag': list(retainRule, 'Write a list, for example retain-by-tag: [{ tags: { env: prod }, retain: 800d }].').default([]),
    segment: size(64 * KiB, 256 * MiB).default(4 * MiB),
    'segment-after': duration(1, 3600).default(60),
    reserve: size(MiB, 16 * TiB).default(512 * MiB),
    backlog: size(MiB, TiB).default(512 * MiB),
    durability: choice(['relaxed', 'strict']).default('relaxed'),
    content: choice(['digest', 'whole']).default('digest'),
    input: flag().default(true),
  },
  'Write a section, for example recording: { segment: 4MiB, reserve: 512MiB }.',
);

const lockout = section(
  { failures: wholeNumber(0, 200).default(20), within: duration(1, DAY).default(60), for: duration(1, DAY).default(60) },
  'Write a section, for example lockout: { failures: 20, within: 60s, for: 60s }.',
);

export const limitsSchema = section(
  {
    sessions: wholeNumber(1, 100_000).default(2000),
    'sessions-per-principal': wholeNumber(1, 100_000).default(1000),
    'channels-per-session': wholeNumber(1, 10_000).default(64),
    handshake: duration(1, 600).default(20),
    idle: durationOrOff(30 * DAY).default(0),
    connect: duration(1, 600).default(10),
    'keep-alive': durationOrOff(DAY).default(15),
    unauthenticated: wholeNumber(1, 100_000).default(200),
    'auth-attempts': wholeNumber(1, 100).default(6),
    lockout: lockout.prefault({}),
  },
  'Write a section, for example limits: { sessions: 2000, idle: 30m }.',
);

/** What `ssh2` can speak and nobody should unless a device leaves no choice. */
export const weakAlgorithms = [
  'ssh-rsa',
  'ssh-dss',
  'diffie-hellman-group-exchange-sha1',
  'diffie-hellman-group14-sha1',
  'diffie-hellman-group1-sha1',
  'aes256-cbc',
  'aes192-cbc',
  'aes128-cbc',
  '3des-cbc',
  'hmac-sha1',
  'hmac-sha1-etm@openssh.com',
  'hmac-sha1-96',
  'hmac-md5',
  'hmac-md5-96',
] as const;

export const sshSchema = section(
  {
    'rekey-bytes': size(MiB, TiB).default(GiB),
    'rekey-after': duration(1, 7 * DAY).default(3600),
    'weak-algorithms': list(choice(weakAlgorithms), 'Write a list of names, for example weak-algorithms: [hmac-sha1].').default([]),
    banner: text('Write up to 4096 characters of text.', readBanner).optional(),
  },
  'Write a section, for example ssh: { rekey-bytes: 1GiB, rekey-after: 1h }.',
);

/** The root's own keys. Lists are checked entry by entry, so that a fault in one does not hide those of another. */
export const rootSchema = section(
  {
    gateway: gatewaySchema,
    humans: list(z.unknown(), 'Write a list of sections, each beginning with "- name:".').default([]),
    agents: list(z.unknown(), 'Write a list of sections, each beginning with "- name:".').default([]),
    targets: list(z.unknown(), 'Write a list of sections, each beginning with "- name:".').default([]),
    recording: recordingSchema.prefault({}),
    limits: limitsSchema.prefault({}),
    ssh: sshSchema.prefault({}),
    ledger: ledgerSchema.prefault({}),
    oidc: oidcSchema.optional(),
    certificates: certificatesSchema.prefault({}),
    workloads: list(workloadSchema, 'Write a list of sections, each beginning with "- name:".').default([]),
    policy: z.unknown().optional(),
    approvals: z.unknown().optional(),
  },
  'The file is a mapping: start with the `gateway:` section.',
);

/** RFC 4252 section 5.4: control characters in a banner would drive the client's terminal. */
function readBanner(value: string): Read<string> {
  if (value.length > 4096) return { problem: `the banner has ${value.length} characters` };
  return /[\p{Cc}]/u.test(value.replaceAll(/[\n\t]/g, '')) ? { problem: 'the banner has control characters' } : { value };
}
