import type { BundlePage } from '../../../contract/bundle-page.ts';
import { counted, grouped } from '../interface/format.ts';

/** How complete the answer is, in sentences that an auditor can quote. */
export function completenessWords({ completeness, ledger, sessions }: BundlePage): string[] {
  const { first, last, range, included, elsewhere, leftOut } = completeness;
  const listed = new Set(sessions.map(({ id }) => id));
  const emptied = leftOut.filter(({ session }) => listed.has(session)).length;
  const away = leftOut.length - emptied;
  const gone = ledger.erased.length;
  const [answer, are] = sessions.length === 1 ? ['answers', 'is'] : ['answer', 'are'];
  const words = [
    range === 0
      ? 'The question covers no entry of the ledger.'
      : `The question covers the ledger entries ${grouped(first)} to ${grouped(last)}: ${counted(range, 'entry', 'entries')}. Every one of them was read to answer it.`,
    `${counted(sessions.length, 'session')} ${answer} it, and ${are} in this bundle with ${counted(included, 'record')}.`,
  ];
  if (elsewhere > 0)
    words.push(
      `${counted(elsewhere, 'entry', 'entries')} of the range belong to sessions that were not asked for; of these the bundle has the hashes only.`,
    );
  if (gone > 0)
    words.push(
      `${counted(gone, 'record')} of the range ${gone === 1 ? 'was' : 'were'} erased; the ledger still has ${gone === 1 ? 'its hash' : 'the hashes'}.`,
    );
  if (emptied > 0)
    words.push(
      `Of ${counted(emptied, 'session')} among them the content was erased; what remains is that ${emptied === 1 ? 'it' : 'they'} took place.`,
    );
  words.push(
    away === 0
      ? 'No session that answers the question was left out.'
      : `${counted(away, 'session')} that ${away === 1 ? 'answers' : 'answer'} the question ${away === 1 ? 'was' : 'were'} left out; the reasons stand below.`,
  );
  return words;
}
