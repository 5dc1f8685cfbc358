import { createHash } from 'node:crypto';
import { LOGIN_NAMESPACE } from '../../../contract/login-challenge.ts';
import type { OperationName } from '../../../contract/operator-api.ts';
import { type ReviewStatement, reviewSubject, statementText } from '../../../contract/signed-statements.ts';
import { Database } from '../../../gateway/store/database.ts';
import { ssh } from '../../support/clients.ts';
import { endedSessions } from '../../support/recordings.ts';
import { type ReviewerKey, reviewerKey } from '../../support/reviewer-key.ts';
import type { Belongings } from '../../support/temp.ts';
import { openWorld, type World } from '../../support/world.ts';
import { type Answer, ask } from '../api-client.ts';

/** A gateway with sessions that real clients had, and people who look at them, each with a key and a log-in. */
export interface ReviewedWorld extends World {
  /** An operation asked for by one of the people. */
  as(who: string, name: OperationName, input?: Record<string, unknown>): Promise<Answer>;
  token(who: string): string;
  keyOf(who: string): ReviewerKey;
  /** Has an agent run a command at the target, and gives the session when it is over. */
  execute(command: string): Promise<string>;
  withDatabase<Result>(use: (database: Database) => Promise<Result>): Promise<Result>;
  /** What a person's key signs of a session as it is recorded now, with whatever is wanted differently. */
  signedReview(who: string, session: string, said?: Partial<ReviewStatement>): Promise<SignedReview>;
}

export interface SignedReview extends Record<string, unknown> {
  session: string;
  subject: string;
  verdict: string;
  reason: string;
  key: string;
  signature: string;
}

export const ENGINEER = 'engineer@example.com';

export async function openReviewedWorld(
  belongings: Belongings,
  people: Readonly<Record<string, readonly string[]>>,
  configuration: Record<string, unknown> = {},
): Promise<ReviewedWorld> {
  const keys = new Map([...Object.keys(people), ENGINEER].map((name) => [name, reviewerKey()]));
  const keyOf = (who: string): ReviewerKey =>
    keys.get(who) ??
    (() => {
      throw new Error(`nobody is named ${who}`);
    })();
  const world = await openWorld(belongings, {
    agents: 12,
    gateway: { https: true },
    engineer: { operator: ['reviewer', 'auditor'], 'ssh-keys': [keyOf(ENGINEER).line] },
    humans: Object.entries(people).map(([name, operator]) => ({ name, operator, 'ssh-keys': [keyOf(name).line] })),
    configuration,
  });
  const tokens = new Map<string, string>();
  for (const [operator, key] of keys) {
    const { body } = await ask(world.gateway, 'login.challenge', { operator });
    const challenge = String(body.challenge);
    const answer = await ask(world.gateway, 'login.ssh', { challenge, signature: key.sign(challenge, LOGIN_NAMESPACE) });
    if (answer.status !== 200) throw new Error(`${operator} could not log in: ${answer.text}`);
    tokens.set(operator, String(answer.body.token));
  }
  const token = (who: string): string => tokens.get(who) ?? '';
  const withDatabase: ReviewedWorld['withDatabase'] = async (use) => {
    const database = await Database.openForReading(world.gateway.data);
    try {
      return await use(database);
    } finally {
      await database.close();
    }
  };
  return {
    ...world,
    token,
    keyOf,
    withDatabase,
    as: (who, name, input = {}) => ask(world.gateway, name, input, { token: token(who) }),
    execute: async (command) => {
      const route = world.agent();
      await ssh(route, command);
      const [row] = await endedSessions(world.gateway.data, route.principal);
      return row?.id as string;
    },
    signedReview: async (who, session, said = {}) => {
      const { body } = await ask(world.gateway, 'review.show', { session }, { token: token('auditor') });
      const review = {
        session,
        subject: await withDatabase(async (database) => subjectOf(session, await database.segments.ofSession(session))),
        verdict: 'fine' as const,
        reviewer: who,
        reason: 'looked at all of it',
        ...said,
      };
      const { namespace, text } = statementText({ kind: 'review', origin: String(body.origin), review });
      const { reviewer: _, ...given } = review;
      return { ...given, key: keyOf(who).line, signature: keyOf(who).sign(text, namespace) };
    },
  };
}

/** By the contract alone, as a client makes it. */
export function subjectOf(session: string, segments: readonly { channel: number; segment: number; sha256: string }[]): string {
  return createHash('sha256').update(reviewSubject(session, segments), 'utf8').digest('hex');
}
