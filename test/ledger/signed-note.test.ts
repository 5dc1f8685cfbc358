import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { formatCheckpoint, parseCheckpoint } from '../../gateway/ledger/checkpoint.ts';
import { leafHash } from '../../gateway/ledger/merkle.ts';
import { inclusionProof } from '../../gateway/ledger/proofs.ts';
import { formatVerifierKey, noteSigner, openNote, parseVerifierKey, signNote } from '../../gateway/ledger/signed-note.ts';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from '../../gateway/ledger/tlog-proof.ts';
import { entryOf, rootOf, tilesOfTree } from './tree.ts';

// The worked example of golang.org/x/mod/sumdb/note, which C2SP signed-note was made from.
const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const line = '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const note = `${text}\n${line}`;
const peter = parseVerifierKey(vkey);
// Its private key is published with it: a seed of 32 bytes, here in PKCS #8.
const seed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const peterKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
  format: 'der',
  type: 'pkcs8',
});

const newSigner = (name: string) => noteSigner(name, generateKeyPairSync('ed25519').privateKey);
const refused = (code: unknown): Error => expect.objectContaining({ code }) as Error;
const noteInvalid = refused('LEDGER_NOTE_INVALID');
const signatureInvalid = refused('LEDGER_SIGNATURE_INVALID');

describe('a signed note', () => {
  it('is the one that others make and verify', () => {
    expect(openNote(note, [peter])).toEqual({ text, signedBy: [peter] });
    expect(openNote(Buffer.from(note), [peter]).text).toBe(text);
    expect(signNote(text, [noteSigner('PeterNeumann', peterKey)])).toBe(note);
    expect(formatVerifierKey(peter)).toBe(vkey);
    expect(parseVerifierKey(`${vkey}\n`).id).toBe(0xc74f20a3);
  });

  it('verifies with openssl alone', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-note-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const signed = signNote(text, [noteSigner('example.com/log', privateKey)]);
    writeFileSync(join(directory, 'key.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    writeFileSync(join(directory, 'text'), text);
    const verify = (signature: Uint8Array) => {
      writeFileSync(join(directory, 'signature'), signature);
      const { pkeyutl } = {
        pkeyutl: ['pkeyutl', '-verify', '-pubin', '-inkey', 'key.pem', '-rawin', '-in', 'text', '-sigfile', 'signature'],
      };
      return execFileSync('openssl', pkeyutl, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    };
    const signature = Buffer.from(signed.trimEnd().split(' ').at(-1) as string, 'base64').subarray(4);
    expect(verify(signature)).toContain('Verified Successfully');
    signature[5] = (signature[5] as number) ^ 1;
    expect(() => verify(signature)).toThrow();
  });

  it('may carry signatures of others, before and after', () => {
    const stranger = signNote(text, [newSigner('witness.example')]).slice(text.length + 1);
    for (const both of [`${text}\n${line}${stranger}`, `${text}\n${stranger}${line}`, `${text}\n${line}${line}`])
      expect(openNote(both, [peter]).signedBy).toEqual([peter]);
  });

  it('tells which of several keys signed it', () => {
    const [one, two, three] = ['a', 'b', 'c'].map(newSigner) as [
      ReturnType<typeof newSigner>,
      ReturnType<typeof newSigner>,
      ReturnType<typeof newSigner>,
    ];
    const { signedBy } = openNote(signNote(text, [one, two]), [three.key, two.key, one.key]);
    expect(signedBy).toEqual([one.key, two.key]);
  });

  it('is worth nothing when nobody known signed it, or a key of the same name did', () => {
    expect(() => openNote(note, [])).toThrow(signatureInvalid);
    expect(() => openNote(note, [newSigner('PeterNeumann').key])).toThrow(signatureInvalid);
    expect(() => openNote(note.replace('PeterNeumann ', 'EnochRoot '), [peter])).toThrow(signatureInvalid);
  });

  it('is worth nothing when a known key is named and its signature is wrong, whoever else signed it', () => {
    const other = newSigner('other');
    const bad = signNote(`${text}.\n`, [noteSigner('PeterNeumann', peterKey)])
      .split('\n')
      .at(-2) as string;
    expect(() => openNote(`${text}\n${bad}\n`, [peter])).toThrow(signatureInvalid);
    expect(() => openNote(`${signNote(text, [other])}${bad}\n`, [peter, other.key])).toThrow(signatureInvalid);
    const short = `— PeterNeumann ${Buffer.from('c74f20a300', 'hex').toString('base64')}\n`;
    expect(() => openNote(`${text}\n${short}`, [peter])).toThrow(signatureInvalid);
  });

  it.each([
    ['has no signature', text],
    ['has no end', note.slice(0, -1)],
    ['has no empty line', `${text}${line}`],
    ['has a hyphen for the dash', note.replace('—', '-')],
    ['has two spaces', note.replace('— ', '—  ')],
    ['has more than a signature on a line', note.replace('=\n', '= x\n')],
    ['has base64 that is not canonical', note.replace('nAM=', 'nAN=')],
    ['has base64 without its padding', note.replace('nAM=', 'nAM')],
    ['has base64 of another alphabet', note.replace('x08go/', 'x08go_')],
    ['has a carriage return', note.replaceAll('\n', '\r\n')],
    ['has a zero byte', note.replace('think', 'th\0ink')],
    ['has a plus in a name', note.replace('PeterNeumann', 'Peter+Neumann')],
    ['has a space of another script in a name', note.replace('PeterNeumann', 'Peter\u00a0Neumann')],
    ['has a signature of three bytes', `${text}\n— PeterNeumann AAAA\n`],
    ['has half of a surrogate pair', note.replace('think', 'th\ud800ink')],
    ['is empty', ''],
    ['is too large', `${'x'.repeat(300_000)}\n\n${line}`],
    ['has too many signatures', `${text}\n${line.repeat(65)}`],
  ])('is refused when it %s', (_, malformed) => expect(() => openNote(malformed, [peter])).toThrow(noteInvalid));

  it('is refused when it is not UTF-8, and a byte order mark is part of its text', () => {
    const bytes = Buffer.from(note);
    expect(() => openNote(Buffer.concat([Buffer.of(0xff), bytes]), [peter])).toThrow(noteInvalid);
    expect(() => openNote(Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), bytes]), [peter])).toThrow(signatureInvalid);
  });

  it('does not verify with any bit of it changed', () => {
    const bytes = Buffer.from(note);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit % 8));
      expect(() => openNote(changed, [peter])).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^LEDGER_(NOTE|SIGNATURE)_INVALID$/) }),
      );
    }
  });

  it('keeps an empty line that is part of its text', () => {
    const signer = newSigner('example.com/log');
    const poem = 'one\n\ntwo\n\n';
    expect(openNote(signNote(poem, [signer]), [signer.key]).text).toBe(poem);
    for (const bad of ['no end', 'tab\t\n', '']) expect(() => signNote(bad, [signer])).toThrow(noteInvalid);
  });
});

