import type { Database } from '../../store/database.ts';
import { readReview } from '../review/signed-review.ts';
import { ApprovalChecks } from '../verify/approval-checks.ts';
import { DisclosedSignOffs } from '../verify/disclosed-decision.ts';
import { ReviewerKeys } from '../verify/reviewer-keys.ts';
import { ALLOWED_SIGNERS, AllowedSigners, decisionFiles } from './approval-files.ts';
import type { BagWriter } from './bag-writer.ts';
import { disclosedRecords, parseDisclosed } from './disclosed-records.ts';
import type { Selection } from './selection.ts';

/** In canonical JSON the type is the last member, so that the many records of other types need not be read. */
const ABOUT_APPROVALS = /"type":"(approval\.\w+|grant\.used|review\.signed|session\.close|session\.recovered|session\.reviewed)"}$/;
const TAIL_BYTES = 48;

/**
 * approvals/, reviews/ and the keys of the reviewers: each decision and sign-off that the records of the bundle have, as it was signed. Nothing
 * where there is none. What does not fit together is said by whoever verifies the bundle. Gives the number of decisions.
 */
export async function writeApprovals(bag: BagWriter, database: Database, selection: Selection, origin: string): Promise<number> {
  const report = (): void => undefined;
  const checks = new ApprovalChecks(report, { origin, part: true, keys: new ReviewerKeys(report) });
  const signOffs = new DisclosedSignOffs();
  const signers = new AllowedSigners();
  let written = 0;
  for await (const { index, bytes } of disclosedRecords(database, selection)) {
    if (bytes === undefined || !ABOUT_APPROVALS.test(bytes.subarray(-TAIL_BYTES).toString('latin1'))) continue;
    const record = parseDisclosed(index, bytes);
    if (record === undefined) continue;
    checks.take(index, record);
    const signOff = record.type === 'session.reviewed' ? signOffs.take(index, record, readReview(origin, record)) : undefined;
    for (const decision of [...checks.decisions.splice(0), ...(signOff === undefined ? [] : [signOff])]) {
      signers.take(decision);
      for (const [path, content] of decisionFiles(decision)) await bag.addText(path, content);
      written += 1;
    }
  }
  if (written > 0) await bag.addText(ALLOWED_SIGNERS, signers.text);
  return written;
}
