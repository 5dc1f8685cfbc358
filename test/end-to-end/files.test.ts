import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paramiko, psftp, remotePath, scp, sftp, sshCommandLine } from '../support/clients.ts';
import { endedSessions, onlyRecording, type Recording } from '../support/recordings.ts';
import { plainEnvironment, run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { openWorld, type World } from '../support/world.ts';

const belongings = new Belongings();
let world: World;
beforeAll(async () => {
  world = await openWorld(belongings, { agents: 24 });
}, 240_000);
afterAll(() => belongings.release());

const binary = randomBytes(700_001);
const text = Buffer.from(Array.from({ length: 2000 }, (_, index) => `line ${index} ü\n`).join(''));

/** What the recording says of files, as `{ op, path, … }`. */
function fileEvents(recording: Recording): { readonly [member: string]: unknown }[] {
  return recording.cast.events
    .filter((event) => event.ours?.t === 'file')
    .map((event) => event.ours as { readonly [member: string]: unknown });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.concurrent('SFTP', () => {
  it('25 moves files both ways, and records what was read and written', async () => {
    const route = world.agent();
    const here = belongings.directory('here');
    const there = belongings.directory('there');
    writeFileSync(join(here, 'binary'), binary);
    writeFileSync(join(there, 'text'), text);
    const done = await sftp(route, [`put ${here}/binary ${there}/uploaded`, `get ${there}/text ${here}/downloaded`]);
    expect(done.stderr).toBe('');
    expect(done.status).toBe(0);
    expect(readFileSync(join(there, 'uploaded')).equals(binary)).toBe(true);
    expect(readFileSync(join(here, 'downloaded')).equals(text)).toBe(true);

    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.row.kind).toBe('sftp');
    const closed = fileEvents(recording).map((event) => JSON.stringify(event));
    expect(closed.some((event) => event.includes(`${there}/uploaded`) && event.includes(sha256(binary)))).toBe(true);
    expect(closed.some((event) => event.includes(`${there}/text`) && event.includes(sha256(text)))).toBe(true);
  });

  it('25 resumes a transfer in either direction', async () => {
    const route = world.agent();
    const here = belongings.directory('here');
    const there = belongings.directory('there');
    writeFileSync(join(here, 'up'), binary);
    writeFileSync(join(there, 'up'), binary.subarray(0, 123_456));
    writeFileSync(join(there, 'down'), binary);
    writeFileSync(join(here, 'down'), binary.subarray(0, 400_000));
    const done = await sftp(route, [`reput ${here}/up ${there}/up`, `reget ${there}/down ${here}/down`]);
    expect(done.status, done.stderr).toBe(0);
    expect(readFileSync(join(there, 'up')).equals(binary)).toBe(true);
    expect(readFileSync(join(here, 'down')).equals(binary)).toBe(true);
    const recorded = JSON.stringify(fileEvents(await onlyRecording(world.gateway.data, route.principal)));
    expect(recorded).toContain(sha256(binary.subarray(123_456)));
    expect(recorded).toContain(sha256(binary.subarray(400_000)));
  });

  it('25 renames, removes, links and sets attributes, and records each with its outcome', async () => {
    const route = world.agent();
    const there = belongings.directory('there');
    for (const name of ['a', 'b', 'c']) writeFileSync(join(there, name), name);
    const done = await sftp(route, [
      `rename ${there}/a ${there}/renamed`,
      `rm ${there}/b`,
      `ln -s renamed ${there}/link`,
      `ln ${there}/renamed ${there}/hard`,
      `chmod 640 ${there}/c`,
      `chown 65534 ${there}/c`,
      `mkdir ${there}/made`,
      `mkdir ${there}/unmade`,
      `rmdir ${there}/unmade`,
      `df ${there}`,
      `-rm ${there}/missing`,
    ]);
    expect(done.status, done.stderr).toBe(0);
    expect(readdirSync(there).sort()).toEqual(['c', 'hard', 'link', 'made', 'renamed']);
    expect(readlinkSync(join(there, 'link'))).toBe('renamed');
    expect(statSync(join(there, 'c'))).toMatchObject({ mode: 0o100640, uid: 65534 });

    const events = fileEvents(await onlyRecording(world.gateway.data, route.principal)).map((event) => JSON.stringify(event));
    for (const name of ['a', 'renamed', 'b', 'link', 'hard', 'c', 'made', 'unmade', 'missing']) {
      expect(
        events.filter((event) => event.includes(`${there}/${name}"`)),
        name,
      ).not.toHaveLength(0);
    }
    const missing = events.filter((event) => event.includes(`${there}/missing"`)).join('\n');
    expect(missing).toMatch(/"(result|status|code)":\s*("?no such file|2)/i);
  });

  it('25 lists 10,000 files', async () => {
    const route = world.agent();
    const there = belongings.directory('there');
    const names = Array.from({ length: 10_000 }, (_, index) => `file-${String(index).padStart(5, '0')}`);
    for (const name of names) writeFileSync(join(there, name), '');
    const done = await sftp(route, [`ls -1 ${there}`]);
    const listed = done.stdout
      .toString()
      .split('\n')
      .filter((line) => line.includes('/file-'));
    expect(listed.map((line) => line.trim().split('/').at(-1))).toEqual(names);
    const events = fileEvents(await onlyRecording(world.gateway.data, route.principal));
    expect(events.some((event) => JSON.stringify(event).includes(there))).toBe(true);
  });

  it('25 serves PuTTY', async () => {
    const route = world.agent();
    const here = belongings.directory('here');
    const there = belongings.directory('there');
    writeFileSync(join(here, 'binary'), binary);
    const done = await psftp(route, [
      `put ${here}/binary ${there}/uploaded`,
      `ren ${there}/uploaded ${there}/renamed`,
      `get ${there}/renamed ${here}/back`,
      `ls ${there}`,
      'quit',
    ]);
    expect(done.status, done.stdout.toString() + done.stderr).toBe(0);
    expect(readFileSync(join(here, 'back')).equals(binary)).toBe(true);
    expect(JSON.stringify(fileEvents(await onlyRecording(world.gateway.data, route.principal)))).toContain(sha256(binary));
  });

  it('25 serves Paramiko: many reads and writes in flight, random access, append, truncate', async () => {
    const route = world.agent();
    const there = belongings.directory('there');
    writeFileSync(join(there, 'big'), binary);
    const done = await paramiko(route, randomAccess, [there]);
    expect(done.stderr).toBe('');
    expect(JSON.parse(done.stdout.toString())).toEqual({
      digest: sha256(binary),
      middle: binary.subarray(1000, 1010).toString('hex'),
      size: 7,
      appended: 'one.two',
      missing: 2,
    });
    const events = fileEvents(await onlyRecording(world.gateway.data, route.principal));
    expect(JSON.stringify(events)).toContain(sha256(binary));
  });
});

describe.concurrent('scp', () => {
  for (const [mode, flags] of [
    ['SFTP', []],
    ['its own protocol (-O)', ['-O']],
  ] as const) {
    it(`26 copies up and down over ${mode}`, async () => {
      const route = world.agent();
      const here = belongings.directory('here');
      const there = belongings.directory('there');
      mkdirSync(join(here, 'tree/deep'), { recursive: true });
      writeFileSync(join(here, 'tree/deep/binary'), binary);
      writeFileSync(join(here, 'tree/text'), text);
      chmodSync(join(here, 'tree/text'), 0o751);
      const up = await scp(route, [`${here}/tree`, `:${there}/`], ['-r', '-p', ...flags]);
      expect(up.status, up.stderr).toBe(0);
      expect(readFileSync(join(there, 'tree/deep/binary')).equals(binary)).toBe(true);
      expect(statSync(join(there, 'tree/text')).mode & 0o777).toBe(0o751);
      const down = await scp(route, [`:${there}/tree`, `${here}/back`], ['-r', '-p', ...flags]);
      expect(down.status, down.stderr).toBe(0);
      expect(readFileSync(join(here, 'back/deep/binary')).equals(binary)).toBe(true);
      expect(readFileSync(join(here, 'back/text')).equals(text)).toBe(true);
      expect((await scp(route, [`:${there}/missing`, here], flags)).status).toBe(1);
    });
  }

  it('26 leaves text that was copied with -O readable in the recording, and counts the rest', async () => {
    const route = world.agent();
    const here = belongings.directory('here');
    const there = belongings.directory('there');
    writeFileSync(join(here, 'text'), text);
    expect((await scp(route, [join(here, 'text'), `:${there}/text`], ['-O'])).status).toBe(0);
    const recording = await onlyRecording(world.gateway.data, route.principal);
    expect(recording.row.detail.command).toContain('scp');
    const sent = recording.bytes('i');
    expect(sent.includes(text)).toBe(true);
    expect(recording.row.bytes.i).toBe(sent.length);
  });
});

describe.concurrent('rsync', () => {
  it('28 copies up and down, and sends only what changed', async () => {
    const route = world.agent();
    const here = belongings.directory('here');
    const there = belongings.directory('there');
    mkdirSync(join(here, 'tree/deep'), { recursive: true });
    writeFileSync(join(here, 'tree/deep/binary'), binary);
    writeFileSync(join(here, 'tree/text'), text);
    symlinkSync('text', join(here, 'tree/link'));
    const rsync = (...args: string[]) =>
      run('rsync', ['-a', '--no-whole-file', '-e', sshCommandLine(route), ...args], { env: plainEnvironment() });
    const up = await rsync(`${here}/tree/`, `${remotePath(route, there)}/tree/`);
    expect(up.status, up.stderr).toBe(0);
    expect(readFileSync(join(there, 'tree/deep/binary')).equals(binary)).toBe(true);
    expect(lstatSync(join(there, 'tree/link')).isSymbolicLink()).toBe(true);
    const changed = Buffer.concat([binary.subarray(0, 300_000), Buffer.from('inserted'), binary.subarray(300_000)]);
    writeFileSync(join(there, 'tree/deep/binary'), changed);
    const down = await rsync('--delete', `${remotePath(route, there)}/tree/`, `${here}/tree/`);
    expect(down.status, down.stderr).toBe(0);
    expect(readFileSync(join(here, 'tree/deep/binary')).equals(changed)).toBe(true);

    const [first, second] = await endedSessions(world.gateway.data, route.principal, 2);
    expect(first?.bytesIn).toBeGreaterThan(binary.length);
    expect(second?.bytesOut).toBeLessThan(binary.length / 2); // the difference alone
  });
});

describe.concurrent('git', () => {
  it('29 clones and pushes', async () => {
    const route = world.agent();
    const here = belongings.directory('here');
    const there = belongings.directory('there');
    const env = plainEnvironment({
      GIT_SSH_COMMAND: sshCommandLine(route),
      GIT_SSH_VARIANT: 'ssh',
      GIT_CONFIG_GLOBAL: '/dev/null',
      HOME: here,
    });
    const git = async (cwd: string, ...args: string[]) => {
      const done = await run(
        'git',
        ['-c', 'user.name=engineer', '-c', 'user.email=engineer@example.com', '-c', 'init.defaultBranch=main', ...args],
        { cwd, env },
      );
      expect(done.status, done.stderr).toBe(0);
      return done.stdout.toString();
    };
    const url = `ssh://${route.user}@${route.host}${there}/origin.git`;
    await git(there, 'init', '-q', '--bare', 'origin.git');
    await git(here, 'clone', '-q', url, 'work');
    writeFileSync(join(here, 'work/binary'), binary);
    writeFileSync(join(here, 'work/text'), text);
    await git(join(here, 'work'), 'add', '.');
    await git(join(here, 'work'), 'commit', '-q', '-m', 'first');
    await git(join(here, 'work'), 'push', '-q', 'origin', 'HEAD:main');
    await git(here, 'clone', '-q', '-b', 'main', url, 'again');
    expect(readFileSync(join(here, 'again/binary')).equals(binary)).toBe(true);
    expect(await git(join(here, 'again'), 'rev-parse', 'HEAD')).toBe(await git(join(there, 'origin.git'), 'rev-parse', 'main'));
  });
});

const randomAccess = `
sftp = client.open_sftp()
root = args[0]
with sftp.open(root + '/big', 'rb') as f:
    f.prefetch()
    digest = hashlib.sha256(f.read()).hexdigest()
with sftp.open(root + '/big', 'rb') as f:
    f.seek(1000)
    middle = f.read(10).hex()
with sftp.open(root + '/new', 'w') as f:
    f.set_pipelined(True)
    for n in range(100): f.write(b'0123456789' * 100)
sftp.truncate(root + '/new', 7)
size = sftp.stat(root + '/new').st_size
with sftp.open(root + '/log', 'w') as f: f.write('one.')
with sftp.open(root + '/log', 'a') as f: f.write('two')
with sftp.open(root + '/log') as f: appended = f.read().decode()
try:
    sftp.stat(root + '/nothing'); missing = 0
except IOError as error:
    missing = error.errno
print(json.dumps({'digest': digest, 'middle': middle, 'size': size, 'appended': appended, 'missing': missing}))
`;
