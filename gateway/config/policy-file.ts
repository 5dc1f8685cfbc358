import { resolve } from 'node:path';
import { asSallyportError } from '../base/errors.ts';
import { MAX_POLICY_BYTES } from '../policy/cedar/read-policies.ts';
import { quoted } from './fault.ts';
import { readConfigFile } from './file.ts';
import type { Findings } from './findings.ts';
import { filePath } from './leaves.ts';
import { isSection, type Section } from './values.ts';

/** The policy file as it was read, once: what was checked is what decides. */
export interface PolicyFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

const pathSchema = filePath('Name the file of policies, for example policy: policy.cedar.');

/** Reads the file that `policy` names. Whether it is Cedar is found out later: that needs the library, which takes a while to load. */
export function readPolicyFile(written: unknown, directory: string, findings: Findings): PolicyFile | undefined {
  if (written === undefined) return undefined;
  const named = findings.read(pathSchema, written, ['policy']);
  if (named === undefined) return undefined;
  const path = resolve(directory, named);
  try {
    const { bytes, writableByAnybody } = readConfigFile(path);
    if (writableByAnybody)
      findings.add(
        ['policy'],
        'value',
        `everybody may change ${quoted(named)}, and so decide what is allowed`,
        `Run: chmod o-w ${quoted(named)}`,
      );
    if (bytes.length > MAX_POLICY_BYTES) {
      findings.add(
        ['policy'],
        'value',
        `${quoted(named)} has ${bytes.length} bytes, and a policy file has at most ${MAX_POLICY_BYTES}`,
        'Say it with groups, environments and tags instead of one policy each.',
      );
      return undefined;
    }
    return { path, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (thrown) {
    if (thrown instanceof TypeError) findings.add(['policy'], 'value', `${quoted(named)} is not UTF-8`, 'Save it as UTF-8 text.');
    else {
      const { message, remedy } = asSallyportError(thrown);
      const words = message.startsWith(path) ? `${quoted(named)}${message.slice(path.length)}` : message;
      findings.add(['policy'], 'value', words, remedy ?? 'Correct the path, which is relative to the configuration file.');
    }
    return undefined;
  }
}

/** One place decides: what a target says of its own would be passed over in silence. */
export function checkOnePlaceDecides(root: Section, findings: Findings): void {
  if (root.policy === undefined || !Array.isArray(root.targets)) return;
  for (const [index, target] of root.targets.entries()) {
    if (!isSection(target)) continue;
    for (const key of ['allow', 'forwarding'])
      if (key in target)
        findings.add(
          ['targets', index, key],
          'key',
          `"${key}" says nothing where a policy file decides`,
          'Remove it, and write a policy instead.',
        );
  }
}
