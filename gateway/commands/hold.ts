import { type SessionScope, sessionScope } from '../../contract/record.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { findSession } from '../query/find-session.ts';
import { readSessionQuestion, type SessionWords } from '../query/session-question.ts';
import type { HoldRow } from '../store/holds-table.ts';
import { type DataOptions, withData } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { withGateway } from './with-gateway.ts';

export interface ScopeOptions extends DataOptions, SessionWords {
  session?: string;
}

export interface HoldOptions extends ScopeOptions {
  reason: string;
  json?: boolean;
}

export async function setHold(options: HoldOptions): Promise<number> {
  const scope = await readScope(options);
  const { hold, sessions } = await withGateway(options, 'hold.set', { scope, reason: options.reason });
  if (options.json === true) await print(jsonLine({ hold, scope, sessions }));
  else
    await print(
      `Hold ${hold} is set on ${printable(scopeInWords(scope))}: ${sessions} ${sessions === 1 ? 'session' : 'sessions'} so far.\n`,
    );
  return 0;
}

export async function clearHold(hold: string, options: HoldOptions): Promise<number> {
  await withGateway(options, 'hold.clear', { hold: await holdNamed(hold, options), reason: options.reason });
  if (options.json === true) await print(jsonLine({ hold, cleared: true }));
  else await print(`Hold ${printable(hold)} is cleared. What it held may expire from now on.\n`);
  return 0;
}

export async function listHolds(options: DataOptions & { all?: boolean; json?: boolean }): Promise<number> {
  return withData(options, async (database) => {
    const holds = await (options.all === true ? database.holds.all() : database.holds.inForce());
    if (options.json === true) for (const hold of holds) await print(jsonLine(hold));
    else if (holds.length === 0) await print(options.all === true ? 'No holds.\n' : 'No holds in force.\n');
    else for (const hold of holds) await print(holdText(hold));
    return 0;
  });
}

export function scopeInWords(scope: SessionScope): string {
  const { session, principal, onBehalfOf, target, protocol, state, text, from, to } = scope;
  const words = [
    session === undefined ? 'sessions' : `session ${session}`,
    ...(principal === undefined ? [] : [`of ${principal}`]),
    ...(onBehalfOf === undefined ? [] : [`on behalf of ${onBehalfOf}`]),
    ...(target === undefined ? [] : [`at ${target}`]),
    ...(protocol === undefined ? [] : [`over ${protocol}`]),
    ...(state === undefined ? [] : [`that are ${state}`]),
    ...(text === undefined ? [] : [`with the text ${JSON.stringify(text)}`]),
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(to === undefined ? [] : [`before ${to}`]),
  ];
  return words.join(' ');
}

function holdText(hold: HoldRow): string {
  const lines = [
    `${hold.id}  ${scopeInWords(hold.scope)}`,
    `  set ${hold.time} by ${hold.principal}: ${hold.reason}`,
    ...(hold.cleared === null ? [] : [`  cleared ${hold.cleared} by ${hold.clearedBy ?? ''}: ${hold.clearReason ?? ''}`]),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** A session is named by its id or the beginning of one, and has to be there; everything else may still come. */
async function readScope(options: ScopeOptions): Promise<SessionScope> {
  const { session } = options;
  const scope = {
    ...(session === undefined ? {} : { session: await withData(options, async (database) => (await findSession(database, session)).id) }),
    ...readSessionQuestion(options),
  };
  if (!sessionScope.safeParse(scope).success)
    throw new SallyportError('USAGE', 'It is not said what is to be held', {
      remedy: 'add --session, --principal, --target, --from or the like',
    });
  return scope;
}

/** A hold may be named by the beginning of its id too, where only one begins so. */
async function holdNamed(prefix: string, options: DataOptions): Promise<string> {
  const holds = await withData(options, (database) => database.holds.inForce());
  const found = holds.filter(({ id }) => id.startsWith(prefix.toLowerCase()));
  const [only] = found;
  if (only !== undefined && found.length === 1 && prefix !== '') return only.id;
  throw new SallyportError(
    'HOLD_NOT_FOUND',
    found.length > 1 ? `Several holds begin with ${prefix}` : `There is no hold ${printable(prefix)} in force`,
    { remedy: 'sallyport hold list shows their ids' },
  );
}
