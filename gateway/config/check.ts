import type { z } from 'zod';
import type { ApprovalRule } from '../approval/approval-rule.ts';
import { readApprovals } from './approvals.ts';
import { checkCredentialReferences } from './check-credentials.ts';
import { quoted } from './fault.ts';
import { didYouMean, type Findings } from './findings.ts';
import { type PolicyFile, readPolicyFile } from './policy-file.ts';
import { checkReferences, type Surroundings } from './references.ts';
import { agentSchema, humanSchema, rootSchema } from './schema.ts';
import { announcedKinds, exampleTargetMend, kindMend, type ReadTarget, servedKinds, targetSchemas } from './target-schema.ts';
import { isSection, kindOf, partOf, type Section } from './values.ts';

/** What a file without a fault says, in the words of the file. */
export interface ReadConfig {
  readonly root: z.infer<typeof rootSchema>;
  readonly humans: readonly z.infer<typeof humanSchema>[];
  readonly agents: readonly z.infer<typeof agentSchema>[];
  readonly targets: readonly ReadTarget[];
  readonly policy: PolicyFile | undefined;
  readonly approvals: readonly ApprovalRule[];
}

/** Checks all of it, whatever is wrong elsewhere. The result is meant only when there are no findings. */
export function checkConfig(written: unknown, findings: Findings, surroundings: Surroundings): ReadConfig | undefined {
  const root = findings.read(rootSchema, written, []);
  if (!isSection(written)) return undefined;
  const humans = entries(written, 'humans', (entry, index) => findings.read(humanSchema, entry, ['humans', index]));
  const agents = entries(written, 'agents', (entry, index) => findings.read(agentSchema, entry, ['agents', index]));
  const targets = entries(written, 'targets', (entry, index) => readTarget(entry, index, findings));
  const approvals = readApprovals(written.approvals, findings);
  const policy = readPolicyFile(written.policy, surroundings.directory, findings);
  checkAvailable(written, findings);
  if (root !== undefined && root.recording.backlog < 2 * root.recording.segment) {
    findings.add(
      ['recording', 'backlog'],
      'value',
      'the backlog has no room for two segments',
      'Make `backlog` at least twice as large as `segment`.',
    );
  }
  checkReferences(written, findings, surroundings);
  checkCredentialReferences(written, findings, surroundings.directory);
  return root === undefined ? undefined : { root, humans, agents, targets, policy, approvals };
}

function entries<T>(sections: Section, name: string, read: (entry: unknown, index: number) => T | undefined): T[] {
  const list = sections[name];
  return Array.isArray(list) ? list.map(read).filter((entry) => entry !== undefined) : [];
}

function readTarget(entry: unknown, index: number, findings: Findings): ReadTarget | undefined {
  const path = ['targets', index];
  if (!isSection(entry)) {
    findings.add(path, 'value', `${kindOf(entry)} stands where a target belongs`, exampleTargetMend);
    return undefined;
  }
  const { kind } = entry;
  if (kind === 'ssh') return findings.read(targetSchemas.ssh, entry, path);
  if (kind === 'shell') return findings.read(targetSchemas.shell, entry, path);
  const announced = announcedKinds.find((known) => known === kind);
  if (announced !== undefined) {
    findings.add(
      [...path, 'kind'],
      'value',
      `targets of kind ${announced} are not available in this version`,
      `Remove the target; the kinds are ${servedKinds.join(' and ')}.`,
    );
    findings.read<object>(targetSchemas[announced], entry, path);
    if (announced === 'mcp' && 'command' in entry === 'url' in entry) {
      findings.add(path, 'value', 'an MCP server has either a command or a url', 'Give one of them.');
    }
    return undefined;
  }
  if (kind === undefined) findings.add([...path, 'kind'], 'value', '"kind" is missing', kindMend);
  else if (typeof kind === 'string')
    findings.add([...path, 'kind'], 'value', `${quoted(kind)} is no kind of target`, () => didYouMean(kind, servedKinds) ?? kindMend);
  else findings.add([...path, 'kind'], 'value', `${kindOf(kind)} stands where the kind of the target belongs`, kindMend);
  return undefined;
}

/** What the design has and this version does not. Passing over it in silence would promise something. */
function checkAvailable(sections: Section, findings: Findings): void {
  const listen = partOf(sections.gateway, 'listen');
  if (!isSection(listen)) return;
  for (const protocol of ['postgres', 'mysql']) {
    if (protocol in listen)
      findings.add(['gateway', 'listen', protocol], 'key', `listening for ${protocol} is not available in this version`, 'Remove it.');
  }
  if (!('ssh' in listen))
    findings.add(
      ['gateway', 'listen'],
      'value',
      'there is nothing to listen on',
      'Add ssh, for example listen: { ssh: "127.0.0.1:2222" }.',
    );
  if (partOf(sections.gateway, 'certificate') !== undefined && !('https' in listen))
    findings.add(
      ['gateway', 'certificate'],
      'key',
      'there is a certificate, and nothing listens for https',
      'Add https to `listen`, for example https: "127.0.0.1:7443", or remove the certificate.',
    );
}
