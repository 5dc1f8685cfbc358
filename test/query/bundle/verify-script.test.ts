import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ssh } from '../../support/clients.ts';
import { Belongings } from '../../support/temp.ts';
import {
  bareMachine,
  exported,
  filesBelow,
  type Machine,
  openRecordedWorld,
  type RecordedWorld,
  runScript,
  unpacked,
  whereIs,
} from './recorded-world.ts';

const belongings = new Belongings();
let recorded: RecordedWorld;
let machine: Machine;
/** A bundle that nobody touches, unpacked. */
let intact: string;
let earlierCheckpoint: string;

beforeAll(async () => {
  recorded = await openRecordedWorld(belongings);
  machine = await bareMachine(belongings, 'sh', 'awk');
  const first = await unpacked(belongings, await exported(belongings, recorded.data));
  earlierCheckpoint = join(first, 'data/ledger/checkpoint');
  await ssh(recorded.world.agent(), 'echo later');
  intact = await unpacked(belongings, await exported(belongings, recorded.data));
}, 240_000);
afterAll(() => belongings.release());

const results = { good: 'RESULT: everything that can be checked with these tools is in order.' };

function copyOf(bundle: string): string {
  const copy = join(belongings.directory('copy'), 'bundle');
  cpSync(bundle, copy, { recursive: true });
  return copy;
}

function edit(bundle: string, file: string, change: (bytes: Buffer) => Buffer | string): void {
  const path = join(bundle, file);
  const before = readFileSync(path);
  const after = Buffer.from(change(Buffer.from(before)));
  expect(after.equals(before)).toBe(false);
  writeFileSync(path, after);
}

function flipAt(position: number): (bytes: Buffer) => Buffer {
  return (bytes) => flipByte(Math.min(bytes.length - 1, Math.floor(bytes.length * position)))(bytes);
}

function flipByte(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes[at] = (bytes[at] as number) ^ 0x01;
    return bytes;
  };
}

/** What a forger without the key would do: new manifests, and no statement of the gateway. */
function packAnew(bundle: string): void {
  const line = (file: string) =>
    `${createHash('sha256')
      .update(readFileSync(join(bundle, file)))
      .digest('hex')}  ${file}\n`;
  const payload = filesBelow(bundle).filter((file) => file.startsWith('data/'));
  writeFileSync(join(bundle, 'manifest-sha256.txt'), payload.map(line).join(''));
  writeFileSync(join(bundle, 'tagmanifest-sha256.txt'), ['bagit.txt', 'bag-info.txt', 'manifest-sha256.txt'].map(line).join(''));
  for (const file of ['attestation.dsse.json', 'attestation.txt', 'attestation.sig']) rmSync(join(bundle, file), { force: true });
}

async function faults(bundle: string, args: readonly string[] = []): Promise<string> {
  const { status, stdout, stderr } = await runScript(machine, bundle, args);
  const said = stdout.toString();
  expect(stderr).toBe('');
  expect(status, said).toBe(1);
  expect(said).toMatch(/RESULT: [1-9][0-9]* fault/);
  expect(said).toMatch(/^[\x20-\x7e\n]*$/);
  return said
    .split('\n')
    .filter((line) => line.includes('FAULT'))
    .join('\n');
}

