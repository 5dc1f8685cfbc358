import type { SignOff } from '../../../contract/operations/reviews.ts';
import { printable } from '../../bundle-page/interface/printable.ts';
import { ago, utc } from '../design/format.ts';
import { Tell, type Tone } from '../design/labels.tsx';
import classes from './review.module.css';
import { shareWords } from './share-words.ts';

const signatures: Readonly<Record<SignOff['signature'], { words: string; tone: Tone; title: string }>> = {
  good: { words: '✓ signature good', tone: 'ok', title: 'Their key signed this word on everything that is recorded' },
  bad: { words: '✗ signature bad', tone: 'deny', title: 'The key did not sign this' },
  superseded: {
    words: '○ superseded',
    tone: 'ask',
    title: 'More was recorded, or something was erased, since: it was signed for what there was then',
  },
};

/** Who has signed a session off, the last word first. */
export function SignOffs({ signOffs }: { signOffs: readonly SignOff[] }) {
  if (signOffs.length === 0) return <p className="muted">Nobody has signed it off yet.</p>;
  return (
    <ol className={classes.signOffs}>
      {signOffs.toReversed().map(({ reviewer, verdict, reason, time, key, signature, watched }) => {
        const { words, tone, title } = signatures[signature];
        return (
          <li key={`${reviewer}${time}`}>
            <p className={classes.line}>
              <Tell tone={verdict === 'fine' ? 'ok' : 'ask'}>{verdict === 'fine' ? '✓ fine' : '! concern'}</Tell>
              <b>{reviewer}</b>
              <span className="faint" title={utc(time)}>
                {ago(time)}
              </span>
              <Tell tone={tone} title={`${title}. Key ${key}`}>
                {words}
              </Tell>
            </p>
            <p>“{printable(reason)}”</p>
            <p className="faint">had watched {shareWords(watched.nanos, watched.of)}</p>
          </li>
        );
      })}
    </ol>
  );
}
