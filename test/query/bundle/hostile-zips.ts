import { createHash, randomBytes } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';
import {
  centralHeader,
  dataDescriptor,
  endRecord,
  localHeader,
  type ZipDirectory,
  type ZipEntry,
  zip64End,
} from '../../../gateway/query/bundle/zip-format.ts';

/** The bytes of a zip file with these entries, whatever they claim, and a seal that is right. */
export function forged(
  entries: { entry: ZipEntry; packed: Uint8Array; local?: Buffer; central?: Buffer }[],
  claimed: Partial<ZipDirectory> = {},
): Buffer {
  const locals = entries.flatMap(({ entry, packed, local }) => [local ?? localHeader(entry), packed, dataDescriptor(entry)]);
  const list = Buffer.concat(entries.map(({ entry, central }) => central ?? centralHeader(entry)));
  const before = Buffer.concat(locals);
  const zipDirectory = { entries: entries.length, bytes: list.length, offset: before.length, ...claimed };
  const sealed = Buffer.concat([before, list, zip64End(zipDirectory)]);
  return Buffer.concat([sealed, endRecord(zipDirectory, createHash('sha256').update(sealed).digest('hex'))]);
}

function deflated(name: string, content: Uint8Array, offset: number): { entry: ZipEntry; packed: Buffer } {
  const packed = deflateRawSync(content);
  return { entry: { name, stored: false, crc32: crc32(content), bytes: content.length, packedBytes: packed.length, offset }, packed };
}

/** Zip files that were made to do harm: what each does, how a reader of bundles refuses it, and its bytes. */
export const hostileZips: [string, RegExp, () => Buffer][] = [
  ...[
    '../../etc/passwd',
    '/etc/passwd',
    'data/../../x',
    'data//x',
    'data/./x',
    'C:x',
    'data\\x',
    'data/',
    'data/\u001b[2J',
    '.ssh/config',
    'data/-rf/..',
  ].map((name): [string, RegExp, () => Buffer] => [
    `names ${JSON.stringify(name)}`,
    /is not a name that a bundle has/,
    () => forged([deflated(name, Buffer.from('x'), 0)]),
  ]),
  [
    'has the same name twice',
    /twice/,
    () => {
      const first = deflated('data/a', Buffer.from('x'), 0);
      return forged([first, deflated('data/A', Buffer.from('y'), 30 + 6 + first.packed.length + 16)]);
    },
  ],
  [
    'uses the same bytes for two entries',
    /does not follow/,
    () => {
      const first = deflated('data/a', Buffer.alloc(1000), 0);
      const packed = Buffer.concat([localHeader(first.entry), first.packed, dataDescriptor(first.entry)]);
      const list = ['data/a', 'data/b'].map((name) => centralHeader({ ...first.entry, name }));
      const directoryOf = { entries: 2, bytes: Buffer.concat(list).length, offset: packed.length };
      const sealed = Buffer.concat([packed, ...list]);
      return Buffer.concat([sealed, endRecord(directoryOf, createHash('sha256').update(sealed).digest('hex'))]);
    },
  ],
  [
    'is a symbolic link',
    /was not written by sallyport export/,
    () => {
      const link = deflated('data/a', Buffer.from('/etc/passwd'), 0);
      const central = centralHeader(link.entry);
      central.writeUInt32LE(0o120777 * 0x10000, 38);
      return forged([{ ...link, central }]);
    },
  ],
  [
    'is encrypted',
    /was not written by sallyport export/,
    () => {
      const entry = deflated('data/a', Buffer.from('x'), 0);
      const central = centralHeader(entry.entry);
      central.writeUInt16LE(0x0809, 8);
      return forged([{ ...entry, central }]);
    },
  ],
  [
    'has another name in front of the content than in the list',
    /the header before data\/a is not the one/,
    () => {
      const entry = deflated('data/a', Buffer.from('x'), 0);
      return forged([{ ...entry, local: localHeader({ name: 'data/b', stored: false }) }]);
    },
  ],
  ['claims a million times its size', /would unpack to/, () => forged([bomb(2 ** 40, Buffer.alloc(1000))])],
  ['claims a size beyond all numbers', /not an intact bundle/, () => forged([bomb(2 ** 60, Buffer.alloc(1000))])],
  ['unpacks to more than it claims', /is longer than its 10 bytes/, () => forged([bomb(10, Buffer.alloc(100_000))])],
  ['unpacks to less than it claims', /has 10 bytes instead of 20/, () => forged([bomb(20, Buffer.alloc(10))])],
  ['is longer than the file', /is longer than the file/, () => forged([tooLong(2 ** 31)])],
  ['is longer than all files', /is longer than the file/, () => forged([tooLong(2 ** 52)])],
  [
    'claims a hundred million entries',
    /more than the 1000000/,
    () => forged([deflated('data/a', Buffer.from('x'), 0)], { entries: 100_000_000 }),
  ],
  [
    'claims more entries than its list can hold',
    /cannot name 5 entries/,
    () => forged([deflated('data/a', Buffer.from('x'), 0)], { entries: 5 }),
  ],
  [
    'claims a list beyond its end',
    /does not reach to its end/,
    () => forged([deflated('data/a', Buffer.from('x'), 0)], { offset: 2 ** 45 }),
  ],
  [
    'hides bytes behind the content of an entry',
    /other bytes follow/,
    () => {
      const { entry, packed } = deflated('data/a', Buffer.from('x'), 0);
      const longer = Buffer.concat([packed, Buffer.from('hidden')]);
      return forged([{ entry: { ...entry, packedBytes: longer.length }, packed: longer }]);
    },
  ],
  [
    'is no deflate stream',
    /was changed/,
    () =>
      forged([
        { entry: { name: 'data/a', stored: false, crc32: 0, bytes: 5, packedBytes: 4, offset: 0 }, packed: Buffer.from([7, 7, 7, 7]) },
      ]),
  ],
  ['is empty', /only 0 bytes/, () => Buffer.alloc(0)],
  ['is something else', /does not end as a bundle does/, () => randomBytes(5000)],
];

function bomb(bytes: number, content: Buffer): { entry: ZipEntry; packed: Buffer } {
  const { entry, packed } = deflated('data/a', content, 0);
  return { entry: { ...entry, bytes }, packed };
}

function tooLong(packedBytes: number): { entry: ZipEntry; packed: Buffer } {
  const { entry, packed } = deflated('data/a', Buffer.from('x'), 0);
  return { entry: { ...entry, packedBytes }, packed };
}
