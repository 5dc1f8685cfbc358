import { z } from 'zod';
import { name, nothing, type OperationShape, roles, signature, time } from './shape.ts';

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
      expires: time,
      /** The keys whose signatures count as this operator's, as lines. */
      keys: z.array(z.string()),
    }),
  },
} as const satisfies Record<string, OperationShape>;
