import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditRecord } from '../../contract/record.ts';
import { sftp, ssh } from '../support/clients.ts';
import { recordedAs, recordsOf } from '../support/records.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

let world: World;
let open: string;
let closed: string;

beforeAll(async () => {
  const directory = belongings.directory('policy-files');
  [open, closed] = [join(directory, 'open'), join(directory, 'closed')];
  for (const place of [open, closed]) mkdirSync(place);
  const policy = join(directory, 'policy.cedar');
  writeFileSync(
    policy,
    `@id("in") permit(principal is Agent, action in [Action::"connect", Action::"ssh:read-file"], resource in Env::"prod");
@id("sftp") permit(principal is Agent, action == Action::"ssh:subsystem", resource) when { context.subsystem == "sftp" };
@id("write") permit(principal is Agent, action == Action::"ssh:write-file", resource)
when { !context.opaque && context.path like "${open}/*" && (if context has to then context.to like "${open}/*" else true) };
@id("copy") permit(principal is Agent, action == Action::"ssh:exec", resource) when { context.program == "cat" && !context.opaque };
`,
  );
  chmodSync(policy, 0o644);
  world = await openWorld(belongings, { agents: 3, web: { allow: undefined, tags: { env: 'prod' } }, configuration: { policy } });
}, 240_000);

/** What was decided for somebody, once their session is over: records become visible a little after what they tell. */
async function decidedFor({ principal }: { principal: string }): Promise<AuditRecord<'action.decided'>[]> {
  await recordedAs(world.gateway.data, 'session.close', ({ actor }) => actor.principal === principal);
  return (await recordsOf(world.gateway.data, 'action.decided')).filter(({ actor }) => actor.principal === principal);
}

test('a policy about paths holds for real clients, file by file', async () => {
  const local = join(belongings.directory('local'), 'file');
  writeFileSync(local, 'content');
  const route = world.agent();
  const done = await sftp(route, [
    `put ${local} ${open}/a`,
    `-put ${local} ${closed}/b`,
    `-put ${local} ${open}/../closed/c`,
    `-rename ${open}/a ${closed}/d`,
    `-symlink ${closed} ${open}/link`,
    `-rm ${closed}`,
    `rename ${open}/a ${open}/e`,
    `get ${open}/e ${local}.back`,
  ]);
  expect(done.status, done.stderr).toBe(0);
  expect(readFileSync(`${local}.back`, 'utf8')).toBe('content');
  expect([`${open}/a`, `${open}/e`, `${closed}/b`, `${closed}/c`, `${closed}/d`, `${open}/link`].map(existsSync)).toEqual([
    false,
    true,
    false,
    false,
    false,
    false,
  ]);
  const decided = (await decidedFor(route))
    .filter(({ body }) => body.action === 'ssh:write-file')
    .map(({ body }) => [body.facts.operation, body.decision.verdict, body.understood?.opaque]);
  expect(decided).toEqual(
    expect.arrayContaining([
      ['open', 'allow', false],
      ['open', 'deny', false],
      ['rename', 'deny', false],
      ['rename', 'allow', false],
    ]),
  );
});

test('attributes that real clients give are decided with the rest', async () => {
  const local = join(belongings.directory('attributes'), 'file');
  writeFileSync(local, 'content');
  chmodSync(local, 0o640);
  const route = world.agent();
  const done = await sftp(route, [`put -p ${local} ${open}/p`, `chmod 604 ${open}/p`]);
  expect(done.status, done.stderr).toBe(0);
  expect(statSync(`${open}/p`).mode & 0o777).toBe(0o604);
  const decided = (await decidedFor(route))
    .filter(({ body }) => body.action === 'ssh:write-file')
    .map(({ body }) => [body.facts.operation, body.facts.path, body.facts.mode]);
  // The times of `put -p` are set by the handle that was opened for writing.
  expect(decided).toEqual([
    ['open', `${open}/p`, expect.stringMatching(/640$/)],
    ['setstat', `${open}/p`, expect.stringMatching(/604$/)],
  ]);
});

test('a shell redirection is no way round it', async () => {
  const route = world.agent();
  expect((await ssh(route, `cat ${closed}/none > ${closed}/x`)).status).not.toBe(0);
  expect((await ssh(route, `cat /dev/null | tee ${closed}/x`)).status).not.toBe(0);
  expect(existsSync(`${closed}/x`)).toBe(false);
});
