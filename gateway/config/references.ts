import { resolve } from 'node:path';
import type { CredentialReference, SecretReference } from '../identity/secret-reference.ts';
import { parseSshPublicKey } from '../identity/ssh-public-key.ts';
import { type Environment, faultsOfCredential } from '../identity/target-credentials.ts';
import { checkReviewers } from './approvals.ts';
import { quoted } from './fault.ts';
import { didYouMean, type Findings } from './findings.ts';
import { readLedgerKey } from './ledger-key.ts';
import { checkOidc } from './oidc-schema.ts';
import { checkOnePlaceDecides } from './policy-file.ts';
import { certificateSchema } from './schema.ts';
import { type CertificateReference, readServerCertificate } from './server-certificate.ts';
import { credentialSchema, referenceSchema } from './target-schema.ts';
import { isSection, partOf, type Section } from './values.ts';

/*
 * What one part of the file says about another, and about files and variables outside of it. Works on the values as
 * they were written, so that a fault in an entry does not hide what is wrong between entries.
 */

/** Where relative paths start, and where variables are looked up. */
export interface Surroundings {
  readonly directory: string;
  readonly environment: Environment;
}

interface Entry {
  readonly section: 'humans' | 'agents' | 'targets';
  readonly index: number;
  readonly written: Section;
}

export function checkReferences(root: Section, findings: Findings, surroundings: Surroundings): void {
  const humans = entriesOf(root, 'humans');
  const agents = entriesOf(root, 'agents');
  const targets = entriesOf(root, 'targets');
  const principals = [...humans, ...agents];
  checkNames(principals, findings);
  checkNames(targets, findings);
  checkKeys(principals, findings);
  checkDelegation(agents, namesOf(humans), namesOf(agents), findings);
  checkAllow(targets, principals, findings);
  checkOnePlaceDecides(root, findings);
  checkReviewers(root, findings);
  for (const target of targets) checkCredential(target, findings, surroundings);
  checkCertificate(partOf(root.gateway, 'certificate'), findings, surroundings);
  checkLedgerKeys(root.ledger, findings, surroundings);
  checkOidc(root, (reference) => absoluteReference(reference, surroundings.directory), findings, surroundings.environment);
}

function checkNames(entries: readonly Entry[], findings: Findings): void {
  const first = new Map<string, Entry>();
  for (const entry of entries) {
    const name = entry.written.name;
    if (typeof name !== 'string') continue;
    const other = first.get(name);
    if (other === undefined) first.set(name, entry);
    else
      findings.add(
        [entry.section, entry.index, 'name'],
        'value',
        `the name ${quoted(name)} is taken by ${placeOf(other)}`,
        'Give each its own name.',
      );
    // Records use these words for who is not a principal.
    if (entry.section !== 'targets' && (name === 'gateway' || name === 'unknown')) {
      findings.add(
        [entry.section, entry.index, 'name'],
        'value',
        `the name ${quoted(name)} has a meaning of its own in records`,
        'Choose another one.',
      );
    }
  }
}

function checkKeys(principals: readonly Entry[], findings: Findings): void {
  const owners = new Map<string, Entry>();
  for (const entry of principals) {
    for (const [index, line] of listOf(entry.written['ssh-keys']).entries()) {
      const parsed = typeof line === 'string' ? parseSshPublicKey(line) : undefined;
      if (parsed === undefined || 'fault' in parsed) continue;
      const owner = owners.get(parsed.key.fingerprint);
      if (owner === undefined) owners.set(parsed.key.fingerprint, entry);
      else if (owner === entry)
        findings.add(
          [entry.section, entry.index, 'ssh-keys', index],
          'value',
          `the key ${parsed.key.fingerprint} is there a second time`,
          'Keep one of them.',
        );
      else
        findings.add(
          [entry.section, entry.index, 'ssh-keys', index],
          'value',
          `the key ${parsed.key.fingerprint} belongs to ${describe(owner)} already`,
          'A key says who somebody is: give everybody their own.',
        );
    }
  }
}

