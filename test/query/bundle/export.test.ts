import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundlePage } from '../../../contract/bundle-page.ts';
import type { AuditRecord } from '../../../contract/record.ts';
import type { SessionRow } from '../../../contract/session.ts';
import { inTerminal } from '../../commands/in-terminal.ts';
import { ssh } from '../../support/clients.ts';
import { sallyport } from '../../support/gateway.ts';
import { endedSessions, onlySession, sessionsOf } from '../../support/recordings.ts';
import { run } from '../../support/run.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import { Belongings } from '../../support/temp.ts';
import { until } from '../../support/wait.ts';
import {
  bareMachine,
  exported,
  filesBelow,
  hostileCommands,
  openRecordedWorld,
  type RecordedWorld,
  runScript,
  unpacked,
} from './recorded-world.ts';

const belongings = new Belongings();
let recorded: RecordedWorld;
let bundle: string;
let bag: string;
beforeAll(async () => {
  recorded = await openRecordedWorld(belongings);
  bundle = await exported(belongings, recorded.data);
  bag = await unpacked(belongings, bundle);
}, 240_000);
afterAll(() => belongings.release());

const read = (file: string, directory = bag) => readFileSync(join(directory, file), 'utf8');
const lines = (file: string, directory = bag) => read(file, directory).split('\n').slice(0, -1);
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');

interface Event {
  index: number;
  hash: string;
  record: AuditRecord;
  ocsf: { class_uid: number; category_uid: number; type_uid: number; activity_id: number; time: number; status: string };
}

interface Query {
  question: BundlePage['question'];
  completeness: BundlePage['completeness'];
  notes: string[];
}

function pageOf(directory: string): BundlePage {
  const script = read('data/page/bundle.js', directory);
  expect(script).toMatch(/^sallyport\("bundle",\{.*\}\);\n$/);
  return JSON.parse(script.slice('sallyport("bundle",'.length, -3)) as BundlePage;
}

/** Everything that has been said in a bundle, packed or not. */
async function whole(directory: string): Promise<string> {
  const { stdout } = await run('python3', [
    '-c',
    `
import sys, os, re, base64, zlib
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        data = open(os.path.join(folder, name), 'rb').read()
        sys.stdout.buffer.write(data)
        packed = re.fullmatch(rb'sallyport\\("[^"]*","([A-Za-z0-9+/=]*)"\\);\\n', data)
        if packed: sys.stdout.buffer.write(zlib.decompress(base64.b64decode(packed[1]), -15))`,
    directory,
  ]);
  return stdout.toString();
}

