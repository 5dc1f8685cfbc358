import { z } from 'zod';
import { errorCodes } from './error-codes.ts';
import { signedStatementSchema } from './signed-statements.ts';

/**
 * The one bridge of the desktop app, between its page and its main process. The page asks `{ ask: NAME, input }` and is
 * answered `{ ok: true, output }` or `{ ok: false, error }`; events come by themselves. Both sides check what arrives
 * against this table: the page may have been taken over by what it shows, so the main process believes it nothing.
 *
 * What the page cannot do, because there is no question for it: see a log-in token or a private key, have anything signed
 * but a statement that the main process words itself, reach another server than the gateway in use, read or write a
 * file that the person has not chosen in a dialog, or open an address in a browser.
 */

/** Most that one answer of a gateway brings to the page, as text. */
export const MOST_ANSWER_BYTES = 64 * 1024 * 1024;
/** Most that one request takes along. */
export const MOST_REQUEST_BYTES = 4 * 1024 * 1024;
/** Most WebSockets at a time. */
export const MOST_SOCKETS = 64;
/** A socket is read no further while so much of it has not been taken by the page, and again below the other. */
export const SOCKET_HIGH_WATER = 4 * 1024 * 1024;
export const SOCKET_LOW_WATER = 1024 * 1024;
/** Most that is read of a file at a time. */
export const MOST_READ_BYTES = 4 * 1024 * 1024;

const count = z.number().int().nonnegative();
const short = z.string().min(1).max(255);
/** Of the page and of the main process: made by whoever opens it. */
const handle = z.uuid();
const nothing = z.strictObject({});

/** SHA-256 of a certificate as browsers write it. */
const fingerprint = z.string().regex(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/);
/** `https://HOST:PORT`, as the `URL` of the platform writes it. */
const gatewayOrigin = z.string().max(300).startsWith('https://');

/** What stands before a `?`: the operator API, the ledger's files, and what says how the gateway is. */
const gatewayPath = z
  .string()
  .max(8192)
  .regex(/^\/(api\/|ledger\/|healthz$|readyz$|openapi\.json$)/);

/** A place in the app: `/approvals/ID`, `/sessions/ID?at=12`. Never an address. */
const route = z
  .string()
  .max(1024)
  .regex(/^\/(?!\/)[\w\-./~%?=&:,+]*$/);

/** The only headers that the page may send along. */
const requestHeaders = z.strictObject({
  accept: z.string().max(255).optional(),
  'content-type': z.string().max(255).optional(),
  range: z.string().max(255).optional(),
});

const keyInfo = z.strictObject({
  /** A line of an `authorized_keys` file, without a comment. */
  line: z.string(),
  /** `SHA256:…` as `ssh-keygen -l` prints it. */
  fingerprint: z.string(),
});
export type KeyInfo = z.infer<typeof keyInfo>;

const knownGateway = z.strictObject({
  id: handle,
  name: short,
  origin: gatewayOrigin,
  fingerprint,
  current: z.boolean(),
  /** Whether this device has a log-in there that has not run out. */
  loggedIn: z.boolean(),
});
export type KnownGateway = z.infer<typeof knownGateway>;

/** What a server showed of itself. Nothing was sent to it yet. */
const shownCertificate = z.strictObject({
  origin: gatewayOrigin,
  fingerprint,
  subject: z.string(),
  issuer: z.string(),
  names: z.array(z.string()),
  /** ISO 8601 UTC. */
  validFrom: z.string(),
  validTo: z.string(),
  selfSigned: z.boolean(),
  /** Whether the system's authorities vouch for it, under this name. */
  vouchedFor: z.boolean(),
  /** What this origin is pinned to already, if it is known. */
  pinned: fingerprint.nullable(),
});
export type ShownCertificate = z.infer<typeof shownCertificate>;

const loggedIn = z.strictObject({ operator: z.string(), roles: z.array(z.string()), expires: z.string() });
export type LoggedIn = z.infer<typeof loggedIn>;

/** A file that the person has chosen, or that the system had this app open. It can be read until it is closed. */
const openedFile = z.strictObject({ file: handle, name: z.string(), size: count });
export type OpenedFile = z.infer<typeof openedFile>;

const themes = z.enum(['system', 'light', 'dark']);

