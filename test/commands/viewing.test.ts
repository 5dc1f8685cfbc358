import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AuditedData } from '../query/audit/audited-data.ts';
import { RecordedData } from '../query/recorded.ts';
import { verify } from '../query/verify/evidence.ts';
import { temporaryDirectory } from '../store/support.ts';
import { recordsOf } from '../support/records.ts';
import { sallyport } from './run-cli.ts';

const views = async (directory: string) =>
  (await recordsOf(directory, 'access.viewed')).map(({ actor, session, target, body }) => ({
    who: actor.principal,
    by: actor.authentication?.method,
    session,
    target: target.name,
    ...body,
  }));

const user = userInfo().username;
const UNRECORDED = 'it could not be recorded that this is looked at';

/** Closed, signed, and with a session that has nothing to show but its head. */
async function stopped(): Promise<{ data: string; session: string }> {
  const data = await AuditedData.open('2026-03-01T09:00:00');
  const session = await data.session('2026-03-01T10:00:00', '2026-03-01T11:00:00');
  await data.close();
  return { data: data.directory, session };
}

describe('looking at a session', () => {
  it('is recorded by the gateway that runs: who, what and how', async () => {
    const data = await RecordedData.open();
    const session = await data.exec('id', 'uid=0\n');
    const [shown, cast, played] = [
      await sallyport('transcript', session, '--data', data.directory),
      await sallyport('cast', `${session}/0`, '--data', data.directory),
      await sallyport('play', session, '--data', data.directory),
    ];
    expect([shown.code, cast.code, shown.stderr, cast.stderr]).toEqual([0, 0, '', '']);
    expect(played.stderr).not.toContain(UNRECORDED);
    const common = { who: user, by: 'local-user', session, target: 'web-1' };
    expect(await views(data.directory)).toEqual([
      { ...common, how: 'transcript' },
      { ...common, how: 'play', channel: 0 },
      { ...common, how: 'play', channel: 0 },
    ]);
  });

  it('is recorded where no gateway runs, and what was signed before stays verified', async () => {
    const { data, session } = await stopped();
    const shown = await sallyport('transcript', session, '--data', data);
    expect([shown.code, shown.stderr]).toEqual([0, '']);
    expect(shown.stdout).toContain(session);
    expect(await views(data)).toMatchObject([{ who: user, session, how: 'transcript' }]);
    const { findings, outcome } = await verify(data);
    expect(outcome.ledger).toMatchObject({ agrees: true, signed: true, uncovered: 0 });
    // The session in these records has a channel that was never opened; nothing else is wrong.
    expect(findings.filter(({ severity }) => severity === 'fault').map(({ code }) => code)).toEqual(['missing']);
  });

  it('is not recorded when there is no such session', async () => {
    const { data } = await stopped();
    expect((await sallyport('transcript', 'ffffffff', '--data', data)).code).toBe(1);
    expect(await views(data)).toEqual([]);
  });

  it('goes on where it cannot be recorded, and says so: of a directory without its ledger or its key', async () => {
    const { data, session } = await stopped();
    rmSync(join(data, 'keys', 'ledger.key'));
    const withoutKey = await sallyport('transcript', session, '--data', data);
    rmSync(join(data, 'ledger'), { recursive: true });
    const withoutLedger = await sallyport('transcript', session, '--data', data);
    for (const shown of [withoutKey, withoutLedger]) {
      expect([shown.code, shown.stderr.trim().split('\n').length]).toEqual([0, 1]);
      expect(shown.stderr).toContain(UNRECORDED);
      expect(shown.stdout).toContain(session);
    }
    expect(withoutKey.stderr).toContain('signing key');
    expect(withoutLedger.stderr).toContain('has no ledger');
    expect(await views(data)).toEqual([]);
  });

  it('changes nothing in a directory of an older version', async () => {
    const data = join(await temporaryDirectory(), 'data');
    mkdirSync(data);
    cpSync(join(import.meta.dirname, '../fixtures/data-directory-0.1/stopped'), data, { recursive: true });
    const before = readFileSync(join(data, 'sallyport.db'));
    const listed = await sallyport('sessions', '--data', data, '--json');
    const { id } = JSON.parse(listed.stdout.split('\n')[0] ?? '') as { id: string };
    const shown = await sallyport('transcript', id, '--data', data);
    expect([shown.code, shown.stderr]).toEqual([0, expect.stringContaining('written by an older version')]);
    expect(readFileSync(join(data, 'sallyport.db')).equals(before)).toBe(true);
  });

  // Only root reads what belongs to others.
  it.skipIf(process.getuid?.() !== 0)(
    'of data that belongs to somebody else is shown to whoever may read it, without a file of theirs in it',
    async () => {
      const { data, session } = await stopped();
      execFileSync('chown', ['-R', '65534:65534', data]);
      const shown = await sallyport('transcript', session, '--data', data);
      expect([shown.code, shown.stderr]).toEqual([0, expect.stringContaining(UNRECORDED)]);
      expect(execFileSync('find', [data, '-not', '-uid', '65534']).toString()).toBe('');
    },
  );

  it('does not wait long for somebody who has the data and does not answer', async () => {
    const data = await AuditedData.open('2026-03-01T09:00:00');
    const session = await data.session('2026-03-01T10:00:00', '2026-03-01T11:00:00');
    const began = performance.now();
    const shown = await sallyport('transcript', session, '--data', data.directory);
    expect([shown.code, shown.stderr]).toEqual([0, expect.stringContaining(UNRECORDED)]);
    // Commands that have to write wait for fifteen seconds.
    expect(performance.now() - began).toBeLessThan(14_000);
  });
});
