import { z } from 'zod';
import { actions } from './policy.ts';

/**
 * Audit records: one fact each, kept for years. The bytes that count are the canonical JSON (RFC 8785) of these
 * objects; docs/recording-format.md describes every type for readers who have none of our code.
 */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
const count = z.number().int().nonnegative();

/** An OpenSSH certificate that somebody logged in with. `ca` is the fingerprint of the key that signed it. */
const certificateSchema = z.strictObject({ id: z.string(), serial: z.string(), ca: z.string(), validTo: z.string() });
export type CertificateFacts = z.infer<typeof certificateSchema>;

/** Who did it, for whom, how that was established and from where. */
export const actorSchema = z.strictObject({
  principal: z.string(),
  kind: z.enum(['human', 'agent', 'gateway', 'unknown']),
  onBehalfOf: z.string().optional(),
  /** How the principal was authenticated, for example `publickey` with the key's SHA256 fingerprint. */
  authentication: z
    .strictObject({
      method: z.string(),
      key: z.string().optional(),
      certificate: certificateSchema.optional(),
      /** Of an identity provider: its issuer, and how it says that it authenticated them (OpenID Connect Core, section 2). */
      provider: z
        .strictObject({ issuer: z.string(), subject: z.string(), amr: z.array(z.string()).optional(), acr: z.string().optional() })
        .optional(),
      /** Of a log-in by a one-time code: its `operator.link`, who made it, and how that one was authenticated. */
      link: z.strictObject({ id: z.string(), by: z.string(), method: z.string() }).optional(),
    })
    .optional(),
  /** Origin: `address:port` of the client, or the gateway's host name. */
  source: z.string(),
});
export type Actor = z.infer<typeof actorSchema>;

/** What was reached. The gateway itself is the resource of its own records. */
export const resourceSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(['gateway', 'unknown', 'ssh', 'shell', 'postgres', 'mysql', 'mcp']),
  address: z.string().optional(),
});
export type Resource = z.infer<typeof resourceSchema>;

export const outcomeSchema = z.enum(['success', 'denied', 'failure']);
export type Outcome = z.infer<typeof outcomeSchema>;

const streamDigest = z.strictObject({
  /** Offset of the first byte in the stream of its channel. */
  offset: count,
  bytes: count,
  sha256,
});

const writtenFile = z.strictObject({ file: z.string(), bytes: count, sha256 });

/** Which sessions a hold or a question is about: those that meet every member. At least one member is there. */
export const sessionScope = z
  .strictObject({
    session: uuid.optional(),
    principal: z.string().optional(),
    onBehalfOf: z.string().optional(),
    target: z.string().optional(),
    protocol: z.string().optional(),
    state: z.enum(['live', 'closed', 'recovered', 'erased']).optional(),
    text: z.string().optional(),
    /** Started at or after, and before, these times. */
    from: z.string().optional(),
    to: z.string().optional(),
  })
  .refine((scope) => Object.values(scope).some((member) => member !== undefined), 'a scope says at least one thing');
export type SessionScope = z.infer<typeof sessionScope>;

/** What a client and the gateway agreed on before it logged in, each as SSH names it (RFC 4253 section 7.1). */
const transportSchema = z.strictObject({
  keyExchange: z.string(),
  hostKey: z.string(),
  cipher: z.strictObject({ in: z.string(), out: z.string() }),
  /** `none` where the cipher authenticates by itself. */
  mac: z.strictObject({ in: z.string(), out: z.string() }),
});
export type NegotiatedTransport = z.infer<typeof transportSchema>;

const exitSchema = z.strictObject({ status: z.number().int().optional(), signal: z.string().optional() });
const bytesPerStream = z.strictObject({ i: count, o: count, e: count });
const verdictSchema = z.enum(['allow', 'deny', 'ask']);
/** `rule`: by which an approval is asked for, or, of an operator who steps through a session, `step`. */
const decisionSchema = z.strictObject({
  verdict: verdictSchema,
  policies: z.array(z.string()),
  policySet: z.string(),
  rule: z.string().optional(),
});