describe('a bundle', () => {
  it('is read by unzip, Python and any checker of bags', async () => {
    expect((await run('unzip', ['-t', bundle])).status).toBe(0);
    expect((await run('python3', ['-m', 'zipfile', '-t', bundle])).status).toBe(0);
    for (const manifest of ['manifest-sha256.txt', 'tagmanifest-sha256.txt']) {
      expect((await run('sha256sum', ['--strict', '-c', manifest], { cwd: bag })).status).toBe(0);
    }
    expect(read('bagit.txt')).toBe('BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n');
    const payload = filesBelow(join(bag, 'data'));
    const bytes = payload.reduce((sum, file) => sum + readFileSync(join(bag, 'data', file)).length, 0);
    expect(read('bag-info.txt')).toContain(`Payload-Oxum: ${bytes}.${payload.length}\n`);
  });

  it('has the casts and transcripts that the command line gives', async () => {
    const sessions = (await sallyport(['sessions', '--json', '--data', recorded.data])).stdout.toString().trim().split('\n');
    expect(sessions).toHaveLength(9);
    for (const line of sessions) {
      const { id } = JSON.parse(line) as SessionRow;
      const cast = await sallyport(['cast', id, '--data', recorded.data]);
      expect(read(`data/recordings/${id}-0.cast`)).toBe(cast.stdout.toString());
      const transcript = await sallyport(['transcript', id, '--data', recorded.data]);
      expect(read(`data/transcripts/${id}.txt`)).toBe(transcript.stdout.toString());
    }
  }, 240_000);

  it('has casts that stock tools of asciinema read', async () => {
    const casts = readdirSync(join(bag, 'data/recordings')).filter((name) => name.endsWith('.cast'));
    expect(casts).toHaveLength(9);
    const parse = `
import json, sys
for path in sys.argv[1:]:
    with open(path, encoding='utf-8') as cast:
        header = json.loads(cast.readline())
        assert header['version'] == 3 and header['term']['cols'] > 0, path
        for line in cast:
            interval, code, data = json.loads(line)
            assert interval >= 0 and len(code) == 1 and isinstance(data, str), line`;
    const parsed = await run('python3', ['-c', parse, ...casts.map((name) => join(bag, 'data/recordings', name))]);
    expect(parsed.status, parsed.stderr).toBe(0);
  });

  it('has every record up to the checkpoint, in the words of the ledger and in those of OCSF', () => {
    const events = lines('data/events.ndjson').map((line) => JSON.parse(line) as Event);
    const records = lines('data/ledger/records.ndjson');
    const size = Number(lines('data/ledger/checkpoint')[1]);
    expect(events.map(({ index }) => index)).toEqual(Array.from({ length: size }, (_, index) => index));
    for (const [at, event] of events.entries()) {
      expect(event.hash).toBe(sha256(records[at] ?? ''));
      expect(JSON.stringify(event.record)).toBe(JSON.stringify(JSON.parse(records[at] ?? '')));
      const { class_uid, category_uid, type_uid, activity_id, time, status } = event.ocsf;
      expect(category_uid).toBe(Math.floor(class_uid / 1000));
      expect(type_uid).toBe(class_uid * 100 + activity_id);
      expect(time).toBe(Date.parse(event.record.time));
      expect(status).toBe(event.record.outcome === 'success' ? 'Success' : 'Failure');
    }
    const classOf = (type: string) => events.find(({ record }) => record.type === type)?.ocsf.type_uid;
    expect(classOf('gateway.start')).toBe(600203);
    expect(classOf('session.open')).toBe(400701);
    expect(classOf('session.close')).toBe(400702);
    expect(classOf('session.refused')).toBe(400705);
    expect(classOf('segment.sealed')).toBe(300401);
    expect(classOf('ledger.created')).toBe(300401);
  });

  it('tells its page everything, in scripts that nothing recorded can end', async () => {
    const page = pageOf(bag);
    expect(page.sessions).toHaveLength(9);
    expect(page.records.count).toBe(lines('data/ledger/records.ndjson').length);
    for (const session of page.sessions) {
      for (const channel of session.recordings) {
        for (const segment of channel.segments) {
          expect(segment.damage).toBeNull();
          expect(existsSync(join(bag, `data/page/${segment.script}.js`))).toBe(true);
        }
      }
    }
    const commands = page.sessions.flatMap(({ recordings }) => recordings.map(({ command }) => command));
    for (const command of hostileCommands) expect(commands).toContain(command);
    for (const file of filesBelow(join(bag, 'data/page')).filter((name) => name !== 'app.js' && name !== 'app.css')) {
      expect(read(`data/page/${file}`)).not.toContain('</script');
    }
    const said = await whole(bag);
    expect(said).toContain('line 12000 of a recording');
  });

  it('is recorded in the ledger, by the digest of its tag manifest', async () => {
    const later = await unpacked(belongings, await exported(belongings, recorded.data));
    const exports = lines('data/ledger/records.ndjson', later)
      .map((line) => JSON.parse(line) as AuditRecord)
      .filter((record) => record.type === 'access.exported');
    expect(exports.map(({ body }) => body)).toContainEqual({
      question: { words: 'All sessions' },
      sessions: 9,
      records: lines('data/ledger/records.ndjson').length,
      leftOut: 0,
      manifest: sha256(readFileSync(join(bag, 'tagmanifest-sha256.txt'))),
    });
  });
});

