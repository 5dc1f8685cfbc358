import type { LiveView } from './live-view.ts';
import type { WatchedChannel } from './watched-channel.ts';

export interface ViewWords {
  readonly tone: 'plain' | 'ask' | 'deny';
  readonly words: string;
  /** What is on the screen is not what is at the moment. */
  readonly stale: boolean;
  readonly retry?: true;
}

/** What has to be said of a screen that is watched, the weightiest first; undefined when it simply is as it is. */
export function describeView(
  { state, why }: Pick<LiveView, 'state' | 'why'>,
  channel: Pick<WatchedChannel, 'state' | 'why' | 'partial' | 'leftOut' | 'hasTerminal' | 'open'> | undefined,
): ViewWords | undefined {
  switch (state) {
    case 'joining':
      return { tone: 'plain', words: 'Joining…', stale: false };
    case 'lost':
      return { tone: 'deny', words: 'Not connected. What you see is how it stood then; it is tried again.', stale: true, retry: true };
    case 'full':
      return { tone: 'ask', words: `Not watched: ${why || 'too many are watching already'}. It is tried again.`, stale: true, retry: true };
    case 'refused':
      return { tone: 'deny', words: `Not watched any more: ${why || 'the gateway refused it'}`, stale: true };
    case 'ended':
      return { tone: 'plain', words: `Ended: ${why}`, stale: true };
    default:
      return describeChannel(channel);
  }
}

function describeChannel(channel: Parameters<typeof describeView>[1]): ViewWords | undefined {
  if (channel === undefined) return { tone: 'plain', words: 'Nothing is open in this session at the moment.', stale: false };
  if (channel.state === 'none') return { tone: 'ask', words: `There is no screen of it: ${channel.why}`, stale: true };
  if (channel.state === 'waiting') return { tone: 'plain', words: 'Waiting for its screen…', stale: false };
  if (channel.state === 'behind')
    return { tone: 'ask', words: 'Catching up: it wrote faster than it could be shown. The present screen is on its way.', stale: true };
  if (!channel.open) return { tone: 'plain', words: 'This channel is closed. What you see is how it ended.', stale: true };
  if (channel.partial)
    return {
      tone: 'ask',
      words: channel.hasTerminal
        ? 'Joined in the middle of a long recording: the screen may lack what was drawn before.'
        : `${channel.leftOut > 0 ? 'Some of what it wrote' : 'What it wrote before'} is missing here. Its replay has all of it.`,
      stale: false,
    };
  return undefined;
}

export interface LagWords {
  readonly words: string;
  readonly tone: 'plain' | 'ask';
}

/** How long the newest output was on its way, by two clocks. Milliseconds; a clock that is ahead makes it negative. */
export function describeLag(lag: number | undefined): LagWords {
  if (lag === undefined) return { words: 'no output yet', tone: 'plain' };
  if (lag < -300) return { words: `clocks differ by ${(-lag / 1000).toFixed(1)} s`, tone: 'ask' };
  if (lag < 100) return { words: 'delay under 0.1 s', tone: 'plain' };
  const seconds = lag / 1000;
  return { words: `delay ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`, tone: seconds >= 2 ? 'ask' : 'plain' };
}

/** `0:04 ago`, from a time of the gateway's clock to now. Milliseconds. */
export function sinceOutput(last: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - last) / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const two = (value: number) => String(value).padStart(2, '0');
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)} ago`;
}
