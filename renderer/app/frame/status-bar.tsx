import { Link } from 'wouter';
import { useConnection, useEvents } from '../client/event-context.tsx';
import { useHasAnyRole } from '../client/operator-context.tsx';
import { useAsk } from '../client/queries.ts';
import { ago, number } from '../design/format.ts';
import type { Judgement } from '../evidence/ledger-memory.ts';
import { useConsistency } from '../evidence/use-consistency.ts';
import { routes } from '../routes.ts';
import classes from './frame.module.css';

/** How the evidence stands, always in sight. */
export function StatusBar() {
  const connection = useConnection();
  const events = useEvents();
  const { data } = useAsk('evidence.status', {}, { enabled: useHasAnyRole(), refetchMillis: 30_000 });
  const { judgement } = useConsistency(data);
  const verification = data?.verification;
  const tone = verification?.ok === false ? 'deny' : verification?.ok === true ? 'ok' : undefined;
  return (
    <footer className={classes.foot}>
      {connection === 'lost' && (
        <button type="button" className={classes.pill} onClick={() => events.retry()}>
          <span className={classes.dot} data-tone="deny" /> Not connected: what you see may be old. Try now
        </button>
      )}
      <Link href={routes.evidence}>
        <span className={classes.dot} data-tone={tone} />
        {data === undefined
          ? 'Ledger'
          : verification?.ok === true && verification.ended !== null
            ? `Ledger verified to #${number(verification.size)}, ${ago(verification.ended)}`
            : verification?.ok === false
              ? `Verification failed: ${number(verification.faultCount)} found`
              : `Ledger has ${number(data.size)} records, not verified since the gateway started`}
      </Link>
      {data?.signed != null && <span>checkpoint signed {ago(data.signed)}</span>}
      <Seen judgement={judgement} />
      <span style={{ marginLeft: 'auto' }}>{data !== undefined && `${number(data.recovered)} recovered · ${number(data.held)} held`}</span>
    </footer>
  );
}

/** Whether the ledger is still the one that this device has seen: wherever one is in the app, the contrary is not to be overlooked. */
function Seen({ judgement }: { judgement: Judgement | undefined }) {
  if (judgement?.state === 'consistent') return <span title={judgement.words}>consistent with what was seen here before</span>;
  if (judgement?.state !== 'contradiction') return undefined;
  return (
    <Link href={routes.evidence} role="alert">
      <span className={classes.dot} data-tone="deny" /> This ledger is not the one that was seen here before
    </Link>
  );
}
