import { expect, it } from 'vitest';
import { Turnstile } from '../../gateway/operator-api/turnstile.ts';

/** Work that ends when it is told to. */
function asker(turnstile: Turnstile) {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const ask = (who: string | undefined, what = who ?? 'a stranger'): Promise<unknown> =>
    turnstile.pass(() => {
      begun.push(what);
      return new Promise<void>((resolve) => ends.push(resolve));
    }, who);
  const endOne = async (): Promise<void> => {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, ask, endOne };
}

it('lets whoever asks for one thing through beside whoever asks for hundreds', async () => {
  const { begun, ask, endOne } = asker(new Turnstile(2));
  const crowd = Array.from({ length: 100 }, (_, at) => ask('mallory', `mallory ${at}`));
  const one = ask('alice');
  const other = [ask('bob', 'bob 0'), ask('bob', 'bob 1')];
  for (let end = 0; end < 5; end += 1) await endOne();
  expect(begun).toEqual(['mallory 0', 'mallory 1', 'mallory 2', 'alice', 'bob 0', 'mallory 3', 'bob 1']);
  for (let end = 0; end < 120; end += 1) await endOne();
  await Promise.all([...crowd, one, ...other]);
  expect(begun.filter((each) => each.startsWith('mallory'))).toEqual(crowd.map((_, at) => `mallory ${at}`));
});

it('keeps a bounded number of questions of one operator waiting, and has room for others', async () => {
  const { ask, endOne, begun } = asker(new Turnstile(1));
  const answers = Array.from({ length: 200 }, () =>
    ask('mallory').then(
      () => 'done',
      (thrown: unknown) => thrown,
    ),
  );
  for (const refused of await Promise.all(answers.slice(129)))
    expect(refused).toMatchObject({ code: 'CONFLICT', status: 429, message: expect.stringContaining('of mallory wait') });
  const strangers = Array.from({ length: 300 }, () => ask(undefined));
  const alice = ask('alice');
  for (let end = 0; end < 440; end += 1) await endOne();
  await Promise.all([alice, ...strangers]);
  expect(begun.filter((each) => each === 'mallory')).toHaveLength(129);
  expect(await Promise.all(answers.slice(0, 129))).toEqual(Array.from({ length: 129 }, () => 'done'));
});

it('is free again after work that fails', async () => {
  const turnstile = new Turnstile(1);
  const failing = Array.from({ length: 3 }, () => turnstile.pass(() => Promise.reject(new Error('no')), 'alice'));
  for (const each of failing) await expect(each).rejects.toThrow('no');
  expect(await turnstile.pass(() => Promise.resolve('yes'), 'bob')).toBe('yes');
});
