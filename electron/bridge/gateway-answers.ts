import { z } from 'zod';
import { DesktopError } from '../base/desktop-error.ts';
import { addressOf, requirePagePath } from '../gateway/gateway-path.ts';
import { lookAtGateway } from '../gateway/look-at-gateway.ts';
import { gatewayOrigin } from '../gateway/pinned-connection.ts';
import type { TrustedGateway } from '../keep/known-gateways.ts';
import type { SigningKey } from '../keep/signing-key.ts';
import type { Answers } from './dispatch.ts';
import type { GatewayInUse } from './gateway-in-use.ts';
import type { Confirmation } from './sign-statement.ts';

/** What the page learns of an answer beside its body. */
const TOLD_HEADERS = ['content-type', 'content-range', 'content-length', 'etag', 'retry-after'];

/** Where keys are registered. */
const KEYS = '/api/keys';

/** A gateway that was started on this machine, as it says itself. */
export interface DemoGateway {
  readonly origin: string;
  readonly fingerprint: string;
  /** Logs its operator in once. */
  readonly code?: string;
}

export interface GatewayParts {
  readonly inUse: GatewayInUse;
  readonly key: SigningKey;
  readonly confirm: (question: Confirmation) => Promise<boolean>;
  /** Undefined where there is none to start. */
  readonly startDemo: (() => Promise<DemoGateway>) | undefined;
  /** With a code, at the gateway in use. */
  readonly logIn: (code: string) => Promise<unknown>;
}

type GatewayAnswers = Pick<
  Answers,
  'request' | 'gateways.list' | 'gateways.look' | 'gateways.trust' | 'gateways.use' | 'gateways.remove' | 'demo.start'
>;

export function gatewayAnswers({ inUse, key, confirm, startDemo, logIn }: GatewayParts): GatewayAnswers {
  return {
    request: async ({ path, method, headers, body }) => {
      if (addressOf(path) === KEYS && method === 'POST') await requireOwnKey(body ?? '', key);
      const answer = await inUse.ask({ path: requirePagePath(path), method, headers, body });
      const told = Object.entries(answer.headers).filter(([name]) => TOLD_HEADERS.includes(name));
      return { status: answer.status, headers: Object.fromEntries(told), body: answer.body };
    },
    'gateways.list': async () => ({ gateways: inUse.list() }),
    'gateways.look': async ({ address }) => {
      const origin = gatewayOrigin(address);
      return { ...(await lookAtGateway(origin)), pinned: inUse.known.at(origin)?.fingerprint ?? null };
    },
    'gateways.trust': async ({ origin: address, fingerprint, name }) => {
      const origin = gatewayOrigin(address);
      // Otherwise the page could pin what it likes, for somebody who comes between later.
      const seen = await lookAtGateway(origin);
      if (seen.fingerprint !== fingerprint) {
        throw new DesktopError('GATEWAY_MISMATCH', `${origin} shows another certificate now: SHA-256 ${seen.fingerprint}`, {
          remedy: 'nothing was trusted; look at it once more',
        });
      }
      if (!(await confirm(trustQuestion(origin, fingerprint, inUse.known.at(origin)?.fingerprint)))) return { gateway: null };
      return { gateway: inUse.describe(await inUse.trust({ origin, fingerprint, name })) };
    },
    'gateways.use': async ({ id }) => ({ gateway: inUse.describe(await inUse.use(id)) }),
    'gateways.remove': async ({ id }) => {
      await inUse.remove(id);
      return {};
    },
    'demo.start': async () => {
      if (startDemo === undefined)
        throw new DesktopError('NOT_FOUND', 'there is no gateway here that could be started', { remedy: 'connect to one by its address' });
      const demo = await startDemo();
      const gateway = await useDemo(inUse, demo);
      // Whoever started it is its operator: nobody is there who could make them a link.
      if (demo.code !== undefined) await logIn(demo.code);
      return { gateway: inUse.describe(gateway) };
    },
  };
}

/**
 * Only the key of this device, of which the person was asked as its proof was signed: with another one, which it would
 * have made itself, a page that was taken over could sign whatever it likes. Throws REQUEST_INVALID.
 */
async function requireOwnKey(body: string, key: SigningKey): Promise<void> {
  const read = z.looseObject({ key: z.string() }).safeParse(parsed(body));
  if (read.success && read.data.key === (await key.info())?.line) return;
  throw new DesktopError('REQUEST_INVALID', 'the page may register the key of this device and no other', {
    remedy: 'register other keys with the command line, or in a browser',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The gateway would not take it either.
  }
}

/** Its certificate comes from the process that we have started, and not over the network: nobody need compare it. */
async function useDemo(inUse: GatewayInUse, { origin, fingerprint }: DemoGateway): Promise<TrustedGateway> {
  const { id } = await inUse.trust({ origin, fingerprint, name: 'Demo on this machine' });
  return inUse.use(id);
}

function trustQuestion(origin: string, fingerprint: string, before: string | undefined): Confirmation {
  const lines = [`SHA-256 of its certificate:`, fingerprint.match(/.{1,48}/g)?.join('\n') ?? fingerprint];
  const known = before !== undefined && before !== fingerprint;
  return {
    title: known ? `Trust the NEW certificate of ${origin}?` : `Trust the gateway ${origin}?`,
    detail: [
      ...lines,
      '',
      known
        ? 'It is not the one that you have trusted so far. Unless whoever runs the gateway told you of a new one, somebody may stand between.'
        : 'Compare it with the line that the gateway printed at its start, on the machine where it runs.',
    ].join('\n'),
    yes: 'It is the same: trust it',
  };
}
