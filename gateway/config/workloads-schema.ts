import { resolve } from 'node:path';
import type { z } from 'zod';
import { readKeySet } from '../identity/key-set.ts';
import type { WorkloadIssuer } from '../identity/workload.ts';
import { quoted } from './fault.ts';
import { flag, leaf, list, principalName, section, targetName, text, textLike } from './leaves.ts';
import type { Read } from './units.ts';
import { isSection, kindOf } from './values.ts';

const keysMend = 'Say where the public keys are: keys: { url: "https://ISSUER/…" } or keys: { file: jwks.json }.';

/** `{ file: PATH }` or `{ url: https://… }`. Keys that came over an open line could be anybody's. */
export const workloadKeysSchema = leaf(keysMend, (value): Read<{ file: string } | { url: string }> => {
  if (!isSection(value)) return { problem: `${kindOf(value)} stands where the keys of an issuer belong` };
  const [[key, named] = ['', ''], ...more] = Object.entries(value);
  if (more.length > 0 || typeof named !== 'string') return { problem: 'keys have exactly one place' };
  if (key === 'file')
    return named === '' || named.length > 4096 || named.includes('\0') ? { problem: 'this is not a path' } : { value: { file: named } };
  if (key !== 'url') return { problem: 'keys are in a file or at a url' };
  const url = URL.canParse(named) && named.length <= 2000 ? new URL(named) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '')
    return { problem: `${quoted(named)} is not an https address` };
  return { value: { url: url.href } };
});

const subject = text(
  'Write it as the tokens have it, exactly or with * at its end, for example "repo:acme/x:ref:refs/heads/main".',
  (value) => {
    if (value === '*') return { problem: 'a lone * lets in whoever the issuer knows' };
    if (value === '' || value.length > 500 || /\p{Cc}/u.test(value)) return { problem: `${quoted(value)} is no subject` };
    if (value.slice(0, -1).includes('*')) return { problem: 'a * stands at the end only' };
    return { value };
  },
);

const agent = section(
  {
    subject,
    agent: principalName(),
    targets: list(targetName(), 'Write a list of names of targets, for example targets: [web-1].').optional(),
    delegation: flag().default(false),
  },
  'Write a section, for example { subject: "repo:acme/x:ref:refs/heads/main", agent: deploy-bot }.',
);

const claim = textLike(/^[^\p{Cc}]{1,255}$/u, 'Write it as the tokens have it: up to 255 characters.');

export const workloadSchema = section(
  {
    name: principalName(),
    issuer: claim,
    audience: claim,
    keys: workloadKeysSchema,
    'subject-claim': claim.default('sub'),
    'single-use': flag().default(true),
    agents: list(agent, 'Write a list, for example agents: [{ subject: "repo:acme/x:ref:refs/heads/main", agent: deploy-bot }].'),
  },
  'Write a section, for example { name: ci, issuer: "https://ISSUER", audience: "https://GATEWAY", keys: { file: jwks.json }, agents: [] }.',
);

/** Of a file without a fault: the key sets were read before, and are read again. */
export function workloadsOf(read: readonly z.infer<typeof workloadSchema>[], directory: string): readonly WorkloadIssuer[] {
  return read.map(({ name, issuer, audience, keys, agents, 'subject-claim': subjectClaim, 'single-use': singleUse }) => ({
    name,
    issuer,
    audience,
    keys: 'url' in keys ? keys : keySetOf(resolve(directory, keys.file)),
    subjectClaim,
    singleUse,
    agents: agents.map(({ targets, ...entry }) => ({ ...entry, ...(targets === undefined ? {} : { targets }) })),
  }));
}

/** One that was changed since it was checked, and is not good any more, verifies nothing. */
function keySetOf(file: string): WorkloadIssuer['keys'] {
  const keySet = readKeySet(file);
  return { file, set: 'set' in keySet ? keySet.set : { keys: [] } };
}
