import { canonicalText } from '../../contract/canonical.ts';
import type { Approval, OperationOutput } from '../../contract/operator-api.ts';
import { type ReviewStatement, type SignedStatement, statementText } from '../../contract/signed-statements.ts';
import { DesktopError } from '../base/desktop-error.ts';
import { askOperation } from '../gateway/operations-client.ts';
import type { SigningKey } from '../keep/signing-key.ts';
import type { GatewayInUse, LoggedInGateway } from './gateway-in-use.ts';

/** A question that the system's own dialog puts to the person. */
export interface Confirmation {
  readonly title: string;
  readonly detail: string;
  readonly yes: string;
}

export interface StatementSignerParts {
  readonly inUse: GatewayInUse;
  readonly key: SigningKey;
  readonly confirm: (question: Confirmation) => Promise<boolean>;
  /** Whether the person wants to be asked before each approval and sign-off. */
  readonly asks: () => boolean;
}

type Who = OperationOutput<'whoami'>;

/** A person reads no more than this in a dialog; what is longer is said to be so. */
const LONGEST_SHOWN = 1500;

/**
 * Signs what the page hands over, on its own terms. The page may have been taken over: so the text is made here, the
 * statement has to be for the gateway in use and from whoever is logged in there, a request has to be the one that the
 * gateway shows this process as well, and what lets something pass is confirmed outside of the page. Throws GATEWAY_MISMATCH,
 * NOT_CONFIRMED, and what the gateway answers.
 */
export async function signStatement(
  statement: SignedStatement,
  { inUse, key, confirm, asks }: StatementSignerParts,
): Promise<{ readonly key: string; readonly signature: string }> {
  const there = inUse.reachLoggedIn();
  const { operator, login } = await whoIsThere(statement.origin, there, inUse);
  switch (statement.kind) {
    case 'approval': {
      requireSame('reviewer', statement.decision.reviewer, operator);
      const shown = await askOperation(there.client, 'approval.show', { approval: statement.request.id }, there.logIn);
      requireShown(statement.request, shown);
      if (statement.decision.verdict === 'approve' && asks())
        await requireYes(confirm, approvalQuestion(shown.request, there.gateway.name));
      break;
    }
    case 'review':
      requireSame('reviewer', statement.review.reviewer, operator);
      if (statement.review.verdict === 'fine' && asks()) await requireYes(confirm, reviewQuestion(statement.review));
      break;
    case 'key':
      requireSame('operator', statement.operator, operator);
      requireSame('log-in', statement.login, login);
      requireSame('key', statement.key, (await key.info())?.line ?? '');
      await requireYes(confirm, {
        title: `Register the key of this device for ${operator}?`,
        detail: `From then on what this device signs counts as yours at ${there.gateway.name} (${there.gateway.origin}).`,
        yes: 'Register',
      });
      break;
  }
  const { namespace, text } = statementText(statement);
  return key.sign(text, namespace);
}

/** Who is logged in, by the gateway's own word. That no two known gateways have the same ledger is `learnLedger`'s. */
async function whoIsThere(origin: string, { gateway, client, logIn }: LoggedInGateway, inUse: GatewayInUse): Promise<Who> {
  const who = await askOperation(client, 'whoami', {}, logIn);
  await inUse.known.learnLedger(gateway.id, who.origin);
  if (origin === who.origin) return who;
  throw new DesktopError(
    'GATEWAY_MISMATCH',
    `what is to be signed is for ${JSON.stringify(origin)}, and the gateway in use is ${who.origin}`,
    {
      remedy: 'nothing was signed; switch to the gateway that asked',
    },
  );
}

function requireSame(what: string, signed: string, ours: string): void {
  if (signed !== ours)
    throw new DesktopError(
      'REQUEST_INVALID',
      `what is to be signed has the ${what} ${JSON.stringify(signed)}, and here it is ${JSON.stringify(ours)}`,
      {
        remedy: 'nothing was signed',
      },
    );
}

function requireShown(request: Approval['request'], { request: shown }: Approval): void {
  if (canonicalOrNone(request) === canonicalText(shown)) return;
  throw new DesktopError('CONFLICT', 'the request that is to be decided is not the one that the gateway shows', {
    remedy: 'nothing was signed; look at the request once more',
  });
}

function canonicalOrNone(request: Approval['request']): string | undefined {
  try {
    return canonicalText(request);
  } catch (thrown) {
    if (thrown instanceof TypeError) return undefined; // No gateway shows one that has no such form.
    throw thrown;
  }
}

async function requireYes(confirm: StatementSignerParts['confirm'], question: Confirmation): Promise<void> {
  if (!(await confirm(question))) throw new DesktopError('NOT_CONFIRMED', 'you said no, and nothing was signed');
}

export function approvalQuestion(
  { principal, onBehalfOf, target, action, facts, rule }: Approval['request'],
  gateway: string,
): Confirmation {
  const forWhom = onBehalfOf === undefined ? '' : ` on behalf of ${visible(onBehalfOf)}`;
  const exact = Object.entries(facts).map(
    ([name, value]) => `${visible(name)}: ${visible(typeof value === 'string' ? value : JSON.stringify(value))}`,
  );
  const whole = exact.join('\n');
  const rest = whole.length - LONGEST_SHOWN;
  return {
    title: `Approve ${action} on ${visible(target.name)}?`,
    detail: [
      `${visible(principal)}${forWhom}, by the rule ${visible(rule)}, at ${visible(gateway)}.`,
      rest > 0 ? `${whole.slice(0, LONGEST_SHOWN)}\n… and ${rest} more characters, which the window shows.` : whole,
    ].join('\n\n'),
    yes: 'Approve',
  };
}

function reviewQuestion({ session, reason }: ReviewStatement): Confirmation {
  const said = reason === '' ? '' : `\n\n${visible(reason).slice(0, LONGEST_SHOWN)}`;
  return { title: 'Sign off a session as fine?', detail: `The session ${visible(session)}.${said}`, yes: 'Sign off' };
}

/** A dialog shows text as it is: what would turn it around, hide or add lines becomes visible. */
function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`);
}
