import { resolve } from 'node:path';
import { readKeySet } from '../identity/key-set.ts';
import { parseSshPublicKey } from '../identity/ssh-public-key.ts';
import { certificatesSchema } from './certificates-schema.ts';
import { quoted } from './fault.ts';
import { didYouMean, type Findings } from './findings.ts';
import { isSection, partOf, type Section } from './values.ts';
import { workloadKeysSchema } from './workloads-schema.ts';

/** What the sections `certificates` and `workloads` say about others, about each other's entries and about files. */
export function checkCredentialReferences(root: Section, findings: Findings, directory: string): void {
  checkAuthorities(root, findings);
  checkLifetimes(root.certificates, findings);
  checkWorkloads(root, findings, directory);
}

function checkAuthorities(root: Section, findings: Findings): void {
  const owners = new Map<string, string>();
  for (const section of ['humans', 'agents'])
    for (const entry of listOf(root[section]))
      for (const line of listOf(partOf(entry, 'ssh-keys'))) {
        const fingerprint = fingerprintIn(line);
        if (fingerprint !== undefined) owners.set(fingerprint, `${String(partOf(entry, 'name'))}, who could let in anybody with it`);
      }
  const names = new Set<unknown>();
  for (const [index, entry] of listOf(partOf(root.certificates, 'authorities')).entries()) {
    const path = ['certificates', 'authorities', index];
    const name = partOf(entry, 'name');
    if (typeof name === 'string' && names.has(name))
      findings.add([...path, 'name'], 'value', `the name ${quoted(name)} is taken`, 'Give each authority its own.');
    names.add(name);
    const fingerprint = fingerprintIn(partOf(entry, 'key'));
    if (fingerprint === undefined) continue;
    const owner = owners.get(fingerprint);
    if (owner !== undefined)
      findings.add([...path, 'key'], 'value', `the key ${fingerprint} belongs to ${owner}`, 'An authority has a key of its own.');
    else owners.set(fingerprint, 'another authority');
  }
}

function checkLifetimes(written: unknown, findings: Findings): void {
  const read = certificatesSchema.safeParse(written);
  if (!read.success || read.data.lifetime <= read.data.longest) return;
  findings.add(
    ['certificates', 'lifetime'],
    'value',
    'certificates would be given for longer than the longest',
    'Make `longest` larger, or `lifetime` smaller.',
  );
}

function checkWorkloads(root: Section, findings: Findings, directory: string): void {
  const agents = new Set(listOf(root.agents).flatMap((entry) => nameOf(entry)));
  const targets = new Set(listOf(root.targets).flatMap((entry) => nameOf(entry)));
  const names = new Set<unknown>();
  const served = new Set<string>();
  for (const [index, entry] of listOf(root.workloads).entries()) {
    if (!isSection(entry)) continue;
    const path = ['workloads', index];
    if (typeof entry.name === 'string' && names.has(entry.name))
      findings.add([...path, 'name'], 'value', `the name ${quoted(entry.name)} is taken`, 'Give each its own name.');
    names.add(entry.name);
    const pair = JSON.stringify([entry.issuer, entry.audience]);
    if (served.has(pair))
      findings.add([...path, 'audience'], 'value', 'another entry has the same issuer and audience', 'Put the agents of both into one.');
    served.add(pair);
    const keys = workloadKeysSchema.safeParse(entry.keys);
    const read = keys.success && 'file' in keys.data ? readKeySet(resolve(directory, keys.data.file)) : undefined;
    if (read !== undefined && 'problem' in read) findings.add([...path, 'keys'], 'value', read.problem, read.mend);
    for (const [position, agent] of listOf(entry.agents).entries()) {
      const name = partOf(agent, 'agent');
      if (typeof name === 'string' && !agents.has(name))
        findings.add(
          [...path, 'agents', position, 'agent'],
          'value',
          `no agent is named ${quoted(name)}`,
          () => didYouMean(name, agents) ?? 'Add it to `agents`; a key is not needed.',
        );
      for (const [place, target] of listOf(partOf(agent, 'targets')).entries())
        if (typeof target === 'string' && !targets.has(target))
          findings.add(
            [...path, 'agents', position, 'targets', place],
            'value',
            `no target is named ${quoted(target)}`,
            () => didYouMean(target, targets) ?? 'Add it to `targets`, or remove it here.',
          );
    }
  }
}

function fingerprintIn(line: unknown): string | undefined {
  const parsed = typeof line === 'string' ? parseSshPublicKey(line) : undefined;
  return parsed === undefined || 'fault' in parsed ? undefined : parsed.key.fingerprint;
}

function nameOf(entry: unknown): string[] {
  const name = partOf(entry, 'name');
  return typeof name === 'string' ? [name] : [];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