const settings = z.strictObject({
  notifications: z.boolean(),
  theme: themes,
  /** The system's own dialog asks before an approval or a sign-off is signed, so that no page can approve anything by itself. */
  confirmSignatures: z.boolean(),
  /** Keys and log-ins may be kept although this system has no key store: whoever reads the files has them. */
  allowUnprotectedKeys: z.boolean(),
  /** The window is hidden instead of closed, and the tray says what waits. */
  keepInTray: z.boolean(),
});
export type DesktopSettings = z.infer<typeof settings>;

export interface QuestionShape {
  readonly input: z.ZodType;
  readonly output: z.ZodType;
}

export const questions = {
  'app.info': {
    input: nothing,
    output: z.strictObject({
      name: z.string(),
      version: z.string(),
      platform: z.enum(['linux', 'darwin', 'win32', 'other']),
      /** It was installed, and is not started from a checkout. */
      packaged: z.boolean(),
      /** Whether `demo.start` can do something. */
      demo: z.boolean(),
      dark: z.boolean(),
      /** How well secrets are kept: by the system's key store, in the open, or not at all. */
      secrets: z.enum(['protected', 'unprotected', 'unavailable']),
    }),
  },

  /** A request to the gateway in use, with the log-in that is there. Log-ins, log-outs and tokens are not made this way. */
  request: {
    input: z.strictObject({
      path: gatewayPath,
      method: z.enum(['GET', 'POST', 'DELETE']),
      headers: requestHeaders,
      body: z.string().max(MOST_REQUEST_BYTES).optional(),
    }),
    output: z.strictObject({
      status: z.number().int(),
      /** Of `content-type`, `content-range`, `content-length`, `etag` and `retry-after` those that there are. */
      headers: z.record(z.string(), z.string()),
      /** Text; of `application/octet-stream` each byte as the character of its number. */
      body: z.string(),
    }),
  },

  /** `socket` is the page's to choose. What arrives are events, each to be answered with `socket.taken`. */
  'socket.open': { input: z.strictObject({ socket: handle, path: gatewayPath }), output: nothing },
  /** So many bytes of it were dealt with. */
  'socket.taken': { input: z.strictObject({ socket: handle, bytes: count }), output: nothing },
  'socket.close': { input: z.strictObject({ socket: handle }), output: nothing },

  'signer.key': { input: nothing, output: z.strictObject({ key: keyInfo.nullable() }) },
  /** Makes a key where there is none, and answers with the one that there is. */
  'signer.create': { input: nothing, output: z.strictObject({ key: keyInfo }) },
  /**
   * The main process makes the text that is signed. It signs for the gateway in use and for whoever is logged in there;
   * an approval only of a request that this gateway shows it as well, word for word.
   */
  'signer.sign': {
    input: z.strictObject({ statement: signedStatementSchema }),
    /** The key's line, and armoured SSHSIG. */
    output: z.strictObject({ key: z.string(), signature: z.string() }),
  },
  /** The person is asked; `forgotten` is false when they would rather not. */
  'signer.forget': { input: nothing, output: z.strictObject({ forgotten: z.boolean() }) },

  'gateways.list': { input: nothing, output: z.strictObject({ gateways: z.array(knownGateway) }) },
  /** `address`: as a person writes it, `bastion.example.com` or `https://bastion.example.com:7443`. */
  'gateways.look': { input: z.strictObject({ address: short }), output: shownCertificate },
  /** Pins this certificate, if the server still shows it and the person says yes to the system's dialog. */
  'gateways.trust': {
    input: z.strictObject({ origin: gatewayOrigin, fingerprint, name: short }),
    output: z.strictObject({ gateway: knownGateway.nullable() }),
  },
  'gateways.use': { input: z.strictObject({ id: handle }), output: z.strictObject({ gateway: knownGateway }) },
  'gateways.remove': { input: z.strictObject({ id: handle }), output: nothing },

  /** How one can log in at the gateway in use. */
  'login.ways': {
    input: nothing,
    output: z.strictObject({ provider: z.string().nullable(), key: z.boolean() }),
  },
  /** In the system's browser. Answers when the person is back, or `login.cancel` was asked. */
  'login.provider': { input: nothing, output: loggedIn },
  'login.cancel': { input: nothing, output: nothing },
  /** A code for one log-in, or the link that has it, as `sallyport console` prints it. */
  'login.code': { input: z.strictObject({ code: z.string().min(1).max(2048) }), output: loggedIn },
  /** With the signing key of this device. */
  'login.key': { input: z.strictObject({ operator: short }), output: loggedIn },
  'login.out': { input: nothing, output: nothing },

  /** Where to is asked in a dialog; null when the person would rather not. `saving` is the page's to choose. */
  'file.save': {
    input: z.strictObject({ saving: handle, name: short, path: gatewayPath }),
    output: z.strictObject({ saved: z.strictObject({ name: z.string(), bytes: count }).nullable() }),
  },
  'file.save-stop': { input: z.strictObject({ saving: handle }), output: nothing },
  /** Which one is asked in a dialog; null when the person would rather not. */
  'file.open': { input: nothing, output: z.strictObject({ file: openedFile.nullable() }) },
  /** Fewer bytes than asked for only at the end of the file. */
  'file.read': {
    input: z.strictObject({ file: handle, at: count, length: count.max(MOST_READ_BYTES) }),
    output: z.strictObject({ bytes: z.instanceof(Uint8Array) }),
  },
  'file.close': { input: z.strictObject({ file: handle }), output: nothing },

  /** `tag`: one of the same replaces the one before. `route`: where a click leads. */
  notify: {
    input: z.strictObject({ title: z.string().max(200), body: z.string().max(1000), route, tag: z.string().max(200) }),
    output: nothing,
  },
  copy: { input: z.strictObject({ text: z.string().max(1024 * 1024) }), output: nothing },
  'settings.get': { input: nothing, output: settings },
  /** What weakens something is asked in a dialog first; the answer is what is in force then. */
  'settings.set': { input: settings.partial(), output: settings },
  /** Starts the demo gateway of this checkout, trusts its certificate and uses it. */
  'demo.start': { input: nothing, output: z.strictObject({ gateway: knownGateway }) },
} as const satisfies Record<string, QuestionShape>;

