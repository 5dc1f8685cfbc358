import { z } from 'zod';
import { approvalStates } from './approval.ts';
import { actions } from './policy.ts';
import { approvalRequestSchema, sessionScope } from './record.ts';

/**
 * The operator API in one table: operation → how it is asked for over HTTPS, who may, what goes in and what comes out.
 * The gateway, the command line and the desktop are all checked against it, and `/openapi.json` is made from it.
 *
 * Input of a `GET` or `DELETE` comes in the path and the query, that of a `POST` in the path and a JSON body. Lists are
 * pages: `cursor` of the answer, given back, continues behind it; without one there is no more.
 */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
const count = z.number().int().nonnegative();
const name = z.string().min(1).max(255);
/** ISO 8601 UTC with microseconds. */
const time = z.string();
/** Why somebody does it, in their words; it stands in a record. */
const reason = z.string().trim().min(1).max(2000);
const nothing = z.strictObject({});
const page = { cursor: z.string().max(1024).optional(), limit: z.coerce.number().int().min(1).max(1000).default(100) };
const nextPage = { cursor: z.string().optional() };
/** A public key as a line of an `authorized_keys` file; armoured SSHSIG as `ssh-keygen -Y sign` writes it. */
const keyLine = z.string().max(16_384);
const signature = z.string().max(16_384);

export const roles = ['reviewer', 'auditor', 'admin'] as const;
export type Role = (typeof roles)[number];

/**
 * `anyone`: needs no log-in, because it is one, or brings its own proof. `operator`: whoever has logged in. `local`: only
 * on the control socket of the data directory, for the user who runs the gateway and for root.
 */
export type MayAsk = 'anyone' | 'operator' | 'local' | readonly Role[];

export interface OperationShape {
  /** Undefined for operations that are only on the control socket. */
  readonly http: `${'GET' | 'POST' | 'DELETE'} /api/${string}` | undefined;
  readonly may: MayAsk;
  /**
   * What a request over the control socket, which has no log-in, is taken for: an `admin`, for the user of the gateway
   * could do as much to its files. What only a person may do (deciding, logging in) is not there.
   */
  readonly onSocket: boolean;
  readonly effect: 'read' | 'write';
  readonly summary: string;
  readonly input: z.ZodType;
  readonly output: z.ZodType;
}

const supervisors: readonly Role[] = ['reviewer', 'admin'];
const everyRole: readonly Role[] = roles;
const admin: readonly Role[] = ['admin'];

const sessionRow = z.strictObject({
  id: z.string(),
  started: time,
  ended: time.nullable(),
  state: z.enum(['live', 'closed', 'recovered', 'erased']),
  principal: z.string(),
  principalKind: z.enum(['human', 'agent', 'unknown']),
  onBehalfOf: z.string().nullable(),
  target: z.string(),
  protocol: z.string(),
  source: z.string(),
  channels: count,
  bytesIn: count,
  bytesOut: count,
  reason: z.string().nullable(),
});

const channelRow = z.strictObject({
  session: z.string(),
  channel: count,
  kind: z.string(),
  detail: z.record(z.string(), z.unknown()),
  opened: time,
  closed: time.nullable(),
  exit: z.strictObject({ status: z.number().int().optional(), signal: z.string().optional() }).nullable(),
  bytes: z.strictObject({ i: count, o: count, e: count }),
  reason: z.string().nullable(),
});

/** A line that was on a screen. */
const searchHit = z.strictObject({
  session: z.string(),
  channel: count,
  segment: count,
  /** When it was first and last seen; and the same in microseconds since the channel opened. */
  time,
  until: time,
  first: count,
  last: count,
  line: z.string(),
  /** What was found: from this UTF-16 unit of the line, and up to this one. */
  matches: z.array(z.tuple([count, count])),
  before: z.array(z.string()),
  after: z.array(z.string()),
});

/** How a live session stands. */
const liveState = z.strictObject({
  session: uuid,
  paused: z.boolean(),
  stepping: z.boolean(),
  watchers: count,
  /** Ids of approvals that it waits for. */
  waiting: z.array(uuid),
});

const signedDecision = z.strictObject({
  verdict: z.enum(['approve', 'deny']),
  reviewer: z.string(),
  reason: z.string(),
  time,
  key: z.string(),
  signature: z.string(),
});

const approval = z.strictObject({
  request: approvalRequestSchema,
  state: z.enum(approvalStates),
  /** Of the ledger; part of what is signed. */
  origin: z.string(),
  decisions: z.array(signedDecision),
  /** Whether the operator who asks may decide it, and if not, why. */
  yours: z.strictObject({ may: z.boolean(), why: z.string().optional() }),
});
export type Approval = z.infer<typeof approval>;