describe('a verifier key', () => {
  it.each([
    ['without a name', vkey.replace('PeterNeumann', '')],
    ['with a space in its name', vkey.replace('Neumann', ' Neumann')],
    ['with another id', vkey.replace('c74f', 'c74e')],
    ['with an id in capitals', vkey.replace('c74f20a3', 'C74F20A3')],
    ['of another type', vkey.replace('+AR', '+BR')],
    ['that is short', vkey.slice(0, -4)],
    ['with more after it', `${vkey}\n\n`],
    ['that is long', `${'x'.repeat(2000)}+c74f20a3+AAAA`],
  ])('%s is refused', (_, malformed) => expect(() => parseVerifierKey(malformed)).toThrow(noteInvalid));

  it('of another algorithm is refused', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(() => noteSigner('log', privateKey)).toThrow(noteInvalid);
  });
});

describe('a checkpoint', () => {
  const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
  // The text of the example in C2SP tlog-checkpoint.
  const example = `example.com/behind-the-sofa\n20852163\n${root}\n`;

  it('is read and written', () => {
    const read = parseCheckpoint(example);
    expect(read).toEqual({ origin: 'example.com/behind-the-sofa', size: 20_852_163, root: Buffer.from(root, 'base64'), extensions: [] });
    expect(formatCheckpoint(read)).toBe(example);
    expect(parseCheckpoint(`${example}more\nand more\n`).extensions).toEqual(['more', 'and more']);
    expect(parseCheckpoint(`x\n0\n${root}\n`).size).toBe(0);
  });

  it.each([
    ['has no root', 'origin\n5\n'],
    ['has no end', example.slice(0, -1)],
    ['has an empty origin', `\n5\n${root}\n`],
    ['has a leading zero', `o\n05\n${root}\n`],
    ['has a negative size', `o\n-5\n${root}\n`],
    ['has a size in other digits', `o\n٥\n${root}\n`],
    ['has a size that is no exact number', `o\n9007199254740993\n${root}\n`],
    ['has a size beyond all', `o\n${'9'.repeat(400)}\n${root}\n`],
    ['has a short root', 'o\n5\nAAAA\n'],
    ['has an empty extension', `${example}\n`],
    ['is empty', ''],
  ])('is refused when it %s', (_, malformed) => expect(() => parseCheckpoint(malformed)).toThrow(noteInvalid));

  it('is read or refused, and nothing else, whatever it is made of', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.constantFrom('o\n', '5\n', `${root}\n`, '\n', '— ', line)).map((parts) => parts.join('')),
        ),
        (made) => {
          for (const read of [
            () => parseCheckpoint(made),
            () => openNote(made, [peter]),
            () => parseVerifierKey(made),
            () => parseTlogProof(made),
          ]) {
            try {
              read();
            } catch (thrown) {
              expect(thrown).toMatchObject({ code: expect.stringMatching(/^LEDGER_(NOTE|SIGNATURE)_INVALID$/) });
            }
          }
        },
      ),
    );
  });
});

