import { createHash } from 'node:crypto';
import { cpSync, createReadStream, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApprovalRequest } from '../../../contract/approval.ts';
import { ZipWriter } from '../../../gateway/query/bundle/zip-writer.ts';
import type { Finding } from '../../../gateway/query/verify/finding.ts';
import { verifyBundle } from '../../../gateway/query/verify/verify-bundle.ts';
import { draft } from '../../store/support.ts';
import { approval, makeReviewer, type Reviewer, request } from '../../support/approval-records.ts';
import { sallyport } from '../../support/gateway.ts';
import { run } from '../../support/run.ts';
import { Belongings } from '../../support/temp.ts';
import { AuditedData } from '../audit/audited-data.ts';
import { bareMachine, exported, runScript, unpacked } from './recorded-world.ts';

const belongings = new Belongings();
let alice: Reviewer;
let bob: Reviewer;
beforeAll(async () => {
  const directory = belongings.directory('reviewers');
  [alice, bob] = await Promise.all([makeReviewer(directory, 'alice@example.com'), makeReviewer(directory, 'bob+night@example.com')]);
});
afterAll(() => belongings.release());

/** Two sessions: in one something is approved by two, denied by one, and forged; the other needs nobody's consent. */
async function approved(
  options: { forged?: boolean } = {},
): Promise<{ data: AuditedData; session: string; other: string; asked: ApprovalRequest; denied: ApprovalRequest }> {
  const data = await AuditedData.open('2026-03-01T09:00:00');
  const origin = data.evidence.ledger.key.name;
  const [session, other] = [await data.openSession('2026-03-01T10:00:00'), await data.openSession('2026-03-01T10:00:00')];
  const asked = request(session, { needed: 2, facts: { command: 'echo "ü & </script>" \u2028', terminal: false } });
  const denied = request(session);
  await data.at('2026-03-01T10:00:01', approval.asked(asked), approval.asked(denied));
  const second = await approval.decided(origin, asked, bob, { reason: 'agreed, see "ticket" 4711\n' });
  await data.at(
    '2026-03-01T10:00:20',
    await approval.decided(origin, asked, alice, { state: 'waiting' }),
    options.forged === true ? { ...second, body: { ...second.body, reason: 'something else' } } : second,
    await approval.decided(origin, denied, alice, { verdict: 'deny' }),
    approval.used(asked),
  );
  for (const each of [session, other]) {
    const close = draft.sessionClose(each);
    await data.at('2026-03-01T11:00:00', { ...close, body: { ...close.body, channels: 0 } });
  }
  await data.close();
  return { data, session, other, asked, denied };
}

async function findingsOf(path: string): Promise<Finding[]> {
  const found: Finding[] = [];
  await verifyBundle(path, {}, (finding) => found.push(finding));
  return found;
}

async function faultsOf(path: string): Promise<Finding[]> {
  return (await findingsOf(path)).filter(({ severity }) => severity === 'fault');
}

/** Exported once, for all who change something in a copy of it. */
let whole: Promise<{ bag: string; asked: ApprovalRequest }> | undefined;

function unpackedOnce(): Promise<{ bag: string; asked: ApprovalRequest }> {
  const make = async () => {
    const { data, asked } = await approved();
    return { bag: await unpacked(belongings, await exported(belongings, data.directory)), asked };
  };
  whole ??= make();
  return whole;
}

/** As VERIFY.md says it, by hand. */
function keygen(bag: string, name: string, decision: string) {
  const [signers, signature] = [join(bag, 'data/keys/reviewers.allowed_signers'), join(bag, `data/approvals/${decision}.sig`)];
  return run('ssh-keygen', ['-Y', 'verify', '-f', signers, '-I', name, '-n', 'sallyport-approval', '-s', signature], {
    input: readFileSync(join(bag, `data/approvals/${decision}.json`)),
  });
}

