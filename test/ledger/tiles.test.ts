import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GrowingTree } from '../../gateway/ledger/growing-tree.ts';
import { entriesBytes, parseEntries, parseTilePath, tilePath, tilesOf, tileWidth } from '../../gateway/ledger/tiles.ts';
import { entryOf, rootOf, tilesOfTree } from './tree.ts';

describe('names of tiles', () => {
  it.each([
    ['tile/0/000', 0, 0, 256],
    ['tile/0/x001/x234/067', 0, 1_234_067, 256],
    ['tile/63/999.p/1', 63, 999, 1],
    ['tile/entries/x001/000.p/255', 'entries', 1000, 255],
  ] as const)('%s is read and written', (path, level, index, width) => {
    expect(parseTilePath(path)).toEqual({ level, index, width });
    expect(tilePath(level, index, width)).toBe(path);
  });

  it.each([
    'tile/0/0',
    'tile/0/0000',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/x000/000',
    'tile/0/001/000',
    'tile/0/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/000\n',
    'tile/0/../../keys/ledger.key',
    'tile/entries/x999/x999/x999/x999/x999/999',
    'tile/data/000',
    'checkpoint',
    '',
  ])('%j is none', (path) => expect(parseTilePath(path)).toBeUndefined());

  it('are read back whatever they name, and nothing else has them', () => {
    const levels = fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const));
    fc.assert(
      fc.property(levels, fc.integer({ min: 0, max: 2 ** 53 - 1 }), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
        expect(parseTilePath(tilePath(level, index, width))).toEqual({ level, index, width });
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const address = parseTilePath(text);
        if (address !== undefined) expect(tilePath(address.level, address.index, address.width)).toBe(text);
      }),
    );
  });
});

describe('the tiles of a tree', () => {
  it('are those of the example in tlog-tiles, of 70,000 entries', () => {
    const tiles = [...tilesOf(70_000)];
    expect(tiles.filter(({ level, width }) => level === 0 && width === 256)).toHaveLength(273);
    expect(tiles.filter(({ level, width }) => level > 0 || width < 256)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 0, width: 256 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect([...tilesOf(256)]).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
    expect([...tilesOf(0)]).toEqual([]);
    expect(tileWidth('entries', 273, 70_000)).toBe(112);
    expect(tileWidth(0, 274, 70_000)).toBe(0);
  });

  it('are what grows, at whatever size the growing was interrupted and taken up again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: 0, max: 800 }), async (first, more) => {
        const before = tilesOfTree(first);
        const width = first % 256;
        const tree = await GrowingTree.load(
          before,
          first,
          Array.from({ length: width }, (_, index) => entryOf(first - width + index)),
        );
        expect(tree.size).toBe(first);
        expect(Buffer.from(tree.root())).toEqual(rootOf(Array.from({ length: first }, (_, index) => entryOf(index))));
        for (let index = first; index < first + more; index += 1) tree.append(entryOf(index));
        const after = tilesOfTree(first + more);
        expect(tree.root()).toEqual(after.root);
        for (const { level, index, bytes } of [...tree.takeFull(), ...tree.partial()])
          expect(Buffer.from(bytes)).toEqual(Buffer.from(after.files.get(tilePath(level, index, 256)) as Uint8Array));
        expect(tree.takeFull()).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a bundle of entries', () => {
  it('is read back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 }), (entries) => {
        const read = parseEntries(entriesBytes(entries), entries.length);
        expect(read.map((entry) => Buffer.from(entry))).toEqual(entries.map((entry) => Buffer.from(entry)));
      }),
    );
  });

  it('is damaged when it has another number of entries, or ends within one', () => {
    const bundle = entriesBytes([entryOf(0), entryOf(1)]);
    for (const width of [0, 1, 3, 256]) expect(() => parseEntries(bundle, width)).toThrow('does not consist of');
    for (let length = 1; length < bundle.length; length += 1)
      expect(() => parseEntries(bundle.subarray(0, length), 2)).toThrow('does not consist of');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 0, max: 256 }), (bytes, width) => {
        try {
          expect(parseEntries(bytes, width)).toHaveLength(width);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'LEDGER_DAMAGED' });
        }
      }),
    );
  });
});
