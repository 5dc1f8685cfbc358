import { z } from 'zod';
import { fingerprintOf, parseSshPublicKey } from '../identity/ssh-public-key.ts';
import { either, quoted } from './fault.ts';
import { choice, durationOrOff, flag, leaf, list, retention, section, targetAddress, targetName, text, textLike } from './leaves.ts';
import type { Read } from './units.ts';
import { isSection, kindOf } from './values.ts';

const DAY = 86_400;

export const servedKinds = ['ssh', 'shell'] as const;
export const announcedKinds = ['postgres', 'mysql', 'mcp'] as const;

const variable = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const referenceMend = 'Name where the secret is, and not the secret: { env: NAME } or { file: PATH }.';

/** `{ env: NAME }` or `{ file: PATH }`. Messages never hold what was written, because it may be the secret itself. */
export const referenceSchema = leaf(referenceMend, readReference);

export function readReference(value: unknown): Read<{ env: string } | { file: string }> {
  if (!isSection(value)) return { problem: `${kindOf(value)} stands where a reference to a secret belongs` };
  const [[key, named] = ['', ''], ...more] = Object.entries(value);
  if (more.length > 0) return { problem: 'a reference has exactly one key' };
  if (key === 'env')
    return typeof named === 'string' && variable.test(named)
      ? { value: { env: named } }
      : { problem: 'this is not the name of an environment variable' };
  if (key === 'file')
    return typeof named === 'string' && named !== '' && named.length <= 4096 && !named.includes('\0')
      ? { value: { file: named } }
      : { problem: 'this is not a path' };
  return { problem: 'a reference is either env or file' };
}

type Credential =
  | { env: string }
  | { file: string }
  | { password: { env: string } | { file: string } }
  | { key: { env: string } | { file: string } };

/** A reference, or `{ password: reference }` or `{ key: reference }`. */
export const credentialSchema = leaf(
  `${referenceMend.slice(0, -1)}; { password: … } or { key: … } around it says what it is.`,
  (value): Read<Credential> => {
    if (isSection(value) && Object.keys(value).length === 1) {
      const { password, key } = value;
      if (password !== undefined) return within(readReference(password), (reference) => ({ password: reference }));
      if (key !== undefined) return within(readReference(key), (reference) => ({ key: reference }));
    }
    return readReference(value);
  },
);

function within<A, B>(read: Read<A>, wrap: (value: A) => B): Read<B> {
  return 'value' in read ? { value: wrap(read.value) } : read;
}

const hostKeyCommand = 'ssh-keyscan HOST | ssh-keygen -lf -';

const hostKey = text(
  `Write the fingerprint that \`${hostKeyCommand}\` prints, "SHA256:" and 43 characters, and compare it with what the host's owner says.`,
  (value): Read<string> => {
    if (/^SHA256:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$/.test(value)) return { value };
    const key = parseSshPublicKey(value);
    if ('key' in key) return { problem: `this is a whole key, and its fingerprint belongs here: "${fingerprintOf(key.key.blob)}"` };
    if (/^(?:MD5:)?[0-9a-f]{2}(?::[0-9a-f]{2}){15}$/i.test(value)) return { problem: 'this is an MD5 fingerprint' };
    return { problem: `${quoted(value)} is not a SHA-256 fingerprint` };
  },
);

const allowEntry = leaf('Name a principal, or write { group: NAME }.', (value): Read<string | { group: string }> => {
  if (typeof value === 'string') return { value };
  if (isSection(value)) {
    const { group } = value;
    if (typeof group === 'string' && Object.keys(value).length === 1) return { value: { group } };
  }
  return { problem: `${kindOf(value)} stands where the name of a principal or a group belongs` };
});

