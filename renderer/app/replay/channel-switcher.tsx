import type { OperationOutput } from '../../../contract/operator-api.ts';
import { printable } from '../../bundle-page/interface/printable.ts';
import classes from './replay.module.css';

export type Channel = OperationOutput<'session.show'>['channels'][number];

/** Which of a session's channels is shown. One alone needs no choosing. */
export function ChannelSwitcher({
  channels,
  current,
  choose,
}: {
  channels: readonly Channel[];
  current: number;
  choose: (channel: number) => void;
}) {
  if (channels.length < 2) return undefined;
  return (
    <nav className={classes.channels} aria-label="Channels">
      {channels.map((channel) => (
        <button
          key={channel.channel}
          type="button"
          aria-current={channel.channel === current ? 'true' : undefined}
          title={printable(wordsOf(channel))}
          onClick={() => choose(channel.channel)}
        >
          <span className="faint">{channel.channel}</span> {kindOf(channel)}
          {commandOf(channel) !== undefined && <span className="mono"> {printable(commandOf(channel) ?? '')}</span>}
          {channel.exit?.status !== undefined && channel.exit.status !== 0 && (
            <span className={classes.exit}> exit {channel.exit.status}</span>
          )}
        </button>
      ))}
    </nav>
  );
}

/** What a channel was for, for people. */
export function kindOf({ kind, detail }: Pick<Channel, 'kind' | 'detail'>): string {
  if (typeof detail.subsystem === 'string') return detail.subsystem;
  return { exec: 'command', 'direct-tcpip': 'connection', 'forwarded-tcpip': 'connection' }[kind] ?? kind;
}

export function commandOf({ detail }: Pick<Channel, 'detail'>): string | undefined {
  return typeof detail.command === 'string' ? detail.command : undefined;
}

function wordsOf(channel: Channel): string {
  return `Channel ${channel.channel}, ${kindOf(channel)} ${commandOf(channel) ?? ''}`;
}