/** See contract/approval.ts, which says what each member is. */
export const approvalRequestSchema = z.strictObject({
  id: uuid,
  rule: z.string(),
  digest: sha256,
  principal: z.string(),
  kind: z.enum(['human', 'agent']),
  onBehalfOf: z.string().optional(),
  source: z.string(),
  target: z.strictObject({ name: z.string(), kind: z.string(), address: z.string().optional() }),
  session: uuid,
  channel: count.optional(),
  action: z.enum(actions),
  facts: z.record(z.string(), z.unknown()),
  policies: z.array(z.string()),
  policySet: z.string(),
  asked: z.string(),
  expires: z.string(),
  needed: count,
  reasonRequired: z.boolean(),
  grants: z.union([z.enum(['once', 'session']), count]),
  breakGlass: z.boolean(),
  justification: z.string().optional(),
});

/** A reviewer's word, with the SSHSIG signature over `decisionText` of contract/approval.ts. `key` is a line. */
const signedDecisionSchema = z.strictObject({
  approval: uuid,
  digest: sha256,
  verdict: z.enum(['approve', 'deny']),
  reason: z.string(),
  key: z.string(),
  signature: z.string(),
});

/** What an operator does to a running session, and why. */
const supervision = z.strictObject({ reason: z.string() });

/** The body of each record type. */
export const recordBodies = {
  'gateway.start': z.strictObject({
    version: z.string(),
    runtime: z.string(),
    crypto: z.enum(['native', 'javascript']),
    configuration: sha256,
    listeners: z.array(z.string()),
  }),
  'gateway.stop': z.strictObject({ reason: z.string() }),
  'config.changed': z.strictObject({ configuration: sha256, previous: sha256 }),
  /** What decides from here on. A text that is too long for one record comes in several, in their order. */
  'policy.changed': z.strictObject({
    policySet: sha256,
    previous: sha256.optional(),
    source: z.enum(['allow-lists', 'cedar']),
    text: z.string(),
    /** From 1. */
    part: count,
    parts: count,
  }),
  /** Who is known has changed, at a start or a reload: `state` is what holds from here on. */
  'identity.changed': z.strictObject({
    principal: z.string(),
    kind: z.enum(['human', 'agent']),
    state: z.enum(['known', 'disabled', 'removed']),
    onBehalfOf: z.string().optional(),
    groups: z.array(z.string()),
    operator: z.array(z.string()),
  }),
  'auth.refused': z.strictObject({
    protocol: z.string(),
    method: z.string(),
    user: z.string(),
    key: z.string().optional(),
    reason: z.string(),
  }),
  'session.refused': z.strictObject({ protocol: z.string(), code: z.string(), reason: z.string(), requested: z.string() }),
  'session.open': z.strictObject({
    protocol: z.string(),
    requested: z.string(),
    client: z.string(),
    decision: decisionSchema,
    /** Of the client's connection, at its beginning. Missing in records before 0.2. */
    transport: transportSchema.optional(),
    /** The connection that this one came through (ProxyJump), where the gateway was the jump host. */
    via: z.strictObject({ principal: z.string(), source: z.string() }).optional(),
  }),
  'session.close': z.strictObject({
    reason: z.string(),
    code: z.string().optional(),
    /** Milliseconds on the monotonic clock. */
    duration: count,
    channels: count,
    bytes: bytesPerStream,
  }),
  'session.recovered': z.strictObject({
    channels: z.array(
      z.strictObject({
        channel: count,
        /** Nanoseconds since the channel opened, of the last whole frame. */
        lastFrameAt: count,
        frames: count,
        tornBytes: count,
        /** Set when a journal file could not be read at all and was set aside under this name. */
        setAside: z.string().optional(),
      }),
    ),
  }),
  'channel.open': z.strictObject({ channel: count, kind: z.string(), detail: z.record(z.string(), z.unknown()) }),
  'channel.close': z.strictObject({
    channel: count,
    reason: z.string(),
    exit: exitSchema.optional(),
    bytes: bytesPerStream,
    segments: count,
  }),
  'segment.sealed': z.strictObject({
    channel: count,
    segment: count,
    /** Path below the data directory. */
    file: z.string(),
    bytes: count,
    sha256,
    /** Nanoseconds since the channel opened: where the segment begins and ends. */
    from: count,
    to: count,
    events: count,
    streams: z.strictObject({ i: streamDigest, o: streamDigest, e: streamDigest }),
    /** The segment's cast text, decompressed, so that it can be checked without zstd. Missing in records before 0.2. */
    text: z.strictObject({ bytes: count, lines: count, sha256 }).optional(),
    attachments: z.array(writtenFile),
    /** Times that input was left out because a secret was asked for; missing where that did not happen, and in records before 0.2. */
    redacted: count.optional(),
  }),
  'action.decided': z.strictObject({
    channel: count,
    action: z.string(),
    /** SHA-256 of the canonical JSON of the facts. */
    digest: sha256,
    facts: z.record(z.string(), z.unknown()),
    /** What policy understood of the facts, where it looks into them. */
    understood: z.record(z.string(), z.unknown()).optional(),
    decision: decisionSchema,
  }),
  'action.finished': z.strictObject({
    channel: count,
    action: z.string(),
    digest: sha256,
    exit: exitSchema.optional(),
    result: z.record(z.string(), z.unknown()),
  }),
  /** Free space crossed a limit of the reserve, in either direction. Bytes. */
  'storage.changed': z.strictObject({ state: z.enum(['ample', 'low', 'critical']), free: count, reserve: count }),
  /** The first record of a ledger, or the first after an upgrade: `taken` older records became its first entries. */
  'ledger.created': z.strictObject({ origin: z.string(), key: z.string(), taken: count }),
  /** Verifier keys as in C2SP signed-note. `endorsed`: the next checkpoint is signed with the former key as well. */
  'key.rotated': z.strictObject({ origin: z.string(), previous: z.string(), next: z.string(), endorsed: z.boolean() }),
  'hold.set': z.strictObject({ hold: uuid, scope: sessionScope, reason: z.string() }),
  'hold.cleared': z.strictObject({ hold: uuid, reason: z.string() }),
  'retention.run': z.strictObject({
    trigger: z.enum(['daily', 'command']),
    /** Sessions expired, and sessions that would have been if no hold stood on them. */
    expired: count,
    held: count,
    /** Records without a session (refusals) that were erased. */
    records: count,
    /** Bytes of recordings that were deleted. */
    bytes: count,
  }),
  /** What was erased of one session, or, without `session`, of records that belong to none. */
  erased: z.strictObject({
    basis: z.enum(['retention', 'request']),
    reason: z.string(),
    /** What stays known of the session. */
    remains: z.strictObject({ started: z.string(), ended: z.string().nullable(), protocol: z.string(), channels: count }).optional(),
    files: z.array(writtenFile),
    /** Ranges of ledger indexes, both ends included, whose bytes are gone; their hashes stay in the ledger. */
    records: z.array(z.tuple([count, count])),
    /** One erasure may need several records. From 1. */
    part: count,
    parts: count,
    /** The request exactly as it was signed, and the SSHSIG signatures of the operators who asked for it. */
    request: z
      .strictObject({
        document: z.string(),
        signatures: z.array(z.strictObject({ principal: z.string(), key: z.string(), signature: z.string() })),
      })
      .optional(),
  }),
  /** Somebody's consent is needed. Durable before anybody is shown it. */
  'approval.asked': z.strictObject({ request: approvalRequestSchema }),
  /** `state` is that of the request after it: `waiting` where more reviewers are needed. The actor is the reviewer. */
  'approval.decided': signedDecisionSchema.extend({ state: z.enum(['waiting', 'approved', 'denied']) }),
  'approval.expired': z.strictObject({ approval: uuid, digest: sha256, reason: z.enum(['deadline', 'gateway-restarted']) }),
  'approval.withdrawn': z.strictObject({ approval: uuid, digest: sha256, reason: z.string() }),
  /**
   * What was approved begins now. Written before it is delivered; one of these for a grant of one use. `askedIn` is the
   * session that the approval was asked for in, which is another one where a grant is good for a time.
   */
  'grant.used': z.strictObject({ approval: uuid, askedIn: uuid, digest: sha256, action: z.enum(actions), channel: count.optional() }),
  /** Of break-glass: somebody else looked at what was done. */
  'review.signed': signedDecisionSchema,
  /** A note of an operator on a moment of a session; `at`: nanoseconds since the channel opened. */
  'review.noted': z.strictObject({ note: uuid, channel: count, at: count, text: z.string() }),
  /** A session was signed off. The signature is over its statement (contract/signed-statements.ts). */
  'session.reviewed': z.strictObject({
    subject: sha256,
    verdict: z.enum(['fine', 'concern']),
    reason: z.string(),
    /** Nanoseconds of the recordings that the reviewer had been shown, and that there were. */
    watched: z.strictObject({ nanos: count, of: count }),
    key: z.string(),
    signature: z.string(),
  }),
  /** A key that signs for an operator, beside those of the configuration. `key`: a line; `signature`: by itself, when added. */
  'operator.key': z.strictObject({
    operator: z.string(),
    change: z.enum(['added', 'removed']),
    key: z.string(),
    fingerprint: z.string(),
    label: z.string(),
    signature: z.string().optional(),
    reason: z.string().optional(),
  }),
  /** A code was made that logs an operator in once. */
  'operator.link': z.strictObject({ link: z.string(), operator: z.string(), validTo: z.string() }),
  'supervise.message': z.strictObject({ text: z.string() }),
  'supervise.pause': supervision,
  'supervise.resume': supervision,
  'supervise.step': supervision.extend({ on: z.boolean() }),
  /** Both legs are closed. */
  'supervise.terminate': supervision,
  'principal.locked': z.strictObject({ principal: z.string(), reason: z.string(), sessions: count }),
  'principal.unlocked': z.strictObject({ principal: z.string(), reason: z.string() }),
  'credential.issued': z.strictObject({
    credential: z.enum(['ssh-certificate', 'operator-token']),
    /** Serial number of a certificate, id of a token. */
    id: z.string(),
    principal: z.string(),
    onBehalfOf: z.string().optional(),
    /** Fingerprint of the key that was certified. */
    key: z.string().optional(),
    roles: z.array(z.string()).optional(),
    /** The targets that it is good for; missing for all that policy allows. */
    targets: z.array(z.string()).optional(),
    validFrom: z.string(),
    validTo: z.string(),
    /** What was shown for it: the method, and of a token of another issuer its issuer, subject and id. */
    proof: z.record(z.string(), z.unknown()),
  }),
  'credential.revoked': z.strictObject({ credential: z.enum(['ssh-certificate', 'operator-token']), id: z.string(), reason: z.string() }),
  'operator.login': z.strictObject({ method: z.string(), roles: z.array(z.string()), token: z.string(), validTo: z.string() }),
  'operator.logout': z.strictObject({ token: z.string() }),
  /** Part of a session was looked at; `from` and `to` are nanoseconds since its channel opened. */
  'access.viewed': z.strictObject({
    how: z.enum(['watch', 'play', 'transcript', 'details']),
    channel: count.optional(),
    from: count.optional(),
    to: count.optional(),
  }),
  /** A question of an audit was asked. */
  'access.audited': z.strictObject({ question: z.string(), parameters: z.record(z.string(), z.unknown()), rows: count }),
  'access.searched': z.strictObject({ query: z.record(z.string(), z.unknown()), results: count }),
  'access.exported': z.strictObject({
    question: z.record(z.string(), z.unknown()),
    sessions: count,
    records: count,
    /** Sessions that answered the question and were left out, for example because they are erased. */
    leftOut: count,
    /** SHA-256 of the bundle's tag manifest. */
    manifest: sha256,
  }),
} as const;