export type QuestionName = keyof typeof questions;
export type QuestionInput<N extends QuestionName> = z.infer<(typeof questions)[N]['input']>;
export type QuestionOutput<N extends QuestionName> = z.infer<(typeof questions)[N]['output']>;

/** What is asked, before it is known what goes with its name. */
export const bridgeMessage = z.strictObject({ ask: z.string().max(64), input: z.unknown() });

export const bridgeError = z.strictObject({ code: z.enum(errorCodes), message: z.string(), remedy: z.string().optional() });
export type BridgeError = z.infer<typeof bridgeError>;

export const bridgeAnswer = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), output: z.unknown() }),
  z.strictObject({ ok: z.literal(false), error: bridgeError }),
]);
export type BridgeAnswer = z.infer<typeof bridgeAnswer>;

export const bridgeEvent = z.discriminatedUnion('event', [
  z.strictObject({
    event: z.literal('socket.message'),
    socket: handle,
    data: z.union([z.string(), z.instanceof(Uint8Array)]),
    /** What `socket.taken` says when it is dealt with. */
    bytes: count,
  }),
  /** Comes once, also for a socket that could not be opened. */
  z.strictObject({ event: z.literal('socket.closed'), socket: handle, code: z.number().int(), reason: z.string() }),
  z.strictObject({ event: z.literal('saving'), saving: handle, bytes: count, of: count.nullable() }),
  /** A deep link, a notification, the tray or a menu wants this shown. */
  z.strictObject({ event: z.literal('open.route'), route }),
  /** The system had a file opened with this app. */
  z.strictObject({ event: z.literal('open.file'), file: openedFile }),
  z.strictObject({ event: z.literal('command'), command: z.enum(['palette', 'find']) }),
  z.strictObject({ event: z.literal('theme'), dark: z.boolean() }),
  /** Another gateway is in use, or the list of them changed. */
  z.strictObject({ event: z.literal('gateways') }),
  /** The log-in is over: it ran out, was revoked, or the certificate changed. */
  z.strictObject({ event: z.literal('logged-out'), reason: z.string() }),
]);
export type BridgeEvent = z.infer<typeof bridgeEvent>;

interface Schemas<N extends QuestionName> {
  readonly input: z.ZodType<QuestionInput<N>>;
  readonly output: z.ZodType<QuestionOutput<N>>;
}

/** The schemas of a question, typed so that they go with the types of its name. */
export function bridgeSchemas<N extends QuestionName>(name: N): Schemas<N> {
  const schemas: { readonly [M in QuestionName]: Schemas<M> } = questions;
  return schemas[name];
}

export function isQuestion(candidate: string): candidate is QuestionName {
  return Object.hasOwn(questions, candidate);
}