const decisionInput = {
  approval: uuid,
  /** Of the request as it was shown: another one is not decided by this. */
  digest: sha256,
  verdict: z.enum(['approve', 'deny']),
  reason: z.string().trim().max(2000),
  key: keyLine,
  signature,
};

const lock = z.strictObject({ principal: z.string(), reason: z.string(), by: z.string(), since: time });
const login = z.strictObject({
  /** To be sent as `Authorization: Bearer`; missing where a cookie was set instead. */
  token: z.string().optional(),
  operator: z.string(),
  roles: z.array(z.enum(roles)),
  expires: time,
});

/** A session that a run of the retention is about. */
const retained = z.strictObject({ session: uuid, started: z.string(), target: z.string(), principal: z.string(), bytes: count });

/** A part of a channel's recording. Times are nanoseconds since the channel opened. */
const recordedSegment = z.strictObject({
  segment: z.number().int().positive(),
  /** `journal`: it is not sealed yet, and `to` is not known. `missing`: it is neither sealed nor in the journal. */
  state: z.enum(['sealed', 'journal', 'missing']),
  from: count,
  to: count,
  /** Of a sealed one: its file. */
  bytes: count.optional(),
  sha256: sha256.optional(),
  /** What is known of it without reading it, as contract/replay/part.ts has it. Missing as long as it is not made. */
  part: z.record(z.string(), z.unknown()).optional(),
});
export type RecordedSegment = z.infer<typeof recordedSegment>;

const recordingOutline = z.strictObject({
  session: uuid,
  channel: count,
  kind: z.string(),
  opened: time,
  /** Microseconds, as far as it is sealed or, of a running channel, up to now. */
  duration: count,
  /** Whether there was a terminal, and whether input was recorded, as far as parts are made. */
  terminal: z.boolean(),
  input: z.boolean(),
  /** What the first line of the cast says (contract/replay/part.ts); missing while nothing is sealed. */
  header: z.record(z.string(), z.unknown()).optional(),
  segments: z.array(recordedSegment),
  /** There are more segments: `recording.outline` with this `after` has them. */
  after: count.optional(),
  /** Of a channel that is being recorded: where `/api/sessions/{session}/live?from=CHANNEL:POSITION` continues its sealed segments. */
  live: z.strictObject({ position: z.string() }).nullable(),
  /** Every sealed segment of this answer has its part. If not, they are being made. */
  complete: z.boolean(),
});
export type RecordingOutline = z.infer<typeof recordingOutline>;

/** As it stands in a path, or in a query. */
const channelNumber = z.coerce.number().int().min(0).max(0xffff_ffff);

