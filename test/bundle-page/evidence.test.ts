import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BundlePageSession } from '../../contract/bundle-page.ts';
import { formatCheckpoint } from '../../gateway/ledger/checkpoint.ts';
import { leafHash as gatewayLeaf } from '../../gateway/ledger/merkle.ts';
import { MerkleFrontier } from '../../gateway/ledger/merkle-frontier.ts';
import { formatVerifierKey, type NoteSigner, noteSigner, signNote } from '../../gateway/ledger/signed-note.ts';
import { tilePath, tilesOf } from '../../gateway/ledger/tiles.ts';
import { checkSegment } from '../../renderer/evidence/check-segment.ts';
import { checkSession } from '../../renderer/evidence/check-session.ts';
import { checkSignature, NotReadable, parseCheckpoint, parseLogKey } from '../../renderer/evidence/checkpoint.ts';
import { compareCheckpoint } from '../../renderer/evidence/compare-checkpoint.ts';
import { decodeBase64 } from '../../renderer/evidence/encodings.ts';
import { foldPeaks, leafHash, peaksOf } from '../../renderer/evidence/merkle.ts';
import { noFacts, type SessionFacts, takeRecord } from '../../renderer/evidence/session-facts.ts';
import { sha256 } from '../../renderer/evidence/sha256.ts';
import { TileSet } from '../../renderer/evidence/tile-set.ts';
import { rootAt, TreeCheck } from '../../renderer/evidence/tree.ts';

describe('SHA-256', () => {
  it('is that of FIPS 180-4, for every length around a block and any content', () => {
    for (let length = 0; length < 200; length += 1) {
      const bytes = randomBytes(length);
      expect(Buffer.from(sha256(bytes)).toString('hex'), `${length} bytes`).toBe(createHash('sha256').update(bytes).digest('hex'));
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        expect(Buffer.from(sha256(bytes)).equals(createHash('sha256').update(bytes).digest())).toBe(true);
      }),
    );
  });

  it('of a view is that of the bytes it shows', () => {
    const bytes = randomBytes(300);
    expect(Buffer.from(sha256(bytes.subarray(7, 250))).equals(createHash('sha256').update(bytes.subarray(7, 250)).digest())).toBe(true);
  });
});

describe('base64', () => {
  it('has one form for each content', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeBase64(Buffer.from(bytes).toString('base64'))).toEqual(new Uint8Array(bytes));
      }),
    );
    for (const text of ['A', 'AA', 'AAA', 'AB==', 'AAB=', 'AA==AA==', 'AA=A', ' AAAA', 'AA-_', 'AAA\n'])
      expect(decodeBase64(text), text).toBeUndefined();
  });
});

/** A log with entries of its own, as the gateway's code computes it. */
class Log {
  readonly leaves: Uint8Array[] = [];
  readonly roots: Uint8Array[] = [];
  readonly #signer: NoteSigner;
  readonly key: string;
  readonly origin: string;

