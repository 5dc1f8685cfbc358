import { Modal } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useAsk } from '../client/queries.ts';
import { shortDateTime } from '../design/format.ts';
import { FaultState, LoadingState } from '../design/states.tsx';
import classes from './approvals.module.css';
import { webSha256 } from './check-request.ts';

/** The policy that decided, whole, at the place that decided. Its SHA-256 is what the request names it by. */
export function PolicyDialog({ policySet, policies, onClose }: { policySet: string; policies: readonly string[]; onClose: () => void }) {
  const { data, error, refetch } = useAsk('policy.text', { policySet }, { staleMillis: Number.POSITIVE_INFINITY });
  const [same, setSame] = useState<boolean>();
  const place = useRef<HTMLSpanElement>(null);
  const text = data?.text;
  useEffect(() => {
    if (text === undefined) return;
    void webSha256(text).then((digest) => setSame(digest === policySet));
    place.current?.scrollIntoView({ block: 'center' });
  }, [text, policySet]);
  return (
    <Modal opened onClose={onClose} title="Policy that decided" size="xl">
      {error !== null ? (
        <FaultState problem={error} retry={() => void refetch()} />
      ) : data === undefined ? (
        <LoadingState what="Loading the policy" />
      ) : (
        <div className={classes.policy}>
          <p className="muted">
            In force since {shortDateTime(data.since)}
            {data.current ? '' : ', and not any more'} ·{' '}
            {policies.length === 0 ? 'no policy of it: an operator steps' : policies.join(', ')}
          </p>
          {same === false && (
            <p role="alert" className={classes.alarm}>
              This text is not the one that the request names: its SHA-256 is another one.
            </p>
          )}
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is longer than its place, and scrolled by keys */}
          <pre className={classes.policyText} tabIndex={0} role="group" aria-label="Text of the policy">
            {partsOf(data.text, policies).map(({ text: part, deciding }) =>
              deciding ? (
                <mark key={part} ref={place}>
                  {part}
                </mark>
              ) : (
                part
              ),
            )}
          </pre>
          <p className="faint mono">{policySet}</p>
        </div>
      )}
    </Modal>
  );
}

/** The statements that decided, by their annotation `@id("…")`, and what stands around them. */
function partsOf(text: string, policies: readonly string[]): { text: string; deciding: boolean }[] {
  const parts: { text: string; deciding: boolean }[] = [];
  for (const statement of text.split(/(?<=;[^\S\n]*\n)/)) {
    const deciding = policies.some((policy) => statement.includes(`@id("${policy}")`));
    const last = parts.at(-1);
    if (last !== undefined && last.deciding === deciding) last.text += statement;
    else parts.push({ text: statement, deciding });
  }
  return parts;
}
