import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPROVAL_NAMESPACE, type ApprovalRequest, boundText, decisionText } from '../../contract/approval.ts';
import type { Actor, RecordBody, RecordDraft, Resource } from '../../contract/record.ts';
import { uuidV7 } from '../../gateway/base/ids.ts';
import { type KeyPair, makeKey } from './keys.ts';
import { run } from './run.ts';

/** Somebody with an SSH key of their own, who signs as people do: with ssh-keygen. */
export interface Reviewer {
  name: string;
  key: KeyPair;
}

export async function makeReviewer(directory: string, name: string): Promise<Reviewer> {
  return { name, key: await makeKey(directory, name) };
}

export async function signedWith(key: KeyPair, text: string, namespace: string = APPROVAL_NAMESPACE): Promise<string> {
  const file = join(mkdtempSync(`${key.path}-signs-`), 'text');
  writeFileSync(file, text);
  const done = await run('ssh-keygen', ['-Y', 'sign', '-n', namespace, '-f', key.path, file]);
  if (done.status !== 0) throw new Error(done.stderr);
  return readFileSync(`${file}.sig`, 'utf8');
}

const policySet = 'c'.repeat(64);

/** Asks on March 1st 2026 at ten, for a minute. The digest follows from the rest. */
export function request(session: string, change: Partial<ApprovalRequest> = {}): ApprovalRequest {
  const made: ApprovalRequest = {
    id: uuidV7(Date.parse('2026-03-01T10:00:01Z') * 1000),
    rule: 'production',
    digest: '',
    principal: 'deploy-bot',
    kind: 'agent',
    onBehalfOf: 'engineer@example.com',
    source: '192.0.2.7:50022',
    target: { name: 'web-1', kind: 'ssh', address: '192.0.2.10:22' },
    session,
    channel: 0,
    action: 'ssh:exec',
    facts: { command: 'make deploy', terminal: false },
    policies: ['targets.web-1.allow'],
    policySet,
    asked: '2026-03-01T10:00:01.000000Z',
    expires: '2026-03-01T10:01:01.000000Z',
    needed: 1,
    reasonRequired: true,
    grants: 'once',
    breakGlass: false,
    justification: 'release 4711',
    ...change,
  };
  return { ...made, digest: change.digest ?? createHash('sha256').update(boundText(made)).digest('hex') };
}

/** As a schema types it: members that are not there are missing. */
export type Recorded = RecordBody<'approval.asked'>['request'];

function requester({ principal, kind, onBehalfOf, source }: ApprovalRequest): Actor {
  const authentication = { method: 'publickey', key: 'SHA256:abc' };
  return { principal, kind, ...(onBehalfOf === undefined ? {} : { onBehalfOf }), authentication, source };
}

function targetOf({ target }: ApprovalRequest): Resource {
  return { ...target, kind: target.kind as Resource['kind'] };
}

/** Signed with the reviewer's key, over what `signed` says instead where it says it. */
async function decided(
  origin: string,
  asked: ApprovalRequest,
  reviewer: Reviewer,
  change: Partial<RecordBody<'approval.decided'>> & { signed?: Partial<ApprovalRequest>; key?: KeyPair; actor?: Partial<Actor> } = {},
): Promise<RecordDraft<'approval.decided'>> {
  const { signed, key = reviewer.key, actor, ...body } = change;
  const { verdict = 'approve', reason = 'looked at the change' } = body;
  const text = decisionText(origin, { ...asked, ...signed }, { verdict, reviewer: reviewer.name, reason });
  return {
    type: 'approval.decided',
    outcome: verdict === 'approve' ? 'success' : 'denied',
    actor: {
      principal: reviewer.name,
      kind: 'human',
      authentication: { method: 'publickey', key: reviewer.key.fingerprint },
      source: '192.0.2.99:1',
      ...actor,
    },
    target: targetOf(asked),
    session: asked.session,
    body: {
      approval: asked.id,
      digest: asked.digest,
      verdict,
      reason,
      key: key.publicLine,
      signature: await signedWith(key, text),
      state: verdict === 'approve' ? 'approved' : 'denied',
      ...body,
    },
  };
}

async function reviewed(...given: Parameters<typeof decided>): Promise<RecordDraft<'review.signed'>> {
  const made = await decided(...given);
  const { state: _, ...body } = made.body;
  return { ...made, type: 'review.signed', body };
}

export const approval = {
  asked: (asked: ApprovalRequest, actor: Partial<Actor> = {}): RecordDraft<'approval.asked'> => ({
    type: 'approval.asked',
    outcome: 'success',
    actor: { ...requester(asked), ...actor },
    target: targetOf(asked),
    session: asked.session,
    body: { request: asked as Recorded },
  }),

  decided,
  reviewed,

  ended: (
    asked: ApprovalRequest,
    type: 'approval.expired' | 'approval.withdrawn',
  ): RecordDraft<'approval.expired'> | RecordDraft<'approval.withdrawn'> => {
    const common = { outcome: 'denied', actor: requester(asked), target: targetOf(asked), session: asked.session } as const;
    const body = { approval: asked.id, digest: asked.digest };
    return type === 'approval.expired'
      ? { type, ...common, body: { ...body, reason: 'deadline' } }
      : { type, ...common, body: { ...body, reason: 'the client disconnected' } };
  },

  used: (asked: ApprovalRequest, change: Partial<RecordBody<'grant.used'>> & { session?: string } = {}): RecordDraft<'grant.used'> => {
    const { session = asked.session, ...body } = change;
    return {
      type: 'grant.used',
      outcome: 'success',
      actor: requester(asked),
      target: targetOf(asked),
      session,
      body: {
        approval: asked.id,
        askedIn: asked.session,
        digest: asked.digest,
        action: asked.action,
        ...(asked.channel === undefined ? {} : { channel: asked.channel }),
        ...body,
      },
    };
  },
};