describe('a bundle with approvals', () => {
  it('has each decision as it was signed, which stock ssh-keygen verifies, and is intact', async () => {
    const { data, asked, denied } = await approved();
    const path = await exported(belongings, data.directory);
    expect(await faultsOf(path)).toEqual([]);
    const bag = await unpacked(belongings, path);
    const files = [`${asked.id}.1`, `${asked.id}.2`, `${denied.id}.1`].flatMap((name) => [`${name}.json`, `${name}.sig`]);
    expect(readdirSync(join(bag, 'data/approvals')).toSorted()).toEqual(files.toSorted());
    for (const [name, decision] of [
      [alice.name, `${asked.id}.1`],
      [bob.name, `${asked.id}.2`],
      [alice.name, `${denied.id}.1`],
    ] as const) {
      const verified = await keygen(bag, name, decision);
      expect(verified.status, verified.stderr).toBe(0);
      expect(verified.stdout.toString()).toContain('Good "sallyport-approval" signature');
    }
    expect((await keygen(bag, bob.name, `${asked.id}.1`)).status).not.toBe(0);
    const text = join(bag, `data/approvals/${asked.id}.1.json`);
    writeFileSync(text, readFileSync(text, 'utf8').replace('echo', 'eche'));
    expect((await keygen(bag, alice.name, `${asked.id}.1`)).status).not.toBe(0);
    expect(readFileSync(join(bag, 'data/VERIFY.md'), 'utf8')).toContain('ssh-keygen -Y verify -f data/keys/reviewers.allowed_signers');
  });

  it('is checked by its script, which leaves the signatures of reviewers to ssh-keygen and says so', async () => {
    const { bag } = await unpackedOnce();
    const done = await runScript(await bareMachine(belongings, 'sh', 'awk'), bag);
    expect(done.status, done.stdout.toString()).toBe(0);
    expect(done.stdout.toString()).toContain('ssh-keygen checks that, see data/VERIFY.md');
  });

  it('of a session without approvals has none of it', async () => {
    const { data, other } = await approved();
    const path = await exported(belongings, data.directory, [other]);
    expect(await faultsOf(path)).toEqual([]);
    const bag = await unpacked(belongings, path);
    expect([existsSync(join(bag, 'data/approvals')), existsSync(join(bag, 'data/keys/reviewers.allowed_signers'))]).toEqual([false, false]);
  });

  it('of one session brings the approvals of that session with it', async () => {
    const { data, session, asked } = await approved();
    const path = await exported(belongings, data.directory, [session]);
    expect(await faultsOf(path)).toEqual([]);
    expect(existsSync(join(await unpacked(belongings, path), `data/approvals/${asked.id}.2.sig`))).toBe(true);
  });

  it('of a session that used what was approved in another one says that this is not in it', async () => {
    const data = await AuditedData.open('2026-03-01T09:00:00');
    const [first, second] = [await data.openSession('2026-03-01T10:00:00'), await data.openSession('2026-03-01T10:00:00')];
    const asked = request(first, { grants: 3600 });
    await data.at('2026-03-01T10:00:01', approval.asked(asked));
    await data.at(
      '2026-03-01T10:00:20',
      await approval.decided(data.evidence.ledger.key.name, asked, alice),
      approval.used(asked, { session: second }),
    );
    await data.close();
    const found = await findingsOf(await exported(belongings, data.directory, [second]));
    expect(found.filter(({ severity }) => severity === 'fault')).toEqual([]);
    expect(found.map(({ words }) => words)).toContainEqual(expect.stringContaining('asked for in a session that is not in this bundle'));
  });

  it('in which a session used what nobody had asked for in it says so', async () => {
    const data = await AuditedData.open('2026-03-01T09:00:00');
    const session = await data.openSession('2026-03-01T10:00:00');
    await data.at('2026-03-01T10:00:20', approval.used(request(session)));
    await data.close();
    const found = await faultsOf(await exported(belongings, data.directory, [session]));
    expect(found.map(({ words }) => words)).toEqual([expect.stringContaining('no record says that it was asked for')]);
  });

  it('in which a decision is forged says so, and does not name a key for it', async () => {
    const { data, asked } = await approved({ forged: true });
    const path = await exported(belongings, data.directory);
    const faults = await faultsOf(path);
    expect(faults.map(({ code }) => code)).toEqual(['forged', 'inconsistent']);
    const bag = await unpacked(belongings, path);
    expect((await keygen(bag, bob.name, `${asked.id}.2`)).status).not.toBe(0);
    expect(readFileSync(join(bag, 'data/keys/reviewers.allowed_signers'), 'utf8')).not.toContain(bob.name);
    expect((await sallyport(['verify', path])).status).toBe(1);
  });

  it.each([
    ['altered', 'a text', ({ id }: ApprovalRequest) => `data/approvals/${id}.1.json`, flip],
    ['altered', 'a signature', ({ id }: ApprovalRequest) => `data/approvals/${id}.2.sig`, flip],
    ['altered', 'a key', () => 'data/keys/reviewers.allowed_signers', flip],
    ['missing', 'a text', ({ id }: ApprovalRequest) => `data/approvals/${id}.2.json`, (file: string) => rmSync(file)],
    ['added', 'a decision that nobody made', () => 'data/approvals/more.1.json', (file: string) => writeFileSync(file, '{}')],
  ] as const)('is not intact with %s: %s, also when every manifest is made anew', async (code, _, named, change) => {
    const { bag: original, asked } = await unpackedOnce();
    const bag = join(belongings.directory('changed'), 'bag');
    cpSync(original, bag, { recursive: true });
    const file = named(asked);
    change(join(bag, file));
    const found = (await faultsOf(await packedAnew(bag))).filter(({ where }) => where.file === file);
    expect(found.map((finding) => finding.code)).toEqual([code]);
  });
});

function flip(file: string): void {
  const bytes = readFileSync(file);
  bytes[10] = (bytes[10] as number) ^ 1;
  writeFileSync(file, bytes);
}

/** With manifests that fit, as somebody without the key would make them: the attestation does not fit any more. */
async function packedAnew(bag: string): Promise<string> {
  const files = readdirSync(join(bag, 'data'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(bag.length + 1));
  const line = (name: string) =>
    `${createHash('sha256')
      .update(readFileSync(join(bag, name)))
      .digest('hex')}  ${name}\n`;
  writeFileSync(join(bag, 'manifest-sha256.txt'), files.map(line).join(''));
  writeFileSync(join(bag, 'tagmanifest-sha256.txt'), ['bagit.txt', 'bag-info.txt', 'manifest-sha256.txt'].map(line).join(''));
  const path = join(belongings.directory('packed'), 'bundle.zip');
  const file = await open(path, 'w');
  const zip = new ZipWriter(file);
  const tags = [
    'bagit.txt',
    'bag-info.txt',
    'manifest-sha256.txt',
    'tagmanifest-sha256.txt',
    'attestation.dsse.json',
    'attestation.txt',
    'attestation.sig',
  ];
  for (const name of [...files, ...tags]) await zip.add(name, createReadStream(join(bag, name)));
  await zip.finish();
  await file.close();
  return path;
}
