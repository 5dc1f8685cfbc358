import type { BundleCompleteness } from '../../../contract/bundle-page.ts';
import type { SessionRow } from '../../../contract/session.ts';
import type { Disclosed } from './write-records.ts';

/** What a reader has to know before relying on a bundle, in sentences. */
export function bundleNotes(facts: {
  sessions: readonly SessionRow[];
  completeness: BundleCompleteness;
  disclosed: Disclosed;
  damage: readonly string[];
  unrecorded: string | undefined;
  unsigned: boolean;
}): string[] {
  const { sessions, completeness, disclosed, damage } = facts;
  const live = sessions.filter(({ state }) => state === 'live');
  const erased = completeness.leftOut.filter(({ reason }) => reason.startsWith('erased'));
  const keptBack = completeness.leftOut.length - erased.length;
  return [
    ...(facts.unsigned
      ? [
          'Nobody signed how this bundle was put together: the key of the ledger could not be used. Its records are proved by the ledger all the same; its transcripts and pages are not.',
        ]
      : []),
    ...(facts.unrecorded === undefined ? [] : [`This export could not be recorded in the ledger: ${facts.unrecorded}`]),
    ...(live.length === 0
      ? []
      : [`${plural(live.length, 'session was', 'sessions were')} still running: what was sealed by then is included.`]),
    ...(keptBack === 0
      ? []
      : [
          `${plural(keptBack, 'session that answers', 'sessions that answer')} the question ${keptBack === 1 ? 'was' : 'were'} left out by whoever exported this bundle.`,
        ]),
    ...(erased.length === 0
      ? []
      : [
          `${plural(erased.length, 'session was', 'sessions were')} erased before: the ledger still proves that ${erased.length === 1 ? 'it was' : 'they were'} there.`,
        ]),
    ...(disclosed.erased.length === 0
      ? []
      : [`Of ${plural(disclosed.erased.length, 'erased record', 'erased records')} only the hash is left.`]),
    ...(damage.length === 0
      ? []
      : [
          `${plural(damage.length, 'part', 'parts')} of the recordings could not be included, because the files are damaged: ${damage.slice(0, 20).join('; ')}${damage.length > 20 ? '; …' : ''}`,
        ]),
  ];
}

function plural(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}
