import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SftpObserver } from '../../../gateway/protocol/ssh/sftp-observer.ts';
import { SftpPackets, UndecodableSftp } from '../../../gateway/protocol/ssh/sftp-packets.ts';
import { run } from '../../support/run.ts';
import { Belongings } from '../../support/temp.ts';

interface Said {
  stream: 'i' | 'o';
  bytes: Buffer;
}
type Seen = ReturnType<SftpObserver['bytes']>;

const belongings = new Belongings();
const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 251));
let conversation: Said[];
beforeAll(async () => {
  conversation = await capture();
});
afterAll(() => belongings.release());

describe('a real conversation', () => {
  it('is understood', () => {
    const events = observe(conversation).map(({ event }) => event);
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(events).toContainEqual(
      expect.objectContaining({
        op: 'close',
        path: expect.stringContaining('/there/copy'),
        written: { offset: 0, bytes: content.length, sha256, sequential: true },
        result: 'ok',
      }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({
        op: 'close',
        path: expect.stringContaining('/there/moved'),
        read: { offset: 0, bytes: content.length, sha256, sequential: true },
      }),
    );
    for (const op of ['mkdir', 'rename', 'remove', 'rmdir', 'symlink', 'setstat'])
      expect(events).toContainEqual(expect.objectContaining({ op, result: 'ok' }));
    expect(events).toContainEqual(expect.objectContaining({ op: 'remove', result: 'no such file' }));
  });

  it('gives the same events however it is cut', () => {
    const whole = observe(conversation);
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 5000 })), (sizes) => {
        const cut = conversation.flatMap(({ stream, bytes }) => {
          const parts: Said[] = [];
          for (let at = 0; at < bytes.length; ) {
            const size = (sizes.next() as IteratorYieldResult<number>).value;
            parts.push({ stream, bytes: bytes.subarray(at, at + size) });
            at += size;
          }
          return parts;
        });
        expect(observe(cut)).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  it('gives its operations also when it breaks off before their answers', () => {
    const observer = new SftpObserver();
    observer.bytes('i', packet(13, uint(1), string('/etc/passwd')));
    observer.bytes('i', packet(18, uint(2), string('/a'), string('/b')));
    const events = observer.finish().map(({ event }) => event);
    expect(events).toEqual([
      expect.objectContaining({ op: 'remove', path: '/etc/passwd', result: 'no answer: channel closed' }),
      expect.objectContaining({ op: 'rename', path: '/a', to: '/b', result: 'no answer: channel closed' }),
    ]);
  });

  it('hides nothing behind a number that is used twice', () => {
    const observer = new SftpObserver();
    observer.bytes('i', packet(3, uint(1), string('/secret'), uint(1), uint(0)));
    observer.bytes('i', packet(17, uint(1), string('/harmless')));
    const seen = [...observer.bytes('o', packet(102, uint(1), string('h'))), ...observer.bytes('o', packet(105, uint(1), uint(0)))];
    expect(seen.map(({ event }) => [event.op, event.path, event.result])).toEqual([
      ['open', '/secret', 'ok'],
      ['stat', '/harmless', 'ok'],
    ]);
  });

  it('tells paths apart that are not UTF-8, and keeps no path whole that no file system has', () => {
    const observer = new SftpObserver();
    observer.bytes('i', packet(13, uint(1), string(Buffer.from([0x2f, 0xff]))));
    observer.bytes('i', packet(13, uint(2), string(Buffer.alloc(200_000, 1))));
    const [first, second] = observer.finish().map(({ event }) => event);
    expect(first?.pathBytes).toBe(Buffer.from([0x2f, 0xff]).toString('base64'));
    expect(JSON.stringify(second).length).toBeLessThan(100_000);
    expect(second?.pathSha256).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('hostile bytes', () => {
  it('are never more than undecodable', () => {
    const chunk = fc.record({ stream: fc.constantFrom('i' as const, 'o' as const), bytes: fc.uint8Array({ maxLength: 400 }) });
    const shaped = fc
      .record({
        stream: fc.constantFrom('i' as const, 'o' as const),
        type: fc.constantFrom(1, 3, 4, 5, 6, 9, 10, 11, 12, 16, 18, 20, 101, 102, 103, 104, 105, 200),
        body: fc.uint8Array({ maxLength: 60 }),
      })
      .map(({ stream, type, body }) => ({ stream, bytes: packet(type, Buffer.from(body)) }));
    fc.assert(
      fc.property(fc.array(fc.oneof(chunk, shaped), { maxLength: 40 }), (said) => {
        observe(said.map(({ stream, bytes }) => ({ stream, bytes: Buffer.from(bytes) })));
      }),
      { numRuns: 500 },
    );
  });

  it('of a length that nobody means are said to be undecodable once', () => {
    for (const length of [0, 0xffff_ffff, 300 * 1024]) {
      expect(() => [...new SftpPackets().push(uint(length))]).toThrow(UndecodableSftp);
      const observer = new SftpObserver();
      expect(observer.bytes('i', uint(length)).map(({ event }) => event.op ?? event.kept)).toEqual(['detect', 'undecodable']);
      expect(observer.bytes('i', uint(length))).toEqual([]);
    }
  });

  it('of requests without an end take a bounded part of memory, and those that were asked are told', () => {
    const observer = new SftpObserver();
    let told: Seen = [];
    for (let id = 0; id < 200 && told.length === 0; id += 1)
      told = observer.bytes('i', packet(3, uint(id), string(Buffer.alloc(250_000, 'p')), uint(1), uint(0)));
    for (let id = 0; id < 400_000 && told.length === 0; id += 1) told = observer.bytes('i', packet(17, uint(id), string(`/${id}`)));
    expect(told.at(-1)?.event.op).toBe('undecodable');
    expect(told.length).toBeGreaterThan(1000);
  });

  it('of open handles without an end take a bounded part of memory', () => {
    const observer = new SftpObserver();
    let told: Seen = [];
    for (let id = 0; id < 100_000; id += 1) {
      observer.bytes('i', packet(3, uint(id), string(`/${id}`), uint(1), uint(0)));
      told = observer.bytes('o', packet(102, uint(id), string(String(id))));
      if (told.some(({ event }) => event.op === 'undecodable')) break;
    }
    expect(told.at(-1)?.event.op).toBe('undecodable');
  });

  it('of a Paramiko that asks for 1 GiB at once are understood', () => {
    const observer = new SftpObserver();
    observer.bytes('i', packet(3, uint(0), string('/big'), uint(1), uint(0)));
    observer.bytes('o', packet(102, uint(0), string('h')));
    for (let id = 1; id <= 32_768; id += 1)
      expect(observer.bytes('i', packet(5, uint(id), string('h'), uint(0), uint(id), uint(32_768)))).toEqual([]);
  });
});

function observe(said: readonly Said[]): Seen {
  const observer = new SftpObserver();
  return [...said.flatMap(({ stream, bytes }) => observer.bytes(stream, bytes)), ...observer.finish()];
}

function uint(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint(bytes.length), bytes]);
}

function packet(type: number, ...fields: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from([type]), ...fields]);
  return Buffer.concat([uint(body.length), body]);
}

/** What OpenSSH's sftp and its server say to each other, each reply behind its request. */
async function capture(): Promise<Said[]> {
  const directory = belongings.directory('sftp');
  const [from, to] = [join(directory, 'in'), join(directory, 'out')];
  const server = join(directory, 'server');
  writeFileSync(server, `#!/bin/sh\ntee ${from} | /usr/lib/openssh/sftp-server | tee ${to}\n`);
  chmodSync(server, 0o755);
  mkdirSync(join(directory, 'there'));
  const file = join(directory, 'content');
  writeFileSync(file, content);
  const there = join(directory, 'there');
  const commands = [
    `put ${file} ${there}/copy`,
    `rename ${there}/copy ${there}/moved`,
    `chmod 600 ${there}/moved`,
    `ls ${there}`,
    `get ${there}/moved ${directory}/back`,
    `mkdir ${there}/sub`,
    `ln -s ${there}/moved ${there}/link`,
    `-rm ${there}/nothing`,
    `rm ${there}/link`,
    `rmdir ${there}/sub`,
  ];
  const done = await run('sftp', ['-q', '-b', '-', '-D', server], { input: `${commands.join('\n')}\n` });
  expect(done.status, done.stderr).toBe(0);
  const [requests, replies] = [packetsOf(readFileSync(from)), packetsOf(readFileSync(to))];
  const said: Said[] = [];
  for (const reply of replies) {
    const id = reply[4] === 2 ? undefined : reply.readUInt32BE(5);
    while (requests.length > 0) {
      const asked = requests.shift() as Buffer;
      said.push({ stream: 'i', bytes: asked });
      if (id === undefined || (asked[4] !== 1 && asked.readUInt32BE(5) === id)) break;
      if (said.some(({ stream, bytes }) => stream === 'i' && bytes[4] !== 1 && bytes.readUInt32BE(5) === id)) break;
    }
    said.push({ stream: 'o', bytes: reply });
  }
  return said;
}

function packetsOf(stream: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at < stream.length; at += 4 + stream.readUInt32BE(at))
    packets.push(stream.subarray(at, at + 4 + stream.readUInt32BE(at)));
  return packets;
}
