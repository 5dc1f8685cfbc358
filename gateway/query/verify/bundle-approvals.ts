import { createHash } from 'node:crypto';
import { ALLOWED_SIGNERS, AllowedSigners, decisionFiles, SIGNED } from '../bundle/approval-files.ts';
import type { BundleFiles } from './bundle-files.ts';
import type { DisclosedDecision } from './disclosed-decision.ts';
import { fault, type Report } from './finding.ts';

interface ExpectedFile {
  index: number;
  sha256: string;
}

/**
 * The files in which a bundle has the decisions of its records once more, for ssh-keygen: each as its record says, and
 * none besides. Memory: a digest for each.
 */
export class BundleApprovals {
  readonly #files: BundleFiles;
  readonly #report: Report;
  readonly #expected = new Map<string, ExpectedFile>();
  readonly #signers = new AllowedSigners();

  constructor(files: BundleFiles, report: Report) {
    this.#files = files;
    this.#report = report;
  }

  expect(decisions: readonly DisclosedDecision[]): void {
    for (const decision of decisions) {
      this.#signers.take(decision);
      for (const [path, content] of decisionFiles(decision))
        this.#expected.set(`data/${path}`, { index: decision.index, sha256: createHash('sha256').update(content, 'utf8').digest('hex') });
    }
  }

  async check(): Promise<void> {
    for (const [name, { index, sha256 }] of this.#expected) {
      const found = await this.#files.read(name);
      if (found !== undefined && createHash('sha256').update(found).digest('hex') !== sha256)
        this.#report(fault('altered', { index, file: name }, 'The file is not what the record of the decision says'));
    }
    for (const folder of Object.values(SIGNED))
      for (const name of this.#files.names(`data/${folder}`))
        if (!this.#expected.has(name)) this.#report(fault('added', { file: name }, 'No record of the bundle has this decision'));
    await this.#checkSigners();
  }

  async #checkSigners(): Promise<void> {
    const name = `data/${ALLOWED_SIGNERS}`;
    if (this.#expected.size === 0 && !this.#files.has(name)) return;
    const found = await this.#files.read(name);
    if (found !== undefined && found.toString('utf8') !== this.#signers.text)
      this.#report(fault('altered', { file: name }, 'The keys are not those that the reviewers signed with'));
  }
}
