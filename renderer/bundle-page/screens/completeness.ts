import type { BundlePage } from '../../../contract/bundle-page.ts';
import { counted, grouped } from '../interface/format.ts';

/** How complete the answer is, in sentences that an auditor can quote. */
export function completenessWords({ completeness, ledger, sessions }: BundlePage): string[] {
  const { first, last, range, included, elsewhere, leftOut } = completeness;
  const words = [
    range === 0
      ? 'The question covers no entry of the ledger.'
      : `The question covers the ledger entries ${grouped(first)} to ${grouped(last)}: ${counted(range, 'entry', 'entries')}. Every one of them was read to answer it.`,
    `${counted(sessions.length, 'session')} ${sessions.length === 1 ? 'answers' : 'answer'} it, and ${sessions.length === 1 ? 'is' : 'are'} in this bundle with ${counted(included, 'record')}.`,
  ];
  if (elsewhere > 0)
    words.push(
      `${counted(elsewhere, 'entry', 'entries')} of the range belong to sessions that were not asked for; of these the bundle has the hashes only.`,
    );
  if (ledger.erased.length > 0)
    words.push(
      `${counted(ledger.erased.length, 'record')} ${ledger.erased.length === 1 ? 'was' : 'were'} erased since; the ledger still has ${ledger.erased.length === 1 ? 'its hash' : 'their hashes'}.`,
    );
  words.push(
    leftOut.length === 0
      ? 'No session that answers the question was left out.'
      : `${counted(leftOut.length, 'session')} that ${leftOut.length === 1 ? 'answers' : 'answer'} the question ${leftOut.length === 1 ? 'was' : 'were'} left out; the reasons stand below.`,
  );
  return words;
}