describe('verify.sh', () => {
  const machines = ['sh', 'bash', 'busybox sh'].flatMap((shell) => ['mawk', 'gawk', 'busybox awk'].map((awk) => [shell, awk] as const));
  it.for(machines)('95 verifies a bundle of real sessions with %s, %s, sha256sum and openssl alone', async ([shell, awk], { skip }) => {
    for (const program of [shell, awk]) if ((await whereIs(program.split(' ')[0] as string)) === '') skip(`${program} is not installed`);
    const { status, stdout, stderr } = await runScript(await bareMachine(belongings, shell, awk), intact);
    expect(stderr).toBe('');
    expect(stdout.toString()).toContain(results.good);
    expect(stdout.toString()).not.toContain('FAULT');
    expect(stdout.toString()).toMatch(/^[\x20-\x7e\n]*$/);
    expect(status).toBe(0);
  });

  it('works from any folder', async () => {
    const elsewhere = belongings.directory('with space');
    const moved = join(elsewhere, 'a bundle; $(touch owned)');
    cpSync(intact, moved, { recursive: true });
    const { status, stdout } = await runScript(machine, moved);
    expect(stdout.toString()).toContain(results.good);
    expect(status).toBe(0);
    expect(existsSync(join(elsewhere, 'owned'))).toBe(false);
  });

  it('says what it cannot work with', async () => {
    const old = await bareMachine(belongings, 'sh', 'awk');
    rmSync(join(old.path, 'openssl'));
    const without = await runScript(old, intact);
    expect(without.stdout.toString()).toContain('There is no openssl on this machine');
    expect(without.status).toBe(2);
    for (const version of ['OpenSSL 1.1.1w  11 Sep 2023', 'LibreSSL 3.3.6']) {
      writeFileSync(join(old.path, 'openssl'), `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
      const { status, stdout } = await runScript(old, intact);
      expect(stdout.toString()).toContain('older than OpenSSL 3');
      expect(status).toBe(2);
    }
    expect((await runScript(machine, intact, ['--what'])).status).toBe(2);
  });
});

/** One file of each kind that a bundle has, by its name. */
function kindsOf(bundle: string): string[] {
  const kinds = new Map<string, string>();
  for (const file of filesBelow(bundle)) {
    const kind = file.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'SESSION').replaceAll(/\d+/g, 'N');
    if (!kinds.has(kind) && readFileSync(join(bundle, file)).length > 0) kinds.set(kind, file);
  }
  return [...kinds.values()];
}

describe('verify.sh finds', () => {
  it('one changed bit in files of all kinds, and names each of them', async () => {
    const kinds = kindsOf(intact).filter((file) => file.startsWith('data/'));
    expect(kinds.length).toBeGreaterThan(24);
    const bundle = copyOf(intact);
    for (const [index, file] of kinds.entries()) edit(bundle, file, flipAt((index % 7) / 7));
    const found = await faults(bundle);
    for (const file of kinds) expect(found).toContain(`${file} was changed`);
  });

  it('one changed bit in the files beside data/', async () => {
    for (const file of readdirSync(intact).filter((name) => name !== 'data')) {
      const bundle = copyOf(intact);
      edit(bundle, file, flipAt(0.4));
      await faults(bundle);
    }
  });

  const session = () => readdirSync(join(intact, 'data/ledger/proofs'))[0]?.replace('.tlog-proof', '') ?? '';
  const cast = () => readdirSync(join(intact, 'data/recordings')).find((name) => name.endsWith('.cast')) ?? '';
  const attachment = () => readdirSync(join(intact, 'data/recordings')).find((name) => name.endsWith('.bin.zst')) ?? '';
  const text = (change: (text: string) => string) => (bytes: Buffer) => Buffer.from(change(bytes.toString('latin1')), 'latin1');
  const forgeries: [string, RegExp, () => string, (bytes: Buffer) => Buffer | string][] = [
    ['a record', /record 3 was altered/, () => 'data/ledger/records.ndjson', text((all) => all.replace(/(^(?:.*\n){3}.*"kind":")/, '$1x'))],
    ['the index of a record', /indexes.txt|altered/, () => 'data/ledger/indexes.txt', text((all) => all.replace('\n3\n', '\n4\n'))],
    ['a record that is left out', /records.ndjson has/, () => 'data/ledger/records.ndjson', text((all) => all.replace(/^.*\n/, ''))],
    ['a record that was never erased', /erased.txt is not an erased record/, () => 'data/ledger/erased.txt', () => `0 ${'0'.repeat(64)}\n`],
    // The first two bytes of a bundle are the length of its first entry.
    ['an entry of the ledger', /altered|not the leaf/, () => tile('entries'), flipByte(20)],
    ['the length of an entry of the ledger', /is not a SHA-256/, () => tile('entries'), flipByte(1)],
    ['a leaf of the tree', /not the leaf|another root/, () => tile('0'), flipAt(0.5)],
    [
      'the text of the checkpoint',
      /not the text of the checkpoint|signature/,
      () => 'data/ledger/checkpoint.txt',
      text((all) => all.replace(/\n(\d+)\n/, '\n1$1\n')),
    ],
    ['the checkpoint', /checkpoint/, () => 'data/ledger/checkpoint', text((all) => all.replace(/\n(\d+)\n/, '\n1$1\n'))],
    ['the signature of the checkpoint', /checkpoint.sig is not the signature/, () => 'data/ledger/checkpoint.sig', flipAt(0.3)],
    [
      'the key',
      /two different keys|not that of its key/,
      () => 'data/keys/ledger.pem',
      text((all) => all.replace(/^([^-].{25})(.)/m, (_, kept: string, one: string) => `${kept}${one === 'A' ? 'B' : 'A'}`)),
    ],
    ['the name of the key', /not that of its key|another ledger/, () => 'data/keys/ledger.vkey', text((all) => `x${all}`)],
    [
      'a proof',
      /the proof of session [0-9a-f-]+ (does not lead|has a line)/,
      () => `data/ledger/proofs/${session()}.tlog-proof`,
      text((all) =>
        all.replace(/\n([A-Za-z0-9+/]{43}=)\n/, (_, hash: string) => `\n${hash.startsWith('A') ? 'B' : 'A'}${hash.slice(1)}\n`),
      ),
    ],
    [
      'what a proof is about',
      /proof/,
      () => `data/ledger/proofs/${session()}.tlog-proof`,
      text((all) => all.replace(/index \d+/, 'index 0')),
    ],
    ['a recording', /segment 1 of channel 0 of session [0-9a-f-]+ was altered/, () => `data/recordings/${cast()}`, flipAt(0.4)],
    [
      'a line of a recording that is left out',
      /altered|another number of lines/,
      () => `data/recordings/${cast()}`,
      text((all) => all.replace(/\n[^\n]*\n/, '\n')),
    ],
    ['an attachment', /attachment .* is missing or altered/, () => `data/recordings/${attachment()}`, flipAt(0.6)],
    [
      'how a recording is cut',
      /altered|another number of lines|not in order/,
      () => 'data/recordings/parts.txt',
      text((all) => all.replace(/ (\d+) sealed/, ' 1$1 sealed')),
    ],
    [
      'a segment that is said to be missing',
      /was sealed and is not in this bundle/,
      () => 'data/recordings/parts.txt',
      text((all) => all.replace(' sealed', ' missing')),
    ],
    [
      'an event',
      /line 2 of events.ndjson/,
      () => 'data/events.ndjson',
      text((all) => all.replace(/(\n\{"index":1,.*?"principal":")/, '$1x')),
    ],
    ['an event too many', /events.ndjson has/, () => 'data/events.ndjson', text((all) => `${all}${all.split('\n')[0]}\n`)],
    ['the completeness statement', /query.json/, () => 'data/query.json', text((all) => all.replace(/"included":(\d+)/, '"included":1$1'))],
  ];

  function tile(level: string): string {
    const file = filesBelow(intact).find((name) => name.startsWith(`data/ledger/tile/${level}/`));
    if (file === undefined) throw new Error(`the bundle has no tile of level ${level}`);
    return file;
  }

  it.for(forgeries)('%s that was changed by somebody who wrote new manifests', async ([, words, file, change]) => {
    const bundle = copyOf(intact);
    edit(bundle, file(), change);
    packAnew(bundle);
    expect(await faults(bundle, ['--unsigned'])).toMatch(words);
  });

  it('new manifests, when nothing else was changed', async () => {
    const bundle = copyOf(intact);
    edit(bundle, 'data/population.csv', flipAt(0.9));
    const statement = ['attestation.dsse.json', 'attestation.txt', 'attestation.sig'].map(
      (name) => [name, readFileSync(join(bundle, name))] as const,
    );
    packAnew(bundle);
    expect(await faults(bundle)).toMatch(/nobody signed this bundle/);
    for (const [name, bytes] of statement) writeFileSync(join(bundle, name), bytes);
    expect(await faults(bundle)).toMatch(/the statement is about another bundle/);
  });

  it('a session that was taken out of the recordings, the proofs and the list', async () => {
    const bundle = copyOf(intact);
    const gone = session();
    for (const file of filesBelow(bundle).filter((name) => name.includes(gone))) rmSync(join(bundle, file));
    edit(
      bundle,
      'data/recordings/parts.txt',
      text((all) => all.replace(new RegExp(`^${gone}.*\n`, 'gm'), '')),
    );
    packAnew(bundle);
    const found = await faults(bundle, ['--unsigned']);
    expect(found).toContain(`there is no proof of session ${gone}`);
    expect(found).toContain(`the recording of channel 0 of session ${gone} is not in this bundle`);
  });

  it('a file that is missing, added, a link, or has a name that means something to a terminal', async () => {
    const bundle = copyOf(intact);
    const file = `data/transcripts/${session()}.txt`;
    renameSync(join(bundle, file), join(bundle, `data/transcripts/added.txt`));
    const found = await faults(bundle);
    expect(found).toContain(`${file} is missing`);
    expect(found).toContain('data/transcripts/added.txt is in no manifest');
    renameSync(join(bundle, `data/transcripts/added.txt`), join(bundle, file));
    symlinkSync('/dev/zero', join(bundle, 'data/zero'));
    expect(await faults(bundle)).toContain('there is a link below data/');
    rmSync(join(bundle, 'data/zero'));
    writeFileSync(join(bundle, 'data/\u001b[2J\n FAULT'), '');
    expect(await faults(bundle)).toContain('a name that no bundle has');
  });

  it('manifests that name files elsewhere, without opening those', async () => {
    for (const name of ['data/../../../../dev/zero', '/dev/zero', 'data//dev/zero', 'data/.hidden', 'data/a\u001b[2Jb', 'data/a b']) {
      const bundle = copyOf(intact);
      edit(
        bundle,
        'manifest-sha256.txt',
        text((all) => `${'0'.repeat(64)}  ${name}\n${all}`),
      );
      expect(await faults(bundle)).toContain('line 1 of manifest-sha256.txt is not a line of a manifest');
    }
  });

  it('a gateway that signed one ledger for this bundle and another before', async () => {
    const held = join(belongings.directory('held'), 'checkpoint');
    const checkpoint = readFileSync(join(intact, 'data/ledger/checkpoint'), 'utf8');
    writeFileSync(
      held,
      checkpoint.replace(/\n[A-Za-z0-9+/]{42}/, (root) => `\n${root.startsWith('\nA') ? 'B' : 'A'}${root.slice(2)}`),
    );
    expect(await faults(intact, ['--checkpoint', held])).toContain('two different heads of the same size');
    const earlier = readFileSync(earlierCheckpoint, 'utf8');
    writeFileSync(
      held,
      earlier.replace(/\n[A-Za-z0-9+/]{42}/, (root) => `\n${root.startsWith('\nA') ? 'B' : 'A'}${root.slice(2)}`),
    );
    expect(await faults(intact, ['--checkpoint', held])).toContain('does not begin with the entries that your checkpoint stands for');
    writeFileSync(held, checkpoint.replace(/^/, 'x'));
    expect(await faults(intact, ['--checkpoint', held])).toContain('another ledger');
    writeFileSync(held, '\u001b[2J');
    expect(await faults(intact, ['--checkpoint', held])).toContain('is not a checkpoint');
  });
});

describe('verify.sh --checkpoint', () => {
  it('says that a bundle and an older, an equal, a newer checkpoint belong together', async () => {
    const said = async (file: string, bundle = intact) => {
      const { status, stdout } = await runScript(machine, bundle, ['--checkpoint', file]);
      expect(status, stdout.toString()).toBe(0);
      return stdout.toString();
    };
    expect(await said(join(intact, 'data/ledger/checkpoint'))).toContain('the same head of the same ledger');
    expect(await said(earlierCheckpoint)).toMatch(
      /the first \d+ entries of this bundle's ledger are those that your checkpoint stands for/,
    );
    const earlierBundle = join(earlierCheckpoint, '../../..');
    expect(await said(join(intact, 'data/ledger/checkpoint'), earlierBundle)).toContain('It is newer');
  });
});