export type RecordType = keyof typeof recordBodies;
export type RecordBody<T extends RecordType> = z.infer<(typeof recordBodies)[T]>;

const envelope = {
  id: uuid,
  /** UTC, microseconds: `2026-03-01T09:30:00.123456Z`. */
  time: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
  /** 16 random bytes in hexadecimal, so that a short record can't be guessed from its hash. */
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  outcome: outcomeSchema,
  actor: actorSchema,
  target: resourceSchema,
  session: uuid.optional(),
};

/** The schema of one whole record of the given type. */
export function recordSchema<T extends RecordType>(type: T) {
  return z.strictObject({ ...envelope, type: z.literal(type), body: recordBodies[type] });
}

export type AuditRecord<T extends RecordType = RecordType> = {
  [K in T]: {
    id: string;
    time: string;
    nonce: string;
    type: K;
    outcome: Outcome;
    actor: Actor;
    target: Resource;
    session?: string;
    body: RecordBody<K>;
  };
}[T];

/** What a caller says of a fact; id, time and nonce are added when it is appended. */
export type RecordDraft<T extends RecordType = RecordType> = {
  [K in T]: { type: K; outcome: Outcome; actor: Actor; target: Resource; session?: string; body: RecordBody<K> };
}[T];

/** Bytes of canonical JSON that one record may have. */
export const MAX_RECORD_BYTES = 64 * 1024;