export const operations = {
  'gateway.status': {
    http: 'GET /api/status',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'How the gateway is: its version, what listens, how many sessions run and approvals wait',
    input: nothing,
    output: z.strictObject({
      name: z.string(),
      version: z.string(),
      origin: z.string(),
      started: time,
      listeners: z.array(z.strictObject({ protocol: z.string(), address: z.string() })),
      sessions: count,
      approvalsWaiting: count,
      policySet: z.string(),
      configuration: sha256,
      ledger: z.strictObject({ size: count, checkpoint: z.string() }),
      ready: z.boolean(),
      unready: z.string().optional(),
    }),
  },
  'config.reload': {
    http: 'POST /api/config/reload',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Reads configuration and policy again; what is in force stays when there is a fault',
    input: nothing,
    output: z.strictObject({ configuration: sha256, policySet: z.string() }),
  },

  'session.list': {
    http: 'GET /api/sessions',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'Sessions, newest first',
    input: z.strictObject({
      ...page,
      state: z.enum(['live', 'closed', 'recovered', 'erased']).optional(),
      principal: name.optional(),
      onBehalfOf: name.optional(),
      target: name.optional(),
      protocol: name.optional(),
      text: z.string().max(1000).optional(),
      from: z.string().max(64).optional(),
      to: z.string().max(64).optional(),
    }),
    output: z.strictObject({ sessions: z.array(sessionRow), ...nextPage }),
  },
  'search.content': {
    http: 'GET /api/search',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'Lines that were on screens of sessions, newest first, by what stands in them; docs/searching.md has the language of queries',
    input: z.strictObject({
      query: z.string().min(1).max(1000),
      cursor: z.string().max(64).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(50),
      /** The line was on a screen at or after, and before. */
      from: z.string().max(64).optional(),
      to: z.string().max(64).optional(),
      session: uuid.optional(),
      channel: z.coerce.number().int().nonnegative().optional(),
      state: z.enum(['live', 'closed', 'recovered', 'erased']).optional(),
      principal: name.optional(),
      onBehalfOf: name.optional(),
      target: name.optional(),
      protocol: name.optional(),
    }),
    output: z.strictObject({
      hits: z.array(searchHit),
      /** Those that the hits are of. */
      sessions: z.array(sessionRow),
      /** Sealed segments that cannot be searched yet; told with the first page. */
      unindexed: count.optional(),
      /** A page may end before it is full, and even be empty, when it has taken its time. */
      ...nextPage,
    }),
  },
  'session.show': {
    http: 'GET /api/sessions/{session}',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'One session, its channels and, while it is live, how it stands',
    input: z.strictObject({ session: uuid }),
    output: z.strictObject({ session: sessionRow, channels: z.array(channelRow), live: liveState.nullable() }),
  },
  /** What is below `…/recording` in the docs is answered for an hour to the log-in that has done this. */
  'recording.open': {
    http: 'POST /api/sessions/{session}/channels/{channel}/recording',
    may: everyRole,
    onSocket: false,
    effect: 'write',
    summary: 'Records that a recording is looked at, and answers what there is of it. Its parts may be read for an hour then',
    input: z.strictObject({ session: uuid, channel: channelNumber }),
    output: recordingOutline,
  },
  'recording.outline': {
    http: 'GET /api/sessions/{session}/channels/{channel}/recording',
    may: everyRole,
    onSocket: false,
    effect: 'read',
    summary: 'What there is of a recording that was opened, from the segment behind `after` on',
    input: z.strictObject({ session: uuid, channel: channelNumber, after: z.coerce.number().int().nonnegative().default(0) }),
    output: recordingOutline,
  },
  'recording.text': {
    http: 'GET /api/sessions/{session}/channels/{channel}/text',
    may: everyRole,
    onSocket: false,
    effect: 'read',
    summary: 'The lines that were on the screen of a recording that was opened, with when each was seen first and last',
    input: z.strictObject({
      ...page,
      session: uuid,
      channel: channelNumber,
      /** Microseconds since the channel opened: lines that were seen at or after, and before. */
      from: z.coerce.number().int().nonnegative().optional(),
      to: z.coerce.number().int().nonnegative().optional(),
    }),
    output: z.strictObject({
      lines: z.array(z.strictObject({ first: count, last: count, text: z.string() })),
      /** A page may end before it is full, and even be empty, when it has told much or taken its time. */
      ...nextPage,
      /** The text of every sealed segment is stored. If not, it is being made. */
      complete: z.boolean(),
    }),
  },
  'session.message': {
    http: 'POST /api/sessions/{session}/message',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Shows a line to whoever is at the client end of a live session',
    input: z.strictObject({ session: uuid, text: z.string().trim().min(1).max(2000) }),
    /** Channels on which it was shown; 0 where none could show it at the moment. */
    output: z.strictObject({ shown: count }),
  },
  'session.pause': {
    http: 'POST /api/sessions/{session}/pause',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Stops a live session in both directions; nothing is lost',
    input: z.strictObject({ session: uuid, reason }),
    output: liveState,
  },
  'session.resume': {
    http: 'POST /api/sessions/{session}/resume',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Lets a paused session go on',
    input: z.strictObject({ session: uuid, reason }),
    output: liveState,
  },
  'session.step': {
    http: 'POST /api/sessions/{session}/step',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'From here on each next action of the session asks for approval; or not any more',
    input: z.strictObject({ session: uuid, on: z.boolean(), reason }),
    output: liveState,
  },
  'session.terminate': {
    http: 'POST /api/sessions/{session}/terminate',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Ends a live session. Answered when both legs are closed and the end is recorded',
    input: z.strictObject({ session: uuid, reason }),
    output: nothing,
  },

  'lock.list': {
    http: 'GET /api/locks',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'Principals that are locked',
    input: nothing,
    output: z.strictObject({ locks: z.array(lock) }),
  },
  'lock.set': {
    http: 'POST /api/locks',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Locks a principal: its sessions end, and those of agents acting for it; new ones are refused',
    input: z.strictObject({ principal: name, reason }),
    output: z.strictObject({ sessions: count }),
  },
  'lock.clear': {
    http: 'POST /api/locks/clear',
    may: supervisors,
    onSocket: true,
    effect: 'write',
    summary: 'Unlocks a principal',
    input: z.strictObject({ principal: name, reason }),
    output: nothing,
  },

  'approval.list': {
    http: 'GET /api/approvals',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'Requests for approval; those that wait, the next to expire first, unless all are asked for',
    input: z.strictObject({ ...page, all: z.stringbool().or(z.boolean()).default(false), session: uuid.optional() }),
    output: z.strictObject({ approvals: z.array(approval), ...nextPage }),
  },
  'approval.show': {
    http: 'GET /api/approvals/{approval}',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'One request, whole',
    input: z.strictObject({ approval: uuid }),
    output: approval,
  },
  'approval.decide': {
    http: 'POST /api/approvals/{approval}/decision',
    may: ['reviewer'],
    onSocket: false,
    effect: 'write',
    summary: "A reviewer's signed word on a request that waits, or, for break-glass, the review of what was done",
    input: z.strictObject(decisionInput),
    output: approval,
  },

  'policy.try': {
    http: 'POST /api/policy/try',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'What the policy in force would say of an action',
    input: z.strictObject({
      principal: name,
      target: name,
      action: z.enum(actions),
      facts: z.record(z.string(), z.unknown()).default({}),
      source: z.string().max(255).default('127.0.0.1:0'),
      authentication: z.string().max(64).default('publickey'),
      time: z.string().max(64).optional(),
      sessionAge: count.default(0),
    }),
    output: z.strictObject({
      verdict: z.enum(['allow', 'deny', 'ask']),
      policies: z.array(z.string()),
      policySet: z.string(),
      reason: z.string(),
      rule: z.string().optional(),
      understood: z.record(z.string(), z.unknown()).optional(),
    }),
  },

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

  'operator.list': {
    http: 'GET /api/operators',
    may: everyRole,
    onSocket: true,
    effect: 'read',
    summary: 'Operators and their roles, and the log-ins and tokens in force',
    input: nothing,
    output: z.strictObject({
      operators: z.array(
        z.strictObject({ name: z.string(), roles: z.array(z.enum(roles)), groups: z.array(z.string()), disabled: z.boolean() }),
      ),
      tokens: z.array(
        z.strictObject({
          id: z.string(),
          operator: z.string(),
          roles: z.array(z.enum(roles)),
          kind: z.enum(['login', 'program']),
          expires: time,
        }),
      ),
    }),
  },
  'operator.token': {
    http: 'POST /api/operators/tokens',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Makes a token for a program, in the name of an operator and with no more than their roles. It is shown once',
    input: z.strictObject({ operator: name, roles: z.array(z.enum(roles)).min(1), days: z.number().int().min(1).max(366), reason }),
    output: z.strictObject({ id: z.string(), token: z.string(), expires: time }),
  },
  'operator.revoke': {
    http: 'POST /api/operators/revoke',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Ends a log-in or a token, or all of an operator',
    input: z.strictObject({ token: z.string().max(64).optional(), operator: name.optional(), reason }),
    output: z.strictObject({ revoked: count }),
  },

  'credential.issue': {
    http: 'POST /api/credentials',
    may: 'anyone',
    onSocket: false,
    effect: 'write',
    summary:
      'A short-lived SSH certificate for a public key: for whoever has logged in, or for the workload that a token of a configured issuer speaks of',
    input: z.strictObject({
      key: keyLine,
      /** A JWT of a configured issuer; without it, the log-in of the request says who it is for. */
      token: z.string().max(65_536).optional(),
      /** Seconds; at most what the configuration allows. */
      seconds: z.number().int().min(30).max(86_400).optional(),
      targets: z.array(name).max(100).optional(),
    }),
    output: z.strictObject({ certificate: z.string(), serial: z.string(), principal: z.string(), validTo: time }),
  },
  'credential.revoke': {
    http: 'POST /api/credentials/revoke',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Revokes a certificate of the gateway by its serial number',
    input: z.strictObject({ serial: z.string().regex(/^\d{1,20}$/), reason }),
    output: nothing,
  },
  'credential.authority': {
    http: 'GET /api/credentials/authority',
    may: 'anyone',
    onSocket: true,
    effect: 'read',
    summary: "The public key of the gateway's certificate authority, and its host key",
    input: nothing,
    output: z.strictObject({ authority: z.string(), hostKey: z.string() }),
  },

  /** Signs a checkpoint over everything that is recorded by now, and answers with it (C2SP signed note). */
  'ledger.sign': {
    http: undefined,
    may: 'local',
    onSocket: true,
    effect: 'write',
    summary: 'Signs a checkpoint over everything that is recorded by now',
    input: nothing,
    output: z.strictObject({ checkpoint: z.string() }),
  },
  /** Records that a bundle was written. Answers with the record's index in the ledger. */
  'export.recorded': {
    http: undefined,
    may: 'local',
    onSocket: true,
    effect: 'write',
    summary: 'Records that a bundle was written',
    input: z.strictObject({
      question: z.record(z.string(), z.unknown()),
      sessions: count,
      records: count,
      leftOut: count,
      /** SHA-256 of the bundle's tag manifest. */
      manifest: sha256,
    }),
    output: z.strictObject({ index: count }),
  },
  /** Records that somebody looked at a session: through its files, on this machine, or which part of one was played. */
  'view.recorded': {
    http: 'POST /api/sessions/{session}/viewed',
    may: everyRole,
    onSocket: true,
    effect: 'write',
    summary: 'Records that a session was looked at',
    input: z.strictObject({
      session: uuid,
      how: z.enum(['play', 'transcript', 'details']),
      channel: count.optional(),
      /** Nanoseconds since the channel opened; of what was shown. */
      from: count.optional(),
      to: count.optional(),
    }),
    output: nothing,
  },
  /** Records that somebody searched the screens of sessions through their files, on this machine. */
  'search.recorded': {
    http: undefined,
    may: 'local',
    onSocket: true,
    effect: 'write',
    summary: 'Records that screens of sessions were searched',
    input: z.strictObject({ query: z.record(z.string().max(32), z.union([z.string().max(1000), z.number()])), results: count }),
    output: nothing,
  },
  /**
   * Signs the statement that a bundle with this tag manifest answers this question as of this checkpoint. The gateway
   * writes the statement itself, so its key signs nothing that somebody else has worded.
   */
  'attestation.sign': {
    http: undefined,
    may: 'local',
    onSocket: true,
    effect: 'write',
    summary: 'Signs the statement of a bundle',
    input: z.strictObject({
      tagManifest: sha256,
      question: z.record(z.string(), z.unknown()),
      /** A checkpoint that this gateway's ledger has signed. */
      checkpoint: z.string().max(16_384),
    }),
    /** A DSSE envelope as JSON. */
    output: z.strictObject({ envelope: z.string() }),
  },

  'hold.set': {
    http: 'POST /api/holds',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Holds sessions: they neither expire nor are they erased',
    input: z.strictObject({ scope: sessionScope, reason }),
    output: z.strictObject({ hold: uuid, sessions: count }),
  },
  'hold.clear': {
    http: 'POST /api/holds/{hold}/clear',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Ends a hold',
    input: z.strictObject({ hold: uuid, reason }),
    output: nothing,
  },
  'retention.run': {
    http: 'POST /api/retention/run',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Deletes what is kept longer than the configuration says, or only says what it would delete',
    input: z.strictObject({ dryRun: z.boolean() }),
    output: z.strictObject({
      dryRun: z.boolean(),
      expired: z.array(retained),
      /** Would have expired if no hold stood on them. */
      held: z.array(retained),
      /** Records without a session that were erased. */
      records: count,
      /** Bytes of recordings that were deleted. */
      bytes: count,
    }),
  },
  'erase.run': {
    http: 'POST /api/erasures',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Carries out a request for erasure that two admins have signed',
    input: z.strictObject({
      /** The request, exactly as it was signed. */
      document: z.string().min(1).max(32_768),
      signatures: z.array(z.strictObject({ key: keyLine, signature })).max(16),
    }),
    output: z.strictObject({ sessions: count, files: count, records: count }),
  },

  'index.rebuild': {
    http: 'POST /api/index/rebuild',
    may: admin,
    onSocket: true,
    effect: 'write',
    summary: 'Makes anew what recordings are replayed and searched by: of one session, or of several at a time, oldest first',
    /** `cursor` of the answer, given back, goes on behind it; without one there are no more. */
    input: z.strictObject({ session: uuid.optional(), cursor: uuid.optional() }),
    /** `bytes` of recordings that were read. */
    output: z.strictObject({ sessions: count, segments: count, bytes: count, ...nextPage }),
  },
} as const satisfies Record<string, OperationShape>;

export type OperationName = keyof typeof operations;
export type OperationInput<N extends OperationName> = z.infer<(typeof operations)[N]['input']>;
export type OperationOutput<N extends OperationName> = z.infer<(typeof operations)[N]['output']>;

interface Schemas<N extends OperationName> {
  readonly input: z.ZodType<OperationInput<N>>;
  readonly output: z.ZodType<OperationOutput<N>>;
}

/** The schemas of an operation, typed so that they go with the types of its name. */
export function schemasOf<N extends OperationName>(name: N): Schemas<N> {
  const schemas: { readonly [M in OperationName]: Schemas<M> } = operations;
  return schemas[name];
}

export function isOperation(candidate: string): candidate is OperationName {
  return Object.hasOwn(operations, candidate);
}
