import type { z } from 'zod';
import { LONGEST_GRANT_SECONDS, LONGEST_WAIT_SECONDS } from '../../contract/approval.ts';
import type { ApprovalRule } from '../approval/approval-rule.ts';
import { quoted } from './fault.ts';
import { didYouMean, type Findings } from './findings.ts';
import { choice, duration, flag, leaf, list, principalName, section, wholeNumber } from './leaves.ts';
import { type Read, readDuration } from './units.ts';
import { isSection, kindOf, partOf, type Section } from './values.ts';

const reviewersSchema = section(
  {
    group: principalName().optional(),
    groups: list(principalName(), 'Write a list of names, for example groups: [platform, security].').default([]),
    names: list(principalName(), 'Write a list of names, for example names: [reviewer@example.com].').default([]),
  },
  'Write a section, for example reviewers: { group: platform }.',
);

const grants = leaf(`Write once, session, or a time such as 30m, up to 1d.`, (value): Read<ApprovalRule['grants']> => {
  if (value === 'once' || value === 'session') return { value };
  if (typeof value !== 'string') return { problem: `${kindOf(value)} stands where once, session or a time belongs` };
  const read = readDuration(value);
  if ('value' in read && (read.value < 1 || read.value > LONGEST_GRANT_SECONDS))
    return { problem: `${quoted(value)} is not from 1s to 1d` };
  return read;
});

const approvalSchema = section(
  {
    reviewers: reviewersSchema,
    needed: wholeNumber(1, 100).default(1),
    within: duration(1, LONGEST_WAIT_SECONDS).default(600),
    reason: choice(['required', 'optional']).default('optional'),
    for: grants.default('once'),
    'break-glass': flag().default(false),
  },
  'Write a section, for example prod-write: { reviewers: { group: platform }, within: 10m }.',
);

const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const sectionMend = 'Write rules by their names, for example approvals: { prod-write: { reviewers: { group: platform } } }.';

/** Reads `approvals`, whatever is wrong elsewhere. The result is meant only when there are no findings. */
export function readApprovals(written: unknown, findings: Findings): ApprovalRule[] {
  if (written === undefined) return [];
  if (!isSection(written)) {
    findings.add(['approvals'], 'value', `${kindOf(written)} stands where rules of approval belong`, sectionMend);
    return [];
  }
  return Object.entries(written).flatMap(([name, entry]) => {
    if (!nameForm.test(name))
      findings.add(
        ['approvals', name],
        'key',
        `${quoted(name)} is not the name of a rule`,
        'A name is up to 63 letters, digits and . _ - and begins with a letter or a digit.',
      );
    const read = findings.read(approvalSchema, entry, ['approvals', name]);
    return read === undefined ? [] : [ruleOf(name, read)];
  });
}

function ruleOf(name: string, read: z.infer<typeof approvalSchema>): ApprovalRule {
  const { group, groups, names } = read.reviewers;
  return {
    name,
    reviewers: { groups: [...new Set([...(group === undefined ? [] : [group]), ...groups])], names: [...new Set(names)] },
    needed: read.needed,
    withinSeconds: read.within,
    reasonRequired: read.reason === 'required',
    grants: read.for,
    breakGlass: read['break-glass'],
  };
}

/** Whether there is somebody who could decide by each rule. Works on the values as they were written. */
export function checkReviewers(root: Section, findings: Findings): void {
  if (!isSection(root.approvals)) return;
  const humans = listOf(root.humans).filter(isSection);
  const names = new Set(humans.map(({ name }) => name).filter((name) => typeof name === 'string'));
  const groups = new Set(humans.flatMap((human) => listOf(human.groups)).filter((group) => typeof group === 'string'));
  for (const [rule, entry] of Object.entries(root.approvals)) {
    const reviewers = partOf(entry, 'reviewers');
    if (!isSection(reviewers)) continue;
    const path = ['approvals', rule, 'reviewers'];
    const before = findings.all.length;
    const unknown = (place: readonly (string | number)[], name: unknown, known: ReadonlySet<string>, problem: string, mend: string) => {
      if (typeof name === 'string' && !known.has(name))
        findings.add([...path, ...place], 'value', `${problem} ${quoted(name)}`, () => didYouMean(name, known) ?? mend);
    };
    const noGroup = 'Add the group to the `groups` of a human, or remove it here.';
    unknown(['group'], reviewers.group, groups, 'no human is in a group', noGroup);
    for (const [at, group] of listOf(reviewers.groups).entries()) unknown(['groups', at], group, groups, 'no human is in a group', noGroup);
    for (const [at, name] of listOf(reviewers.names).entries())
      unknown(['names', at], name, names, 'no human is named', 'Add them to humans, or remove the name here.');
    if (findings.all.length > before) continue;
    const able = humans.filter((human) => mayDecide(human, reviewers)).length;
    if (able === 0) {
      findings.add(
        path,
        'value',
        'nobody could decide by this rule',
        'Name a human who is not disabled and has operator: [reviewer], or a group that one is in.',
      );
      continue;
    }
    const needed = partOf(entry, 'needed');
    if (typeof needed === 'number' && Number.isInteger(needed) && needed > able)
      findings.add(
        ['approvals', rule, 'needed'],
        'value',
        `${needed} reviewers are needed, and there ${able === 1 ? 'is one' : `are ${able}`}`,
        'Need fewer, or name more humans who have operator: [reviewer].',
      );
  }
}

function mayDecide(human: Section, { group, groups, names }: Section): boolean {
  if (human.disabled === true || !listOf(human.operator).includes('reviewer')) return false;
  const wanted = new Set<unknown>([group, ...listOf(groups)]);
  return new Set(listOf(names)).has(human.name) || listOf(human.groups).some((one) => wanted.has(one));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
