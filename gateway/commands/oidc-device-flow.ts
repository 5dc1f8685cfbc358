import { setTimeout as sleep } from 'node:timers/promises';
import * as oidc from 'openid-client';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { oidcClient } from '../identity/oidc-client.ts';
import { isSafeAddress, providerFailed } from '../identity/oidc-fetch.ts';
import { type FlowParts, failureOf } from './oidc-flow-parts.ts';
import type { ProviderAnswer } from './oidc-flows.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** RFC 8628 section 3.2, when the provider does not say; and what it can say at most and at least. */
const USUAL_INTERVAL = 5;
const INTERVALS = { least: 1, most: 120 };
const MOST_SECONDS = 1800;
/** Section 3.5: how much slower after each time it is asked to be. */
const SLOWER = 5;
/** Polls in a row that may come to nothing. */
const FAILURES = 3;

/** How long is waited between polls; tests look at it. */
export type Wait = (seconds: number, signal: AbortSignal) => Promise<unknown>;
const wait: Wait = (seconds, signal) => sleep(seconds * 1000, undefined, { signal });

/** The device authorization grant (RFC 8628). */
export async function logInByDevice(parts: FlowParts, pause: Wait = wait): Promise<ProviderAnswer> {
  const { provider, metadata, fetch, say, signal } = parts;
  const { issuer, clientId, scopes } = provider;
  if (metadata.device_authorization_endpoint === undefined || metadata.token_endpoint === undefined) {
    throw new SallyportError('PROVIDER_FAILED', `the identity provider ${issuer} has no device flow`, {
      remedy: 'log in with --browser',
    });
  }
  const client = oidcClient(metadata, clientId, oidc.None(), (address, request) => fetch(address, { ...request, signal }));
  const begun = await oidc.initiateDeviceAuthorization(client, { scope: scopes.join(' ') }).catch((thrown: unknown) => {
    signal.throwIfAborted();
    throw failureOf(issuer, thrown);
  });
  if (!isSafeAddress(begun.verification_uri, issuer)) throw providerFailed(issuer, 'has no safe address for entering the code');
  const complete = begun.verification_uri_complete;
  say(`Open ${printable(begun.verification_uri)} and enter the code ${printable(begun.user_code)}`);
  if (complete !== undefined && isSafeAddress(complete, issuer)) say(`or open ${printable(complete)}`);
  const seconds = Math.min(begun.expires_in, MOST_SECONDS);
  say(`The code is good for ${Math.max(1, Math.floor(seconds / 60))} minutes. Enter it only if you have begun this log-in yourself.`);

  const deadline = AbortSignal.timeout(seconds * 1000);
  const either = AbortSignal.any([signal, deadline]);
  let interval = Math.min(Math.max(begun.interval ?? USUAL_INTERVAL, INTERVALS.least), INTERVALS.most);
  let failures = 0;
  for (;;) {
    let tokens: oidc.TokenEndpointResponse;
    try {
      await pause(interval, either);
      tokens = await oidc.genericGrantRequest(client, GRANT, { device_code: begun.device_code });
    } catch (thrown) {
      signal.throwIfAborted();
      if (deadline.aborted) throw codeExpired();
      const said = thrown instanceof oidc.ResponseBodyError ? thrown.error : undefined;
      if (said === 'authorization_pending') failures = 0;
      else if (said === 'slow_down') interval = Math.min(interval + SLOWER, INTERVALS.most);
      else if (said === 'expired_token') throw codeExpired();
      else if (said !== undefined) throw failureOf(issuer, thrown);
      else if (++failures < FAILURES)
        interval = Math.min(interval * 2, INTERVALS.most); // Section 3.5: a lost connection.
      else throw failureOf(issuer, thrown);
      continue;
    }
    if (tokens.id_token === undefined) throw providerFailed(issuer, 'gives no ID token');
    return { idToken: tokens.id_token };
  }
}

function codeExpired(): SallyportError {
  return new SallyportError('LOGIN_REFUSED', 'the code was not entered in time', { remedy: 'begin the log-in once more' });
}
