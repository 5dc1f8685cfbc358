import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { SallyportError } from '../../gateway/base/errors.ts';
import { MAX_REPORTED_FAULTS } from '../../gateway/config/fault.ts';
import { loadConfig } from '../../gateway/config.ts';
import { Belongings } from '../support/temp.ts';
import { environment, valid, writeConfig } from './written.ts';

const belongings = new Belongings();
const directory = belongings.directory('config');
afterAll(() => belongings.release());

/** Loads it; anything thrown but a refusal of the configuration fails the test. Returns what was thrown. */
function refusalOf(content: string | Uint8Array): SallyportError | undefined {
  try {
    loadConfig(writeConfig(directory, content), environment);
    return undefined;
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== 'CONFIG_INVALID') throw error;
    const form = /^.*gateway\.yaml:[1-9]\d*:[1-9]\d*: .+\. .+$|^… and \d+ more$/;
    expect(error.message.split('\n').find((line) => !form.test(line))).toBeUndefined();
    return error;
  }
}

const yamlPiece = fc.constantFrom(
  ...['gateway', 'humans', 'agents', 'targets', 'name', 'kind', 'ssh', 'shell', 'allow', 'group', 'env', 'file', 'ssh-keys', 'limits'],
  ...[
    ': ',
    ':',
    '- ',
    '\n',
    '\n  ',
    '\n    ',
    '{',
    '}',
    '[',
    ']',
    ', ',
    '"',
    "'",
    '&a ',
    '*a',
    '!!set ',
    '? ',
    '| ',
    '> ',
    '#',
    '---\n',
    '...\n',
    '%',
    '\t',
    '<<',
    '~',
    'null',
    '0x1f',
    '1e999',
    '.nan',
    '\u0000',
    '\u202e',
    '\ufeff',
    '__proto__',
    'constructor',
    'toString',
  ],
);

/** Values of every kind in the places of a configuration. */
const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, 0, -1, 1e308, Number.MAX_SAFE_INTEGER, '', 'ssh', 'web-1', '127.0.0.1:22', '10m', '4MiB', 'off'),
    fc.string({ maxLength: 20, unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('name', 'kind', 'env', 'file', 'group', 'password', 'key', 'ssh', '__proto__', 'x'), tie('value'), {
      maxKeys: 4,
    }),
  ),
})).value;

const wrongConfig = fc.dictionary(
  fc.constantFrom('gateway', 'humans', 'agents', 'targets', 'recording', 'limits', 'ssh', 'policy', 'approvals'),
  fc.oneof(
    anyValue,
    fc.array(
      fc.dictionary(
        fc.constantFrom(
          'name',
          'kind',
          'allow',
          'ssh-keys',
          'groups',
          'on-behalf-of',
          'credential',
          'passphrase',
          'tags',
          'address',
          'host-key',
        ),
        anyValue,
      ),
      { maxLength: 3 },
    ),
  ),
);

describe('whatever stands in the file, it is either a configuration or refused in words', () => {
  test('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => refusalOf(bytes)).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });

  test('any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300, unit: 'binary' }), (text) => {
        expect(() => refusalOf(text)).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });

  test('pieces of YAML in any order', () => {
    fc.assert(
      fc.property(fc.array(yamlPiece, { maxLength: 60 }), (pieces) => {
        expect(() => refusalOf(pieces.join(''))).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  test('any values in any place', () => {
    fc.assert(
      fc.property(wrongConfig, (config) => {
        expect(() => refusalOf(JSON.stringify(config))).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  test('a valid file with a piece of YAML anywhere', () => {
    const property = fc.property(fc.nat(valid.length), yamlPiece, fc.nat(5), (place, piece, removed) => {
      expect(() => refusalOf(valid.slice(0, place) + piece + valid.slice(place + removed))).not.toThrow();
    });
    fc.assert(property, { numRuns: 500 });
  });

  test('a valid file that ends too early', () => {
    for (let length = 0; length < valid.length; length += 7) expect(() => refusalOf(valid.slice(0, length))).not.toThrow();
  });
});

describe('what is made to cost time or memory costs little', () => {
  const size = 4 * 1024 * 1024 - 100;
  const fill = (piece: string) => piece.repeat(Math.floor(size / piece.length));
  const laughs = `${Array.from(
    { length: 12 },
    (_, level) =>
      `l${level}: &l${level} [${
        level === 0
          ? 'x'
          : Array(10)
              .fill(`*l${level - 1}`)
              .join(', ')
      }]`,
  ).join('\n')}\n`;
  const attacks: [name: string, content: string][] = [
    ['a billion laughs', laughs],
    ['lists in lists', fill('[')],
    ['sections in sections', fill('{a: ')],
    ['dashes', fill('- ')],
    ['deep indentation', Array.from({ length: 2500 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
    ['closing brackets', fill(']')],
    ['commas', `[${fill(',')}`],
    ['quotes', fill('"')],
    ['bad escapes', `a: "${fill('\\q')}"`],
    ['tags', fill('!x ')],
    ['anchors', fill('&a ')],
    ['aliases', fill('- *a\n')],
    ['keys of one section', Array.from({ length: 300_000 }, (_, index) => `k${index}: 1\n`).join('')],
    ['one key again and again', fill('gateway: 1\n')],
    ['documents', fill('---\n')],
    ['empty lines', fill('\n')],
    ['comments', fill('#\n')],
    ['tabs', fill('\t')],
    ['one long word', fill('x')],
    ['one long key', `${fill('x')}: 1`],
    ['question marks', fill('? ')],
    ['colons', fill(': ')],
    ['many wrong targets', `targets:\n${'  - { kind: ssh, allow: [nobody-of-this-name] }\n'.repeat(20_000)}`],
    [
      'many unknown names',
      `gateway: {listen: {ssh: "127.0.0.1:0"}}\nhumans:\n${Array.from({ length: 5000 }, (_, index) => `  - name: human-number-${index}\n`).join('')}targets: [{name: x, kind: shell, allow: [${Array.from({ length: 20_000 }, (_, index) => `humen-number-${index}x`).join(', ')}]}]\n`,
    ],
    ['a wide list of nothing', `humans: [${fill('~,')}]`],
  ];

  test.each(attacks)('%s', (_name, content) => {
    const path = writeConfig(directory, content);
    const started = performance.now();
    const error = refusalOf(content);
    expect(error).toBeDefined();
    // Seconds on a slow and busy machine; what grows with the square of the size would take hours.
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(error?.message.split('\n').length).toBeLessThanOrEqual(MAX_REPORTED_FAULTS + 2);
    expect(error?.message.length).toBeLessThan(MAX_REPORTED_FAULTS * (path.length + 1000));
  });
});
