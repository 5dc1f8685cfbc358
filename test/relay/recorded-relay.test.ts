import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../contract/frame-codec.ts';
import type { SallyportError } from '../../gateway/base/errors.ts';
import type { ChannelRecording } from '../../gateway/recording/recorder.ts';
import { RecordedRelay } from '../../gateway/relay/recorded-relay.ts';
import { describeChannel, openRecorder } from '../recording/support.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

interface World {
  relay: RecordedRelay;
  log: string[];
  failures: SallyportError[];
}

function world(): World {
  const log: string[] = [];
  const failures: SallyportError[] = [];
  const relay = new RecordedRelay({ cork: () => void log.push('cork'), uncork: () => void log.push('uncork') }, (error) => {
    log.push('failed');
    failures.push(error);
  });
  return { relay, log, failures };
}

async function recording(durability: 'relaxed' | 'strict' = 'relaxed', channel = 0): Promise<ChannelRecording> {
  const recorder = await openRecorder(belongings.directory('relay'), {}, { durability });
  belongings.add(() => recorder.close());
  return recorder.openChannel(describeChannel({ channel }));
}

const frames = (text: string): Frame[] => [{ kind: 'data', at: 0, stream: 'o', bytes: Buffer.from(text) }];

/** The recording with a note of what is done to it, and syncs that end when the test says so. */
function watched(real: ChannelRecording, log: string[]): { recording: ChannelRecording; release: (failure?: Error) => void } {
  const syncs: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const recording = new Proxy(real, {
    get: (target, name) => {
      if (name === 'append') {
        return (added: readonly Frame[]) => {
          log.push(`append ${added.map((frame) => (frame.kind === 'data' ? Buffer.from(frame.bytes).toString() : frame.kind)).join('+')}`);
          target.append(added);
        };
      }
      if (name === 'sync') return () => new Promise<void>((resolve, reject) => syncs.push({ resolve, reject }));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return {
    recording,
    release: (failure) => {
      const sync = syncs.shift();
      if (failure === undefined) sync?.resolve();
      else sync?.reject(failure);
    },
  };
}

describe('the relay', () => {
  it('writes what one turn brought once, then delivers it in the order of arrival, across channels and directions', async () => {
    const { relay, log } = world();
    const one = watched(await recording(), log).recording;
    const two = watched(await recording(), log).recording;
    relay.pass(one, frames('a'), 1, () => log.push('a'));
    relay.follow(() => log.push('credit'));
    relay.pass(two, frames('b'), 1, () => log.push('b'));
    relay.pass(one, frames('c'), 1, () => log.push('c'));
    expect(log).toEqual([]);
    await turn();
    expect(log).toEqual(['append a+c', 'append b', 'cork', 'a', 'credit', 'b', 'c', 'uncork']);
    expect(relay.waitingBytes).toBe(0);
  });

  it('delivers nothing of a batch that could not be written, and nothing after it', async () => {
    const { relay, log, failures } = world();
    const good = await recording();
    const broken = await recording();
    await broken.finish();
    relay.pass(good, frames('a'), 1, () => log.push('a'));
    relay.pass(broken, frames('b'), 1, () => log.push('b'));
    relay.follow(() => log.push('credit'));
    await turn();
    relay.pass(good, frames('later'), 5, () => log.push('later'));
    relay.follow(() => log.push('later'));
    await turn();
    expect(log).toEqual(['failed']);
    expect(failures.map(({ code }) => code)).toEqual(['RECORDING_FAILED']);
    await relay.idle();
  });

  it('delivers only what is synced when durability is strict, and keeps the order of what came meanwhile', async () => {
    const { relay, log } = world();
    const { recording: strict, release } = watched(await recording('strict'), log);
    relay.pass(strict, frames('a'), 1, () => log.push('a'));
    await turn();
    relay.pass(strict, frames('b'), 2, () => log.push('b'));
    relay.follow(() => log.push('credit'), 9);
    await turn();
    expect(log).toEqual(['append a']);
    expect(relay.waitingBytes).toBe(12);
    release();
    await turn();
    expect(log).toEqual(['append a', 'cork', 'a', 'uncork', 'append b']);
    release();
    await turn();
    expect(log.slice(5)).toEqual(['cork', 'b', 'credit', 'uncork']);
    expect(relay.waitingBytes).toBe(0);
  });

  it('is not idle while what it answered within a delivery is being synced', async () => {
    const { relay, log } = world();
    const { recording: strict, release } = watched(await recording('strict'), log);
    relay.pass(strict, frames('question'), 1, () => relay.pass(strict, frames('answer'), 1, () => log.push('answer')));
    await turn();
    release();
    await turn();
    const idle = relay.idle().then(() => log.push('idle'));
    await turn();
    expect(log).not.toContain('idle');
    release();
    await idle;
    expect(log.slice(-3)).toEqual(['answer', 'uncork', 'idle']);
  });

  it('ends when a sync fails, with nothing delivered', async () => {
    const { relay, log, failures } = world();
    const { recording: strict, release } = watched(await recording('strict'), log);
    relay.pass(strict, frames('a'), 1, () => log.push('a'));
    await turn();
    const idle = relay.idle();
    release(new Error('EIO'));
    await idle;
    expect(failures.map(({ code }) => code)).toEqual(['RECORDING_FAILED']);
    expect(log).not.toContain('a');
  });

  for (const outcome of ['ends well', 'fails'] as const) {
    it(`is idle in the end when it was stopped during a sync that ${outcome}`, async () => {
      const { relay, log, failures } = world();
      const { recording: strict, release } = watched(await recording('strict'), log);
      relay.pass(strict, frames('a'), 1, () => log.push('a'));
      await turn();
      relay.stop();
      const idle = relay.idle();
      release(outcome === 'fails' ? new Error('EIO') : undefined);
      await idle;
      expect(log).toEqual(['append a']);
      expect(failures).toEqual([]);
    });
  }

  it('ends the session, not the process, when a side cannot take what is delivered', async () => {
    const { relay, log, failures } = world();
    const good = await recording();
    relay.pass(good, frames('a'), 1, () => {
      throw new Error('no room');
    });
    relay.pass(good, frames('b'), 1, () => log.push('b'));
    await turn();
    expect(failures.map(({ message }) => message)).toEqual(['no room']);
    expect(log).not.toContain('b');
    expect(log.filter((entry) => entry === 'uncork')).toHaveLength(1);
  });

  it('neither records nor delivers while it is held, says what the gateway itself says, and loses nothing', async () => {
    const { relay, log, failures } = world();
    const { recording: held } = watched(await recording(), log);
    relay.hold(true);
    relay.pass(held, frames('typed'), 5, () => log.push('deliver typed'));
    await turn();
    relay.interject(held, frames('paused by alice'), () => log.push('deliver notice'));
    await turn();
    expect(log).toEqual(['append paused by alice', 'cork', 'deliver notice', 'uncork']);
    relay.hold(false);
    await relay.idle();
    expect(log.slice(4)).toEqual(['append typed', 'cork', 'deliver typed', 'uncork']);
    expect(failures).toEqual([]);
  });
});
