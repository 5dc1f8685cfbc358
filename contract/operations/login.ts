import { z } from 'zod';
import { keyLine, name, nothing, type OperationShape, reason, roles, signature, time } from './shape.ts';

const login = z.strictObject({
  /** To be sent as `Authorization: Bearer`; missing where a cookie was set instead. */
  token: z.string().optional(),
  operator: z.string(),
  roles: z.array(z.enum(roles)),
  expires: time,
});

export const loginOperations = {
  'login.challenge': {
    http: 'POST /api/login/challenge',
    may: 'anyone',
    onSocket: false,
    effect: 'read',
    summary: 'A text to be signed with an SSH key (SSHSIG, namespace sallyport-login) in order to log in',
    input: z.strictObject({ operator: name }),
    output: z.strictObject({ challenge: z.string(), expires: time }),
  },
  'login.ssh': {
    http: 'POST /api/login/ssh',
    may: 'anyone',
    onSocket: false,
    effect: 'write',
    summary: 'Logs an operator in who has signed a challenge',
    input: z.strictObject({ challenge: z.string().max(4096), signature, cookie: z.boolean().default(false) }),
    output: login,
  },
  'login.oidc': {
    http: 'POST /api/login/oidc',
    may: 'anyone',
    onSocket: false,
    effect: 'write',
    summary: "Logs somebody in with the identity provider's answer to the authorization code flow with PKCE (RFC 7636) or the device flow",
    input: z.strictObject({ idToken: z.string().max(65_536), nonce: z.string().max(256).optional(), cookie: z.boolean().default(false) }),
    output: login,
  },
  /** On the control socket `operator` says whose; over HTTPS a log-in makes links for itself alone. */
  'login.link': {
    http: 'POST /api/login/links',
    may: 'operator',
    onSocket: true,
    effect: 'write',
    summary: 'Makes a code that logs an operator in once, for a browser or the desktop app: `https://HOST:PORT/#code=CODE`',
    input: z.strictObject({ operator: name.optional() }),
    output: z.strictObject({ operator: z.string(), code: z.string(), expires: time }),
  },
  'login.code': {
    http: 'POST /api/login/code',
    may: 'anyone',
    onSocket: false,
    effect: 'write',
    summary: 'Logs an operator in who has a code. It is used up by that',
    input: z.strictObject({ code: z.string().max(128), cookie: z.boolean().default(false) }),
    output: login,
  },
  'login.provider': {
    http: 'GET /api/login/provider',
    may: 'anyone',
    onSocket: false,
    effect: 'read',
    summary: 'The identity provider that operators log in through, if there is one, for clients that run a flow themselves',
    input: nothing,
    output: z.strictObject({
      provider: z.strictObject({ issuer: z.string(), clientId: z.string(), scopes: z.array(z.string()) }).nullable(),
    }),
  },
  logout: {
    http: 'POST /api/logout',
    may: 'operator',
    onSocket: false,
    effect: 'write',
    summary: 'Ends the log-in that asks for it',
    input: nothing,
    output: nothing,
  },
  whoami: {
    http: 'GET /api/whoami',
    may: 'operator',
    onSocket: false,
    effect: 'read',
    summary: 'Who is logged in, and with which roles',
    input: nothing,
    output: z.strictObject({
      operator: z.string(),
      roles: z.array(z.enum(roles)),
      groups: z.array(z.string()),
      /** Id of the log-in or token, which is no secret; part of what a key signs that is registered. */
      login: z.string(),
      expires: time,
      /** Until when this log-in may register a signing key: a while after it was made, by somebody who showed who they are. */
      mayAddKey: time.nullable(),
      /** Of the ledger; part of what is signed. */
      origin: z.string(),
      /** The keys whose signatures count as this operator's, as lines. */
      keys: z.array(z.string()),
    }),
  },
  'key.list': {
    http: 'GET /api/keys',
    may: 'operator',
    onSocket: false,
    effect: 'read',
    summary: 'The keys whose signatures count as those of the operator who asks',
    input: nothing,
    output: z.strictObject({
      keys: z.array(
        z.strictObject({
          key: z.string(),
          fingerprint: z.string(),
          /** `configuration`: it stands there, and is taken away there. */
          from: z.enum(['configuration', 'registered']),
          label: z.string(),
          since: time.nullable(),
        }),
      ),
    }),
  },
  'key.add': {
    http: 'POST /api/keys',
    may: 'operator',
    onSocket: false,
    effect: 'write',
    summary: 'Registers a key of the operator who asks, for signing decisions and reviews; soon after logging in',
    /** `signature`: of the statement `key` of contract/signed-statements.ts, by that key. */
    input: z.strictObject({ key: keyLine, label: z.string().trim().min(1).max(100), signature }),
    output: z.strictObject({ fingerprint: z.string() }),
  },
  'key.remove': {
    http: 'POST /api/keys/remove',
    may: 'operator',
    onSocket: false,
    effect: 'write',
    summary: 'Takes back a registered key of the operator who asks, or, for an admin, of another one',
    input: z.strictObject({ fingerprint: z.string().max(100), operator: name.optional(), reason }),
    output: nothing,
  },
} as const satisfies Record<string, OperationShape>;