const tagsMend = 'Write names and texts, for example tags: { env: prod }.';
export const tagsSchema = leaf(tagsMend, (value): Read<Record<string, string>> => {
  if (!isSection(value)) return { problem: `${kindOf(value)} stands where tags belong` };
  const entries = Object.entries(value);
  if (entries.length > 64) return { problem: 'there are more than 64 tags' };
  const read: Record<string, string> = {};
  for (const [name, tag] of entries) {
    if (!/^[A-Za-z][A-Za-z0-9._/-]{0,62}$/.test(name)) return { problem: `${quoted(name)} is not the name of a tag` };
    if (typeof tag !== 'string' || !/^[^\p{Cc}]{1,256}$/u.test(tag)) {
      return { problem: `the tag ${quoted(name)} is not text of 1 to 256 characters` };
    }
    read[name] = tag;
  }
  return { value: read };
});

const common = {
  name: targetName(),
  tags: tagsSchema.default({}),
  allow: list(allowEntry, 'Write a list, for example allow: [deploy-bot, { group: platform }].').default([]),
  retain: retention().optional(),
};

const commonOfShells = {
  environment: list(
    textLike(/^[A-Za-z_][A-Za-z0-9_]{0,127}\*?$/, 'Name a variable; a * at the end stands for any rest.'),
    'Write a list of names, for example environment: [LANG, "LC_*"].',
  ).default(['LANG', 'LC_*']),
  recording: section(
    { content: choice(['digest', 'whole']).optional(), input: flag().optional() },
    'Write a section, for example recording: { input: false }.',
  ).prefault({}),
  idle: durationOrOff(30 * DAY).optional(),
};

const absolutePath = textLike(/^\/[^\0]{0,4095}$/, 'Write an absolute path.');
const userName = textLike(/^[^\s\p{Cc}:/@+][^\p{Cc}:]{0,127}$/u, 'Write the name of a user of the target.');
const exampleTarget =
  '{ name: web-1, kind: ssh, address: "10.0.0.5:22", host-key: "SHA256:…", login: deploy, credential: { file: keys/web } }';

export const sshTargetSchema = section(
  {
    ...common,
    ...commonOfShells,
    kind: z.literal('ssh'),
    address: targetAddress('10.0.0.5:22'),
    'host-key': hostKey,
    login: userName,
    credential: credentialSchema,
    passphrase: referenceSchema.optional(),
    forwarding: list(choice(['local', 'remote', 'agent']), 'Write a list, for example forwarding: [local].').default([]),
  },
  `Write a section, for example ${exampleTarget}.`,
);

export const shellTargetSchema = section(
  {
    ...common,
    ...commonOfShells,
    kind: z.literal('shell'),
    user: userName.optional(),
    shell: absolutePath.optional(),
    directory: absolutePath.optional(),
  },
  'Write a section, for example { name: local, kind: shell }.',
);

const databaseName = textLike(/^[^\p{Cc}]{1,63}$/u, 'Write the name of a database.');

function databaseTargetSchema<const K extends string>(kind: K, port: number) {
  return section(
    {
      ...common,
      kind: z.literal(kind),
      address: targetAddress(`10.0.0.6:${port}`),
      database: databaseName,
      login: userName,
      credential: credentialSchema,
    },
    'Write a section.',
  );
}

const commandWord = textLike(/^[^\0]{1,4096}$/, 'Write a word of the command.');

/** Every kind with its schema. Those that are announced are checked for their shape, and are then a fault of their own. */
export const targetSchemas = {
  ssh: sshTargetSchema,
  shell: shellTargetSchema,
  postgres: databaseTargetSchema('postgres', 5432),
  mysql: databaseTargetSchema('mysql', 3306),
  mcp: section(
    {
      ...common,
      kind: z.literal('mcp'),
      command: list(commandWord, 'Write a list of words, for example command: [npx, server].').optional(),
      url: textLike(/^https?:\/\/[^\s\p{Cc}]{1,2000}$/u, 'Write an http or https address.').optional(),
      credential: credentialSchema.optional(),
    },
    'Write a section.',
  ),
} as const;

export const kindMend = `It is ${either(servedKinds)}.`;
export const exampleTargetMend = `Write a section, for example ${exampleTarget}.`;

/** The served kinds, as their schemas read them. */
export type ReadTarget = z.infer<typeof sshTargetSchema> | z.infer<typeof shellTargetSchema>;