function checkDelegation(agents: readonly Entry[], humans: ReadonlySet<string>, agentNames: ReadonlySet<string>, findings: Findings): void {
  for (const { section, index, written } of agents) {
    const human = written['on-behalf-of'];
    if (typeof human !== 'string' || humans.has(human)) continue;
    const path = [section, index, 'on-behalf-of'];
    if (agentNames.has(human)) findings.add(path, 'value', `${quoted(human)} is an agent`, 'Name the human for whom this agent acts.');
    else
      findings.add(
        path,
        'value',
        `no human is named ${quoted(human)}`,
        () => didYouMean(human, humans) ?? `Add { name: ${quoted(human)} } to humans; a key is not needed.`,
      );
  }
}

function checkAllow(targets: readonly Entry[], principals: readonly Entry[], findings: Findings): void {
  const names = namesOf(principals);
  const groups = new Set(principals.flatMap(({ written }) => listOf(written.groups).filter((group) => typeof group === 'string')));
  for (const { section, index, written } of targets) {
    for (const [position, entry] of listOf(written.allow).entries()) {
      const path = [section, index, 'allow', position];
      if (typeof entry === 'string' && !names.has(entry)) {
        const mend = () =>
          groups.has(entry)
            ? `There is a group of that name: write { group: ${quoted(entry)} }.`
            : (didYouMean(entry, names) ?? 'Add it to humans or agents, or remove it here.');
        findings.add(path, 'value', `no principal is named ${quoted(entry)}`, mend);
      }
      const group = partOf(entry, 'group');
      if (typeof group === 'string' && !groups.has(group)) {
        findings.add(
          [...path, 'group'],
          'value',
          `nobody is in a group ${quoted(group)}`,
          () => didYouMean(group, groups) ?? 'Add the group to the `groups` of a human or an agent, or remove it here.',
        );
      }
    }
  }
}

function checkCredential({ section, index, written }: Entry, findings: Findings, surroundings: Surroundings): void {
  const credential = credentialSchema.safeParse(written.credential);
  if (!credential.success) return;
  const passphrase = referenceSchema.optional().safeParse(written.passphrase);
  const target = {
    credential: absoluteCredential(credential.data, surroundings.directory),
    ...(passphrase.success && passphrase.data !== undefined
      ? { passphrase: absoluteReference(passphrase.data, surroundings.directory) }
      : {}),
  };
  for (const fault of faultsOfCredential(target, surroundings.environment))
    findings.add([section, index, fault.of], 'value', fault.problem, fault.mend);
}

function checkCertificate(written: unknown, findings: Findings, { directory, environment }: Surroundings): void {
  const read = certificateSchema.safeParse(written);
  if (!read.success) return;
  const certificate = readServerCertificate(absoluteCertificate(read.data, directory), environment);
  if ('faults' in certificate)
    for (const { of, problem, mend } of certificate.faults) findings.add(['gateway', 'certificate', of], 'value', problem, mend);
}

function checkLedgerKeys(written: unknown, findings: Findings, { directory, environment }: Surroundings): void {
  for (const name of ['key', 'former-key']) {
    const read = referenceSchema.safeParse(partOf(written, name));
    if (!read.success) continue;
    const key = readLedgerKey(absoluteReference(read.data, directory), environment);
    if ('problem' in key) findings.add(['ledger', name], 'value', key.problem, key.mend);
  }
}

export function absoluteCertificate({ chain, key }: CertificateReference, directory: string): CertificateReference {
  return { chain: resolve(directory, chain), key: absoluteReference(key, directory) };
}

export function absoluteReference(reference: SecretReference, directory: string): SecretReference {
  return 'file' in reference ? { file: resolve(directory, reference.file) } : reference;
}

export function absoluteCredential(credential: CredentialReference, directory: string): CredentialReference {
  if ('password' in credential) return { password: absoluteReference(credential.password, directory) };
  if ('key' in credential) return { key: absoluteReference(credential.key, directory) };
  return absoluteReference(credential, directory);
}

function entriesOf(root: Section, section: Entry['section']): Entry[] {
  return listOf(root[section]).flatMap((value, index) => {
    return isSection(value) ? [{ section, index, written: value }] : [];
  });
}

function namesOf(entries: readonly Entry[]): ReadonlySet<string> {
  return new Set(entries.map(({ written }) => written.name).filter((name) => typeof name === 'string'));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function placeOf({ section, index }: Entry): string {
  return `entry ${index + 1} of ${section}`;
}

function describe(entry: Entry): string {
  return typeof entry.written.name === 'string' ? quoted(entry.written.name) : placeOf(entry);
}
