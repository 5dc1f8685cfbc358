import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SessionRow } from '../../contract/session.ts';
import { RecordedData } from '../query/recorded.ts';
import { temporaryDirectory } from '../store/support.ts';
import { jsonLines, mainFile, run, sallyport } from './run-cli.ts';

const human = { principal: 'reviewer@example.com', kind: 'human', onBehalfOf: undefined } as const;

async function twoSessions(): Promise<{ directory: string; older: string; newer: string; data: RecordedData }> {
  const data = await RecordedData.open();
  const older = await data.exec('SELECT all_the_things', 'x\n');
  const newer = await data.exec('uptime', 'y\n', { actor: human });
  return { directory: data.directory, older, newer, data };
}

describe('sallyport sessions', () => {
  it('lists sessions newest first, with every promised member, beside the running gateway', async () => {
    const { directory, older, newer } = await twoSessions();
    const { code, stdout, stderr } = await sallyport('sessions', '--data', directory, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = jsonLines<SessionRow>(stdout);
    expect(rows.map(({ id }) => id)).toEqual([newer, older]);
    expect(rows[1]).toEqual({
      id: older,
      started: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      ended: expect.stringMatching(/Z$/),
      state: 'closed',
      principal: 'deploy-bot',
      principalKind: 'agent',
      onBehalfOf: 'engineer@example.com',
      target: 'web-1',
      protocol: 'ssh',
      source: '192.0.2.7:50022',
      channels: 1,
      bytesIn: 1,
      bytesOut: 5,
      reason: 'the client disconnected',
    });
  });

  it('filters by every criterion', async () => {
    const { directory, older, newer, data } = await twoSessions();
    const live = (await data.openSession()).id;
    const found = async (...words: string[]) =>
      jsonLines<SessionRow>((await sallyport('sessions', '--data', directory, '--json', ...words)).stdout).map(({ id }) => id);
    const listed = jsonLines<SessionRow>((await sallyport('sessions', '--data', directory, '--json')).stdout);
    // The same day, but for somebody who runs this at midnight.
    const [last, first] = [0, -1].map((at) => listed.at(at)?.started.slice(0, 10) ?? '') as [string, string];
    expect(await found('--principal', 'reviewer@example.com')).toEqual([newer]);
    expect(await found('--on-behalf-of', 'engineer@example.com')).toEqual([live, older]);
    expect(await found('--target', 'web-1', '--protocol', 'ssh')).toEqual([live, newer, older]);
    expect(await found('--target', 'web-2')).toEqual([]);
    expect(await found('--state', 'live')).toEqual([live]);
    expect(await found('--text', 'select ALL_the')).toEqual([older]);
    expect(await found('--text', '%')).toEqual([]);
    expect(await found('--from', first, '--to', last)).toEqual([live, newer, older]);
    expect(await found('--to', '2020-01-01')).toEqual([]);
    expect(await found('--limit', '1')).toEqual([live]);
    expect(await found('--after', newer)).toEqual([older]);
  });

  it('shows people a table that fits, in which nothing of a name reaches the terminal as a control character', async () => {
    const data = await RecordedData.open();
    await data.exec('x', 'y', { actor: { principal: 'evil\x1b]0;x\x07\u009b6n' } });
    const { stdout } = await sallyport('sessions', '--data', data.directory);
    expect(stdout).toMatch(/^SESSION +STARTED \(UTC\) +DURATION +STATE +WHO +TARGET +PROTOCOL +CHANNELS\n/);
    expect(stdout).toContain('evil\\x1b]0;x\\x07\\x9b6n for engineer@example.com');
    const { stdout: json } = await sallyport('sessions', '--data', data.directory, '--json');
    expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(jsonLines<SessionRow>(json)[0]?.principal).toBe('evil\x1b]0;x\x07\u009b6n');
  });

  it('takes the data directory from a configuration', async () => {
    const { directory, newer } = await twoSessions();
    const file = join(await temporaryDirectory(), 'gateway.yaml');
    await writeFile(file, `gateway: { listen: { ssh: "127.0.0.1:0" }, data: ${JSON.stringify(directory)} }\ntargets: []\n`);
    const { stdout, stderr } = await sallyport('sessions', '--config', file, '--json', '--limit', '1');
    expect(stderr).toBe('');
    expect(jsonLines<SessionRow>(stdout)[0]?.id).toBe(newer);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const data = await RecordedData.open();
    for (let count = 0; count < 700; count += 100) await Promise.all(Array.from({ length: 100 }, () => data.openSession()));
    const { code, stdout, stderr } = await run('bash', [
      '-c',
      `set -o pipefail; "$0" "$1" sessions --data "$2" --json | head -n 1`,
      process.execPath,
      mainFile,
      data.directory,
    ]);
    expect({ code, stderr, lines: stdout.split('\n').length }).toEqual({ code: 0, stderr: '', lines: 2 });
  });
});

describe('sallyport show', () => {
  it('says everything about a session, found by the beginning of its id', async () => {
    const { directory, older } = await twoSessions();
    const { code, stdout } = await sallyport('show', older.slice(0, 20), '--data', directory);
    expect(code).toBe(0);
    for (const part of [
      older,
      'deploy-bot for engineer@example.com (agent)',
      'publickey SHA256:abc',
      'web-1 at 192.0.2.10:22 over ssh',
      'allow, by allow web-1',
      'channel 0: exec $ SELECT all_the_things',
      'exit 0; 10 bytes in, 20 out',
      '0001.cast.zst',
      '1 session.open',
    ]) {
      expect(stdout).toContain(part);
    }
  });

  it('gives programs one object with channels, segments and records', async () => {
    const { directory, older } = await twoSessions();
    const { stdout } = await sallyport('show', older, '--data', directory, '--json');
    expect(stdout.split('\n')).toHaveLength(2);
    const shown = JSON.parse(stdout) as {
      id: string;
      channels: { detail: object; segments: object[] }[];
      records: { seq: number; hash: string; record: { type: string } }[];
    };
    expect(shown.id).toBe(older);
    expect(shown).toMatchObject({
      decision: { verdict: 'allow' },
      channels: [
        { channel: 0, kind: 'exec', detail: { command: 'SELECT all_the_things' }, exit: { status: 0 }, segments: [{ segment: 1 }] },
      ],
    });
    expect(shown.records.map(({ record }) => record.type)).toEqual([
      'session.open',
      'channel.open',
      'segment.sealed',
      'channel.close',
      'session.close',
    ]);
    expect(shown.records.every(({ hash }) => /^[0-9a-f]{64}$/.test(hash))).toBe(true);
  });
});

describe('misuse', () => {
  it.each([
    { words: ['sesions'], code: 2, says: /^sallyport: unknown command 'sesions' \(did you mean sessions\?\)\n$/ },
    { words: [], code: 2, says: /^sallyport: No command was given \(/ },
    { words: ['sessions'], code: 2, says: /^sallyport: .*--data DIR/ },
    {
      words: ['sessions', '--data', '/none', '--stat', 'x'],
      code: 2,
      says: /^sallyport: unknown option '--stat' \(did you mean --state\?\)\n$/,
    },
    { words: ['sessions', '--data', '/none', '--limit', 'many'], code: 2, says: /^sallyport: .*whole number.*\n$/ },
    { words: ['sessions', '--data', '/none', '--from', '2026-02-31'], code: 2, says: /^sallyport: 2026-02-31 is not a date or time \(/ },
    { words: ['show', '--data', '/none'], code: 2, says: /^sallyport: missing required argument 'session' \(/ },
    { words: ['cast', 'x', '--data', '/none', '--format', 'v1'], code: 2, says: /^sallyport: There is no format v1 \(v3 or v2\)\n$/ },
    {
      words: ['sessions', '--data', '/does/not/exist'],
      code: 1,
      says: /^sallyport: The data directory \/does\/not\/exist does not exist \(.*--data.*\)\n$/,
    },
  ])('is answered in one line with a remedy: $words', async ({ words, code, says }) => {
    const finished = await sallyport(...words);
    expect(finished).toEqual({ code, stdout: '', stderr: expect.stringMatching(says) });
  });

  it('is an object for programs', async () => {
    const finished = await sallyport('sessions', '--data', '/does/not/exist', '--json');
    expect(finished.code).toBe(1);
    expect(jsonLines(finished.stderr)).toEqual([
      { error: { code: 'DATA_DIRECTORY_INVALID', message: expect.stringContaining('/does/not/exist'), remedy: expect.any(String) } },
    ]);
  });

  it.each(['show', 'play', 'cast', 'transcript'])(
    '%s says that a session is unknown, ambiguous, or has no such channel',
    async (command) => {
      const { directory, older } = await twoSessions();
      const said = async (name: string) => (await sallyport(command, name, '--data', directory)).stderr;
      expect(await said('0190aaaa')).toMatch(/^sallyport: There is no session 0190aaaa in .*\n$/);
      expect(await said("0' OR 1=1 --")).toMatch(/^sallyport: There is no session/);
      expect(await said(older.slice(0, 6))).toMatch(/^sallyport: Several sessions begin with .* \(give more of the id\)\n$/);
      if (command !== 'show') expect(await said(`${older}/7`)).toMatch(/^sallyport: Session .* has no channel 7 \(it has: 0 \(exec\)\)\n$/);
    },
  );
});

describe('help', () => {
  it.each(['serve', 'demo', 'check-config', 'sessions', 'show', 'play', 'cast', 'transcript'])('of %s has an example', async (command) => {
    const { code, stdout } = await sallyport(command, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`$ sallyport ${command}`);
  });

  it('names every command', async () => {
    const { code, stdout } = await sallyport('--help');
    expect(code).toBe(0);
    for (const command of ['serve', 'demo', 'check-config', 'sessions', 'show', 'play', 'cast', 'transcript'])
      expect(stdout).toMatch(new RegExp(`\\n  ${command} `));
  });
});