  constructor(size: number, options: { origin?: string; from?: Log; changed?: number } = {}) {
    this.origin = options.origin ?? 'gateway-1/test';
    const { privateKey } = generateKeyPairSync('ed25519');
    this.#signer = options.from === undefined ? noteSigner(this.origin, privateKey) : options.from.#signer;
    this.key = formatVerifierKey(this.#signer.key);
    const frontier = new MerkleFrontier();
    this.roots.push(frontier.root());
    for (let index = 0; index < size; index += 1) {
      const leaf = options.from !== undefined && index !== options.changed ? options.from.leaves[index] : undefined;
      this.leaves.push(leaf ?? gatewayLeaf(randomBytes(32)));
      frontier.append(this.leaves[index] as Uint8Array);
      this.roots.push(frontier.root());
    }
  }

  checkpoint(size = this.leaves.length): string {
    return signNote(formatCheckpoint({ origin: this.origin, size, root: this.roots[size] as Uint8Array, extensions: [] }), [this.#signer]);
  }

  /** All tiles, or those that `keep` wants. */
  tiles(keep: (path: string) => boolean = () => true): Record<string, string> {
    const levels: Uint8Array[][] = [this.leaves];
    for (let level = levels[0] as Uint8Array[]; level.length >= 256; level = levels.at(-1) as Uint8Array[]) {
      levels.push(
        Array.from({ length: Math.floor(level.length / 256) }, (_, at) => foldPeaks(peaksOf(level.slice(at * 256, at * 256 + 256)))),
      );
    }
    const files = [...tilesOf(this.leaves.length)].map(({ level, index, width }): [string, string] => {
      const hashes = (levels[level] as Uint8Array[]).slice(index * 256, index * 256 + width);
      return [tilePath(level, index, width), Buffer.concat(hashes).toString('base64')];
    });
    return Object.fromEntries(files.filter(([path]) => keep(path)));
  }
}

describe('the tree', () => {
  it('has the root that the gateway computes, at every size', () => {
    const log = new Log(700);
    const tiles = new TileSet(log.tiles());
    for (const size of [1, 2, 3, 255, 256, 257, 511, 512, 513, 699, 700]) {
      const computed = rootAt(tiles, size);
      expect('root' in computed && Buffer.from(computed.root).equals(log.roots[size] as Buffer), `size ${size}`).toBe(true);
    }
  });

  it('has it over three levels of tiles', () => {
    const log = new Log(66_000);
    const tiles = new TileSet(log.tiles());
    const check = new TreeCheck(tiles, 66_000, log.roots[66_000] as Uint8Array);
    expect(check.rootFits).toBe(true);
    expect(check.strangers()).toEqual([]);
    for (const index of [0, 255, 256, 65_535, 65_536, 65_999])
      expect(check.leaf(index)).toEqual(new Uint8Array(log.leaves[index] as Buffer));
  });

  it('names the tile in which one bit is different, and goes on trusting the others', () => {
    const log = new Log(2000);
    const files = log.tiles();
    const altered = 'tile/0/003';
    const bytes = Buffer.from(files[altered] as string, 'base64');
    bytes[1000] = (bytes[1000] as number) ^ 1;
    const check = new TreeCheck(new TileSet({ ...files, [altered]: bytes.toString('base64') }), 2000, log.roots[2000] as Uint8Array);
    expect(check.rootFits).toBe(true);
    expect(check.strangers().map(({ path }) => path)).toEqual([altered]);
    expect(check.leaf(3 * 256 + 5)).toBeUndefined();
    expect(check.leaf(4 * 256 + 5)).toBeDefined();
  });

  it('does not add up when a bit at its right edge is different', () => {
    const log = new Log(700);
    const files = log.tiles();
    for (const path of ['tile/0/002.p/188', 'tile/1/000.p/2']) {
      const bytes = Buffer.from(files[path] as string, 'base64');
      bytes[33] = (bytes[33] as number) ^ 0x80;
      const check = new TreeCheck(new TileSet({ ...files, [path]: bytes.toString('base64') }), 700, log.roots[700] as Uint8Array);
      expect(check.rootFits, path).toBe(false);
      expect(check.leaf(0), path).toBeUndefined();
    }
  });

  it('says which tiles it would take', () => {
    const log = new Log(700);
    const tiles = new TileSet(log.tiles((path) => path !== 'tile/0/001'));
    expect(rootAt(tiles, 300)).toEqual({ missing: ['tile/0/001.p/44'] });
    expect('root' in rootAt(tiles, 700)).toBe(true);
  });

  it('takes no file that is not a tile, and none that is shorter or longer than its name says', () => {
    const full = Buffer.alloc(256 * 32).toString('base64');
    const set = new TileSet({
      'tile/0/000': full,
      'tile/0/001': Buffer.alloc(255 * 32).toString('base64'),
      'tile/0/002.p/3': Buffer.alloc(4 * 32).toString('base64'),
      'tile/0/003': 'not base64!',
      '../../etc/passwd': full,
      'tile/9/000': full,
      'tile/entries/000': 'anything',
    });
    expect(set.size).toBe(1);
    expect(set.unreadable).toEqual(['tile/0/001', 'tile/0/002.p/3', 'tile/0/003', '../../etc/passwd', 'tile/9/000']);
  });

  it('hashes leaves as the gateway does', () => {
    const entry = randomBytes(32);
    expect(Buffer.from(leafHash(entry)).equals(gatewayLeaf(entry))).toBe(true);
  });
});

describe('a checkpoint', () => {
  const log = new Log(700);

  it('that the gateway signed is valid, and any other byte in it makes it invalid or unreadable', async () => {
    const note = log.checkpoint();
    const key = parseLogKey(log.key);
    expect(await checkSignature(parseCheckpoint(note), key)).toBe('valid');
    for (let at = 0; at < note.length; at += 1) {
      const changed = note.slice(0, at) + String.fromCharCode(note.charCodeAt(at) ^ 1) + note.slice(at + 1);
      let verdict: string;
      try {
        verdict = await checkSignature(parseCheckpoint(changed), key);
      } catch {
        verdict = 'unreadable';
      }
      expect(verdict, `byte ${at}`).not.toBe('valid');
    }
  });

  it('of another key is not taken for one of this', async () => {
    expect(await checkSignature(parseCheckpoint(log.checkpoint()), parseLogKey(new Log(1).key))).toBe('not signed by this key');
  });

  it.each(['', 'x', 'a\n1\n', 'a\n1\nAAAA\n\n— a AAAAAAA=\n', `${'a\n'.repeat(200_000)}\n`, '\n\n\n\n', 'a\n-1\nx\n\n— a b\n'])(
    'that is none is refused: %j',
    (text) => {
      expect(() => parseCheckpoint(text)).toThrow(NotReadable);
    },
  );

  it.each(['', 'a+b', 'a+00000000+AAAA', 'a b+00000000+AQ=='])('a key that is none is refused: %j', (line) => {
    expect(() => parseLogKey(line)).toThrow(NotReadable);
  });
});

describe('a checkpoint from elsewhere', () => {
  const log = new Log(700);
  const bundle = parseCheckpoint(log.checkpoint());
  const key = parseLogKey(log.key);
  const compare = async (text: string, tiles = log.tiles()) => (await compareCheckpoint(text, bundle, key, new TileSet(tiles))).state;

  it('of the same log agrees, at every size', async () => {
    for (const size of [0, 1, 100, 256, 300, 512, 699, 700]) expect(await compare(log.checkpoint(size)), `size ${size}`).toBe('agrees');
  });

  it('as it comes out of a mail still agrees', async () => {
    expect(await compare(`\r\n  ${log.checkpoint(300).replaceAll('\n', '\r\n')}\r\n`)).toBe('agrees');
  });

  it('contradicts a log that was rewritten with the key', async () => {
    const before = new Log(700, { from: log, changed: 17 });
    for (const size of [18, 300, 699, 700]) expect(await compare(before.checkpoint(size)), `size ${size}`).toBe('contradicts');
    expect(await compare(before.checkpoint(17)), 'nothing was different up to there').toBe('agrees');
  });

  it('with a wrong signature contradicts', async () => {
    expect(await compare(log.checkpoint(300).replace('\n300\n', '\n301\n'))).toBe('contradicts');
  });

  it('is not judged where the tiles do not reach, where it is newer, of another log or no checkpoint', async () => {
    expect(
      await compare(
        log.checkpoint(300),
        log.tiles((path) => path !== 'tile/0/001'),
      ),
    ).toBe('cannot tell');
    expect(await compare(new Log(900, { from: log }).checkpoint())).toBe('cannot tell');
    expect(await compare(new Log(300, { origin: 'gateway-2/x' }).checkpoint())).toBe('cannot tell');
    expect(await compare(new Log(300).checkpoint())).toBe('cannot tell');
    expect(await compare('hello')).toBe('cannot tell');
  });
});

describe('a session', () => {
  const id = '01a206a2-251b-7522-b64b-acc926086c1e';
  const stream = (offset: number, bytes: number) => ({ offset, bytes, sha256: '0'.repeat(64) });

  function told(change: (records: Record<string, unknown>[]) => Record<string, unknown>[] = (records) => records): SessionFacts {
    const seal = (segment: number, from: number, to: number) => ({
      type: 'segment.sealed',
      body: {
        channel: 0,
        segment,
        file: 'f',
        bytes: 1,
        sha256: '0'.repeat(64),
        from,
        to,
        streams: { i: stream(0, 0), o: stream((segment - 1) * 10, 10), e: stream(0, 0) },
      },
    });
    const records: Record<string, unknown>[] = [
      { type: 'session.open', body: { protocol: 'ssh' }, time: '2026-03-01T09:30:00.000000Z' },
      { type: 'channel.open', body: { channel: 0, kind: 'shell' } },
      seal(1, 0, 60),
      seal(2, 60, 90),
      { type: 'channel.close', body: { channel: 0, segments: 2 } },
      { type: 'session.close', body: { channels: 1 }, time: '2026-03-01T09:31:00.000000Z' },
    ];
    const facts = noFacts();
    for (const [index, record] of change(records).entries()) {
      takeRecord(
        facts,
        {
          index,
          text: '',
          time: '',
          session: id,
          outcome: 'success',
          actor: { principal: 'deploy-bot', onBehalfOf: 'engineer@example.com', source: '192.0.2.7:1' },
          target: { name: 'web-1' },
          ...record,
        } as never,
        'records/0001',
      );
    }
    return facts;
  }

  const segment = (number: number) => ({ segment: number, from: 0, to: 0, script: 'x', damage: null, text: null });
  const row: BundlePageSession = {
    id,
    started: '2026-03-01T09:30:00.000000Z',
    ended: '2026-03-01T09:31:00.000000Z',
    state: 'closed',
    principal: 'deploy-bot',
    principalKind: 'agent',
    onBehalfOf: 'engineer@example.com',
    target: 'web-1',
    protocol: 'ssh',
    source: '192.0.2.7:1',
    channels: 1,
    bytesIn: 0,
    bytesOut: 20,
    reason: null,
    transcript: null,
    recordings: [{ channel: 0, kind: 'shell', command: null, segments: [segment(1), segment(2)] }],
  };
  const without =
    (type: string, which = 0) =>
    (records: Record<string, unknown>[]) => {
      const chosen = records.filter((record) => record.type === type)[which];
      return records.filter((record) => record !== chosen);
    };

  it('that is all there has no fault', () => {
    expect(checkSession(row, told())).toEqual([]);
  });

  it.each([
    ['session.open', 0, /beginning \(session.open\)/],
    ['session.close', 0, /end \(session.close\)/],
    ['channel.open', 0, /beginning \(channel.open\)/],
    ['channel.close', 0, /end \(channel.close\)/],
    ['segment.sealed', 0, /part 1 of its recording has no seal/],
    ['segment.sealed', 1, /ended with 2 parts, and 1 have a seal/],
  ])('without a %s (%i) is not complete', (type, which, words) => {
    expect(checkSession(row, told(without(type, which))).join('\n')).toMatch(words);
  });

  it('whose last part and end of channel are both kept back is not complete', () => {
    const facts = told((records) => without('channel.close')(without('segment.sealed', 1)(records)));
    expect(checkSession(row, facts).join('\n')).toMatch(/part 2 is in the bundle, and no record seals it/);
  });

  it('whose whole channel is kept back is not complete', () => {
    const facts = told((records) => records.filter(({ type }) => String(type).startsWith('session.')));
    expect(checkSession({ ...row, recordings: [] }, facts).join('\n')).toMatch(/ended with 1 channel, and the bundle has records of 0/);
  });

  it.each([
    ['principal', 'somebody-else'],
    ['onBehalfOf', null],
    ['target', 'web-2'],
    ['source', '192.0.2.8:1'],
    ['started', '2026-03-02T09:30:00.000000Z'],
    ['ended', '2026-03-02T09:30:00.000000Z'],
    ['protocol', 'mcp'],
  ])('whose %s in the list was changed is not believed', (member, value) => {
    expect(checkSession({ ...row, [member]: value }, told()).join('\n')).toMatch(/The list names the .*; the record says/);
  });

  it('that was recovered is complete by what recovery says of it, also where an opening was never recorded', () => {
    const recovered = told((records) => [
      ...without('channel.open')(without('session.close')(records)),
      { type: 'session.recovered', body: { channels: [{ channel: 0, lastFrameAt: 90, frames: 5, tornBytes: 0 }] } },
    ]);
    expect(checkSession({ ...row, state: 'recovered', ended: null }, recovered)).toEqual([]);
    expect(checkSession({ ...row, state: 'recovered', ended: null }, told(without('session.close')))).toHaveLength(1);
  });

  it('of which a part was sealed twice is judged by the later seal', () => {
    const again = told((records) => {
      const seal = records.find(({ type, body }) => type === 'segment.sealed' && (body as { segment: number }).segment === 2);
      return [...records.slice(0, 3), { ...seal, body: { ...(seal?.body as object), to: 70 } }, ...records.slice(3)];
    });
    expect(checkSession(row, again)).toEqual([]);
    expect(again.channels.get(0)?.seals.map(({ to }) => to)).toEqual([60, 90]);
  });

  it('that ended for a fault may lack the opening of a channel, and no other', () => {
    const faulty = (code: string | undefined) =>
      told((records) => records.map((record) => (record.type === 'session.close' ? { ...record, body: { channels: 2, code } } : record)));
    expect(checkSession(row, faulty('RECORDING_FAILED'))).toEqual([]);
    expect(checkSession(row, faulty(undefined))).toHaveLength(1);
  });

  it('that is listed as running or recovered when it was closed is not believed', () => {
    expect(checkSession({ ...row, state: 'live' }, told())).toHaveLength(1);
    expect(checkSession({ ...row, state: 'recovered' }, told())).toHaveLength(1);
    expect(checkSession({ ...row, state: 'erased' }, told())).toHaveLength(1);
    expect(checkSession(row, undefined)).toHaveLength(1);
  });
});

describe('a part of a recording', () => {
  const bytes = new TextEncoder().encode('{"version":3}\n[0.5,"o","hello"]\n');
  const text = { bytes: bytes.length, lines: 2, sha256: createHash('sha256').update(bytes).digest('hex') };
  const seal = { text } as never;

  it('is intact as it was sealed, and altered with any byte changed, added or left out', async () => {
    expect(await checkSegment(bytes, seal)).toEqual({ state: 'intact' });
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      expect((await checkSegment(changed, seal)).state, `byte ${at}`).toBe('altered');
    }
    expect((await checkSegment(bytes.slice(1), seal)).state).toBe('altered');
    expect((await checkSegment(Uint8Array.from([...bytes, 10]), seal)).state).toBe('altered');
  });

  it('is not called intact without a seal, or by a seal that says nothing of its text', async () => {
    expect((await checkSegment(bytes, undefined)).state).toBe('unsealed');
    expect((await checkSegment(bytes, { text: undefined } as never)).state).toBe('unchecked');
  });
});
