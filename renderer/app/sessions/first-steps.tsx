import { useAsk } from '../client/queries.ts';
import { EmptyState } from '../design/states.tsx';

/** An empty gateway is not a blank page: it says how the first session comes about. */
export function FirstSteps() {
  const { data } = useAsk('gateway.status', {});
  const ssh = data?.listeners.find(({ protocol }) => protocol === 'ssh')?.address;
  const [host = 'HOST', port = '2222'] = ssh?.split(/:(?=\d+$)/) ?? [];
  return (
    <EmptyState title="Nothing is recorded yet">
      <p>
        {ssh === undefined ? 'The gateway listens for no SSH at the moment.' : `The gateway listens for SSH on ${ssh}.`} The first session
        appears here as soon as somebody connects through it:
      </p>
      <p className="mono">
        ssh -p {port} TARGET@{host}
      </p>
      <p className="muted">TARGET is the name of a target in the configuration; who may reach it stands in the policy.</p>
    </EmptyState>
  );
}