describe('a tlog-proof', () => {
  const size = 600;
  const signer = newSigner('example.com/log');
  const tiles = tilesOfTree(size);
  const rootOfAll = rootOf(Array.from({ length: size }, (_, index) => entryOf(index)));
  const checkpoint = signNote(formatCheckpoint({ origin: 'example.com/log', size, root: rootOfAll, extensions: [] }), [signer]);

  it('proves an entry by itself', async () => {
    const proof = formatTlogProof({ index: 300, hashes: await inclusionProof(tiles, 300, size), checkpoint });
    expect(proof.split('\n').slice(0, 2)).toEqual(['c2sp.org/tlog-proof@v1', 'index 300']);
    expect(verifyTlogProof(proof, entryOf(300), [signer.key])).toMatchObject({ index: 300, size, origin: 'example.com/log' });
    expect(() => verifyTlogProof(proof, entryOf(301), [signer.key])).toThrow(refused('LEDGER_DAMAGED'));
    expect(() => verifyTlogProof(proof, entryOf(300), [newSigner('example.com/log').key])).toThrow(signatureInvalid);
  });

  it('carries extra data that it does not vouch for', async () => {
    const made = { index: 0, hashes: await inclusionProof(tiles, 0, size), checkpoint, extra: Buffer.from('extra') };
    expect(parseTlogProof(formatTlogProof(made))).toEqual({ ...made, hashes: made.hashes.map((hash) => Buffer.from(hash)) });
    const alone = {
      index: 0,
      hashes: [],
      checkpoint: signNote(formatCheckpoint({ origin: 'one', size: 1, root: leafHash(entryOf(0)), extensions: [] }), [signer]),
    };
    expect(verifyTlogProof(formatTlogProof(alone), entryOf(0), [signer.key]).size).toBe(1);
  });

  it('does not verify with any bit of it changed', async () => {
    const bytes = Buffer.from(formatTlogProof({ index: 599, hashes: await inclusionProof(tiles, 599, size), checkpoint }));
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit % 8));
      expect(() => verifyTlogProof(changed.toString(), entryOf(599), [signer.key])).toThrow(refused(expect.stringMatching(/^LEDGER_/)));
    }
  });

  it.each([
    ['another first line', 'c2sp.org/tlog-proof@v2\nindex 0\n\nx\n'],
    ['no index', 'c2sp.org/tlog-proof@v1\n\nx\n'],
    ['a negative index', 'c2sp.org/tlog-proof@v1\nindex -1\n\nx\n'],
    ['a leading zero', 'c2sp.org/tlog-proof@v1\nindex 01\n\nx\n'],
    ['no checkpoint', 'c2sp.org/tlog-proof@v1\nindex 0\n'],
    ['a short hash', 'c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx\n'],
    ['extra data after the index', 'c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA\n\nx\n'],
    ['extra data that is not base64', 'c2sp.org/tlog-proof@v1\nextra *\nindex 0\n\nx\n'],
    ['more hashes than any tree is high', `c2sp.org/tlog-proof@v1\nindex 0\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\nx\n`],
    ['no bounds', `c2sp.org/tlog-proof@v1\n${'x'.repeat(600_000)}\n\nx\n`],
  ])('is refused with %s', (_, malformed) => expect(() => parseTlogProof(malformed)).toThrow(noteInvalid));
});
