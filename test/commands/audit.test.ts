import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Statement } from '../../gateway/query/audit/statement.ts';
import { AuditedData, decided, finished } from '../query/audit/audited-data.ts';
import { temporaryDirectory } from '../store/support.ts';
import { jsonLines, sallyport } from './run-cli.ts';

async function twoCommands(): Promise<AuditedData> {
  const data = await AuditedData.open();
  const session = await data.openSession('2026-03-10T10:00:00');
  await data.at('2026-03-10T10:00:01', decided(session, 'ssh:exec', { command: 'uptime', terminal: false }));
  await data.at('2026-03-10T10:00:02', finished(session, 'ssh:exec', 0));
  await data.at('2026-03-10T10:00:03', decided(session, 'ssh:exec', { command: '=1+1 \x1b[2J', terminal: false }, { channel: 1 }));
  await data.at('2026-03-10T10:00:04', finished(session, 'ssh:exec', 1, 1));
  await data.closeSession('2026-03-10T10:00:05', session);
  await data.close();
  return data;
}

describe('sallyport audit', () => {
  it('prints a table for people, with a statement of how complete it is', async () => {
    const data = await twoCommands();
    const { code, stdout, stderr } = await sallyport(
      'audit',
      'commands',
      '--data',
      data.directory,
      '--from',
      '2026-03-01',
      '--to',
      '2026-03-31',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^TIME +SESSION .* COMMAND\n2026-03-10 10:00:01 .* 0 +success +uptime\n.* 1 +failure +=1\+1 \\x1b\[2J\n\n/);
    expect(stdout).toContain('Answer: 2 rows, a part of what was asked\n');
    expect(stdout).toContain('Records: indexes 1 to 6, each read and hashed');
    expect(stdout).toContain('Proved: every one of these records is in the ledger of this checkpoint\n');
  });

  it('gives programs a row a line, and the statement last', async () => {
    const data = await twoCommands();
    for (const format of [['--json'], ['--format', 'ndjson']]) {
      const { code, stdout, stderr } = await sallyport('audit', 'commands', '--data', data.directory, ...format);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const lines = jsonLines<Record<string, unknown>>(stdout);
      expect(lines.slice(0, -1)).toMatchObject([{ command: 'uptime' }, { command: '=1+1 \x1b[2J' }]);
      expect(lines.at(-1)).toMatchObject({ statement: { question: 'commands', rows: 2, answered: 'partly', proved: true } });
    }
  });

  it('as CSV leaves standard output to the rows', async () => {
    const data = await twoCommands();
    const { code, stdout, stderr } = await sallyport('audit', 'commands', '--data', data.directory, '--format', 'csv');
    expect(code).toBe(0);
    const lines = stdout.split('\r\n');
    expect(lines[0]).toMatch(/^time,session,human,.*,command,command_bytes,terminal,index$/);
    expect(lines[2]).toContain(",'=1+1 \\x1b[2J,");
    expect(lines).toHaveLength(4);
    expect(stderr).toContain('Answer: 2 rows');
  });

  it('writes a file with its statement beside it, for nobody else to read', async () => {
    const data = await twoCommands();
    const directory = await temporaryDirectory();
    const file = join(directory, 'march.csv');
    const { code, stdout, stderr } = await sallyport('audit', 'commands', '--data', data.directory, '--format', 'csv', '-o', file);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain(`Written: ${file} and ${join(directory, 'march.statement.json')}`);
    const written = await readFile(file);
    const statement = JSON.parse(await readFile(join(directory, 'march.statement.json'), 'utf8')) as Statement & { file: unknown };
    expect(statement).toMatchObject({
      rows: 2,
      file: { name: 'march.csv', bytes: written.length, sha256: createHash('sha256').update(written).digest('hex') },
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['march.csv', 'march.statement.json']);
  });

  it('tells an empty answer from a question that is not recorded', async () => {
    const data = await twoCommands();
    const directory = await temporaryDirectory();
    const empty = await sallyport('audit', 'refused', '--data', data.directory, '--json');
    expect(empty.code).toBe(0);
    expect(jsonLines(empty.stdout)).toMatchObject([{ statement: { rows: 0, answered: 'partly' } }]);

    const silent = await sallyport('audit', 'data-read-changed', '--data', data.directory, '--json');
    expect(silent.code).toBe(1);
    expect(jsonLines(silent.stdout)).toMatchObject([{ statement: { rows: 0, answered: 'no' } }]);
    expect(jsonLines(silent.stderr)).toMatchObject([{ error: { code: 'AUDIT_NOT_RECORDED' } }]);

    const table = await sallyport('audit', 'data-read-changed', '--data', data.directory);
    expect(table.stdout).toContain('This is no answer, and not an empty one.');
    const csv = await sallyport('audit', 'data-read-changed', '--data', data.directory, '--format', 'csv', '-o', join(directory, 'a.csv'));
    expect(csv.code).toBe(1);
    expect(await readdir(directory)).toEqual(['a.statement.json']);
  });

  it('ends with 1 when the records are not in order, and still says what they say', async () => {
    const data = await twoCommands();
    await data.tamper("UPDATE records SET bytes = CAST(replace(CAST(bytes AS TEXT), 'uptime', 'dotime') AS BLOB)");
    const { code, stdout, stderr } = await sallyport('audit', 'commands', '--data', data.directory, '--json');
    expect(code).toBe(1);
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      statement: { proved: false, faults: { words: ['Record 2 was altered: its bytes are not those of its hash'] } },
    });
    expect(jsonLines(stderr)).toMatchObject([
      { error: { code: 'LEDGER_DAMAGED', message: expect.stringContaining('Record 2 was altered') } },
    ]);
  });

  it('lists every question with whether it is answered', async () => {
    const { code, stdout } = await sallyport('audit', '--list', '--json');
    expect(code).toBe(0);
    const listed = jsonLines<{ name: string; answered: string }>(stdout);
    expect(listed.find(({ name }) => name === 'sessions')).toMatchObject({ answered: 'fully' });
    expect(listed.find(({ name }) => name === 'mfa')).toMatchObject({ answered: 'partly' });
    expect(listed.find(({ name }) => name === 'data-read-changed')).toMatchObject({ answered: 'no', limits: [expect.any(String)] });
    expect((await sallyport('audit', '--list')).stdout).toMatch(/^data-read-changed +not recorded yet +Which data was read/m);
  });

  it.each([
    [['audit'], 'No question was asked'],
    [['audit', 'moon', '--data', '.'], 'There is no question moon'],
    [['audit', 'sessions', '--data', '.', '--format', 'xml'], 'There is no format xml'],
    [['audit', 'sessions', '--data', '.', '--format', 'csv', '--json'], 'contradict'],
    [['audit', 'sessions', '--data', '.', '--from', '2026-03-02', '--to', '2026-03-01'], 'ends before it begins'],
    [['audit', 'sessions'], 'which data to read'],
  ])('refuses %j', async (words, says) => {
    const { code, stdout, stderr } = await sallyport(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
  });
});
