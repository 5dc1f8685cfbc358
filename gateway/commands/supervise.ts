import type { OperationOutput } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { confirm } from './confirm.ts';
import { askOperator, type OperatorOptions } from './operator-client.ts';
import { jsonLine, print } from './output.ts';

export interface SuperviseOptions extends OperatorOptions {
  reason: string;
}

/** More sessions than may be live at once by the default limits are looked through for the beginning of an id. */
const PAGE = 1000;

export async function messageSession(session: string, words: readonly string[], options: OperatorOptions): Promise<number> {
  const id = await liveSessionNamed(session, options);
  const { shown } = await askOperator(options, 'session.message', { session: id, text: words.join(' ') });
  if (options.json === true) await print(jsonLine({ session: id, shown }));
  else
    await print(
      shown === 0 ? 'Recorded. Nothing at the other end could show it.\n' : `Shown on ${shown} ${shown === 1 ? 'channel' : 'channels'}.\n`,
    );
  return 0;
}

export async function pauseSession(session: string, options: SuperviseOptions): Promise<number> {
  const id = await liveSessionNamed(session, options);
  return showState(await askOperator(options, 'session.pause', { session: id, reason: options.reason }), options);
}

export async function resumeSession(session: string, options: SuperviseOptions): Promise<number> {
  const id = await liveSessionNamed(session, options);
  return showState(await askOperator(options, 'session.resume', { session: id, reason: options.reason }), options);
}

export async function stepSession(session: string, options: SuperviseOptions & { off?: boolean }): Promise<number> {
  const id = await liveSessionNamed(session, options);
  return showState(await askOperator(options, 'session.step', { session: id, on: options.off !== true, reason: options.reason }), options);
}

export async function terminateSession(session: string, options: SuperviseOptions & { yes?: boolean }): Promise<number> {
  const id = await liveSessionNamed(session, options);
  await confirm(`session ${id} ends`, options);
  await askOperator(options, 'session.terminate', { session: id, reason: options.reason });
  await print(
    options.json === true ? jsonLine({ session: id, terminated: true }) : `Session ${id} has ended, on both sides, and that is recorded.\n`,
  );
  return 0;
}

export async function lockPrincipal(principal: string, options: SuperviseOptions): Promise<number> {
  const { sessions } = await askOperator(options, 'lock.set', { principal, reason: options.reason });
  if (options.json === true) await print(jsonLine({ principal, locked: true, sessions }));
  else
    await print(
      `${printable(principal)} is locked: ${sessions} ${sessions === 1 ? 'session' : 'sessions'} ended, and new ones are refused.\n`,
    );
  return 0;
}

export async function unlockPrincipal(principal: string, options: SuperviseOptions): Promise<number> {
  await askOperator(options, 'lock.clear', { principal, reason: options.reason });
  await print(options.json === true ? jsonLine({ principal, locked: false }) : `${printable(principal)} is not locked any more.\n`);
  return 0;
}

export async function listLocks(options: OperatorOptions): Promise<number> {
  const { locks } = await askOperator(options, 'lock.list', {});
  if (options.json === true) for (const lock of locks) await print(jsonLine(lock));
  else if (locks.length === 0) await print('Nobody is locked.\n');
  else
    for (const { principal, reason, by, since } of locks) await print(`${printable(`${principal}  since ${since} by ${by}: ${reason}`)}\n`);
  return 0;
}

async function showState(state: OperationOutput<'session.pause'>, options: OperatorOptions): Promise<number> {
  const words = [state.paused ? 'paused' : 'running', ...(state.stepping ? ['each action waits for a reviewer'] : [])];
  await print(options.json === true ? jsonLine(state) : `Session ${state.session}: ${words.join(', ')}.\n`);
  return 0;
}

/** By its id, or the beginning of one where only one that runs begins so. */
export async function liveSessionNamed(name: string, options: OperatorOptions): Promise<string> {
  const prefix = name.toLowerCase();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(prefix)) return prefix;
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await askOperator(options, 'session.list', {
      limit: PAGE,
      state: 'live',
      detailed: false,
      offset: 0,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.sessions.map(({ id }) => id).filter((id) => id.startsWith(prefix)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  const [only] = found;
  if (only !== undefined && found.length === 1 && prefix !== '') return only;
  if (found.length > 1) {
    throw new SallyportError(
      'SESSION_AMBIGUOUS',
      `Several sessions that run begin with ${printable(name)}: ${found.slice(0, 5).join(', ')}`,
      {
        remedy: 'give more of the id',
      },
    );
  }
  throw new SallyportError('SESSION_NOT_FOUND', `No session that runs begins with ${printable(name)}`, {
    remedy: 'sallyport sessions --state live lists them',
  });
}