describe('sallyport export', () => {
  it('answers by session, principal, target and period', async () => {
    const all = (await sallyport(['sessions', '--json', '--data', recorded.data])).stdout.toString().trim().split('\n');
    const rows = all.map((line) => JSON.parse(line) as SessionRow).reverse();
    const idsOf = async (args: string[]) =>
      pageOf(await unpacked(belongings, await exported(belongings, recorded.data, args))).sessions.map(({ id }) => id);
    const [first, second] = rows;
    if (first === undefined || second === undefined) throw new Error('there are no sessions');
    expect(await idsOf([second.id, first.id])).toEqual([first.id, second.id]);
    expect(await idsOf(['--principal', 'agent-2'])).toEqual((await sessionsOf(recorded.data, 'agent-2')).map(({ id }) => id));
    expect(await idsOf(['--target', 'whole'])).toEqual(rows.filter(({ target }) => target === 'whole').map(({ id }) => id));
    expect(await idsOf(['--from', second.started, '--to', rows[4]?.started ?? ''])).toEqual(rows.slice(1, 4).map(({ id }) => id));
    expect(await idsOf(['--to', '2020-01-01'])).toEqual([]);
    const unknown = await sallyport(['export', 'ffffffff', '--data', recorded.data, '-o', join(belongings.directory('none'), 'x.zip')]);
    expect(unknown.status).toBe(1);
    expect(unknown.stderr).toContain('There is no session');
    const both = await sallyport(['export', first.id, '--target', 'web', '--data', recorded.data, '-o', 'x.zip']);
    expect(both.status).toBe(2);
  }, 240_000);

  it('an answer without a session is a bundle too, and verifies', async () => {
    const empty = await unpacked(belongings, await exported(belongings, recorded.data, ['--to', '2020-01-01']));
    const { stdout, status } = await runScript(await bareMachine(belongings, 'sh', 'awk'), empty);
    expect(stdout.toString()).not.toContain('FAULT');
    expect(status).toBe(0);
  });

  it('a session alone comes with the records of no session around it, and of others only their number', async () => {
    const [second] = (await sessionsOf(recorded.data, 'agent-1')).slice(3);
    const alone = await unpacked(belongings, await exported(belongings, recorded.data, [second?.id ?? '']));
    const records = lines('data/ledger/records.ndjson', alone).map((line) => JSON.parse(line) as AuditRecord);
    expect(new Set(records.map(({ session }) => session))).toEqual(new Set([second?.id]));
    const { completeness } = JSON.parse(read('data/query.json', alone)) as Query;
    expect(completeness).toMatchObject({ range: records.length + completeness.elsewhere, included: records.length, sessions: 1 });
    const long = await unpacked(belongings, await exported(belongings, recorded.data, ['--principal', 'agent-2']));
    const query = JSON.parse(read('data/query.json', long)) as Query;
    expect(query.completeness.elsewhere).toBeGreaterThan(20);
    expect(await whole(long)).not.toContain('owned');
    expect((await runScript(await bareMachine(belongings, 'sh', 'awk'), long)).status).toBe(0);
  });

  it('keeps a session back when told to, says so, and says nothing else of it', async () => {
    const route = recorded.world.agent();
    await ssh(route, 'echo a very secret thing');
    const { id } = await onlySession(recorded.data, route.principal);
    const without = await unpacked(belongings, await exported(belongings, recorded.data, ['--leave-out', id]));
    const { completeness, notes } = JSON.parse(read('data/query.json', without)) as Query;
    expect(completeness.leftOut).toEqual([{ session: id, reason: 'left out by whoever exported this bundle' }]);
    expect(notes.join()).toContain('1 session that answers the question was left out');
    expect(read('data/population.csv', without)).toMatch(new RegExp(`^${id},no,+left out by whoever exported this bundle\r$`, 'm'));
    const said = await whole(without);
    expect(said).not.toContain('a very secret thing');
    // Who is known to the gateway, and whom its lists let in, is on record apart from any session.
    const naming = lines('data/ledger/records.ndjson', without).filter((line) => line.includes(route.principal));
    expect(naming.map((line) => (JSON.parse(line) as AuditRecord).type)).toEqual(['policy.changed', 'identity.changed']);
    const { stdout, status } = await runScript(await bareMachine(belongings, 'sh', 'awk'), without);
    expect(stdout.toString()).toContain('1 sessions that answer the question are left out');
    expect(status).toBe(0);
  });

  it('takes a session that still runs as far as it is sealed, and says so', async () => {
    const route = recorded.world.agent();
    let end: () => void = () => undefined;
    const ending = new Promise<void>((resolve) => {
      end = resolve;
    });
    const input = async function* () {
      yield Buffer.from('for n in $(seq 3000); do echo "still running, and long enough to be sealed $n"; done\n');
      await ending;
    };
    const running = ssh(route, 'sh', { input: input() });
    const sealed = async () => {
      const [row] = await sessionsOf(recorded.data, route.principal);
      return row !== undefined && row.bytesOut > 0 ? row : undefined;
    };
    const { id } = await until('a segment of the running session is sealed', sealed, { withinMs: 60_000 });
    const live = await unpacked(belongings, await exported(belongings, recorded.data, [id]));
    end();
    await running;
    const page = pageOf(live);
    expect(page.sessions[0]).toMatchObject({ id, state: 'live', ended: null });
    expect(page.notes.join()).toContain('1 session was still running');
    const { stdout, status } = await runScript(await bareMachine(belongings, 'sh', 'awk'), live);
    expect(stdout.toString()).toContain('1 sessions were still running');
    expect(status).toBe(0);
    await endedSessions(recorded.data, route.principal);
  });

  it('does not replace a file unless told to', async () => {
    const path = join(belongings.directory('there'), 'bundle.zip');
    writeFileSync(path, 'precious');
    const refused = await sallyport(['export', '--data', recorded.data, '-o', path]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('exists already');
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect((await sallyport(['export', '--data', recorded.data, '-o', path, '--force'])).status).toBe(0);
    expect(readFileSync(path).subarray(0, 2).toString()).toBe('PK');
    expect(readdirSync(dirname(path))).toEqual(['bundle.zip']);
  });

  it('leaves nothing behind when the disk is full, and says so', async () => {
    const disk = await mountSmallDisk(belongings, 256 * 1024);
    const { status, stderr } = await sallyport(['export', '--data', recorded.data, '-o', join(disk.path, 'bundle.zip')]);
    expect(stderr).toContain('the disk is full');
    expect(status).toBe(1);
    expect(readdirSync(disk.path)).toEqual([]);
  });

  it('shows in a terminal how far it has come, and leaves no trace of that', async () => {
    const main = join(import.meta.dirname, '../../../gateway/main.ts');
    const path = join(belongings.directory('terminal'), 'bundle.zip');
    const { code, screen } = await inTerminal(process.execPath, [main, 'export', '--data', recorded.data, '-o', path]);
    expect(code).toBe(0);
    expect(screen).toMatch(/\[[#.]{24}\] +\d+ % {2}\d+ of \d+ sessions, [0-9.]+ MB written/);
    expect(screen).toMatch(/\r\x1b\[K[^\r]*bundle\.zip: \d+ sessions, \d+ records/);
  });

  it('says in JSON what it did', async () => {
    const path = join(belongings.directory('json'), 'bundle.zip');
    const { stdout } = await sallyport(['export', '--data', recorded.data, '-o', path, '--target', 'whole', '--json']);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      file: path,
      sessions: 1,
      leftOut: 0,
      damage: [],
      recorded: expect.any(Number) as number,
    });
  });
});
