import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openAttestation, signAttestation } from '../../gateway/ledger/attestation.ts';
import { noteSigner, signNote } from '../../gateway/ledger/signed-note.ts';
import { run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const signer = noteSigner('bastion.example.com/ledger', privateKey);
const stranger = noteSigner('bastion.example.com/ledger', generateKeyPairSync('ed25519').privateKey);
const checkpoint = signNote('bastion.example.com/ledger\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n', [signer]);
const claims = {
  tagManifest: 'ab'.repeat(32),
  question: { from: '2026-03-01', words: 'every session in März' },
  checkpoint,
  gateway: { name: 'bastion', version: '0.1.0' },
  time: '2026-03-02T00:00:00.000000Z',
};
const envelope = signAttestation(claims, signer);

interface Envelope {
  payloadType: string;
  payload: string;
  signatures: { keyid?: string; sig: string }[];
}

function changed(change: (envelope: Envelope) => void): string {
  const parsed = JSON.parse(envelope) as Envelope;
  change(parsed);
  return JSON.stringify(parsed);
}

describe('an attestation', () => {
  it('says what was attested, and who signed it', () => {
    const { attestation, signedBy } = openAttestation(envelope, [stranger.key, signer.key]);
    expect(attestation).toEqual(claims);
    expect(signedBy).toBe(signer.key);
  });

  it('is an in-toto Statement about the tag manifest', () => {
    const { payload } = JSON.parse(envelope) as Envelope;
    expect(JSON.parse(Buffer.from(payload, 'base64').toString('utf8'))).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'tagmanifest-sha256.txt', digest: { sha256: claims.tagManifest } }],
    });
  });

  it('verifies with openssl, from what the DSSE specification says is signed', async () => {
    const directory = belongings.directory('attestation');
    const { payloadType, payload, signatures } = JSON.parse(envelope) as Envelope;
    const body = Buffer.from(payload, 'base64');
    const signed = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `), body]);
    writeFileSync(join(directory, 'signed'), signed);
    writeFileSync(join(directory, 'sig'), Buffer.from(signatures[0]?.sig ?? '', 'base64'));
    writeFileSync(join(directory, 'key.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', 'key.pem', '-rawin', '-in', 'signed', '-sigfile', 'sig'];
    expect(await run('openssl', verify, { cwd: directory })).toMatchObject({ status: 0 });
  });

  it('is not made about a checkpoint of another key', () => {
    const foreign = signNote('bastion.example.com/ledger\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n', [stranger]);
    expect(() => signAttestation({ ...claims, checkpoint: foreign }, signer)).toThrow(
      expect.objectContaining({ code: 'LEDGER_SIGNATURE_INVALID' }),
    );
  });

  it('of another key is refused', () => {
    expect(() => openAttestation(envelope, [stranger.key])).toThrow(expect.objectContaining({ code: 'LEDGER_SIGNATURE_INVALID' }));
  });

  it.each<[string, (envelope: Envelope) => void, string]>([
    ['with a changed payload', (e) => (e.payload = Buffer.from('{}').toString('base64')), 'LEDGER_SIGNATURE_INVALID'],
    ['with a cut signature', (e) => ((e.signatures[0] as { sig: string }).sig = 'AAAA'), 'LEDGER_SIGNATURE_INVALID'],
    ['of another type', (e) => (e.payloadType = 'text/plain'), 'LEDGER_NOTE_INVALID'],
    ['without signatures', (e) => (e.signatures = []), 'LEDGER_NOTE_INVALID'],
    ['with a payload that is not base64', (e) => (e.payload = '…'), 'LEDGER_NOTE_INVALID'],
    ['with thousands of signatures', (e) => (e.signatures = Array.from({ length: 5000 }, () => ({ sig: 'AAAA' }))), 'LEDGER_NOTE_INVALID'],
  ])('%s is refused', (_how, change, code) => {
    expect(() => openAttestation(changed(change), [signer.key])).toThrow(expect.objectContaining({ code }));
  });

  it('with one bit of its payload changed is refused, whichever it is', () => {
    const { payload } = JSON.parse(envelope) as Envelope;
    const bytes = Buffer.from(payload, 'base64');
    for (let index = 0; index < bytes.length; index += 1) {
      const flipped = Buffer.from(bytes);
      flipped[index] = (flipped[index] as number) ^ 1;
      expect(() =>
        openAttestation(
          changed((e) => (e.payload = flipped.toString('base64'))),
          [signer.key],
        ),
      ).toThrow();
    }
  });
});

it('a checkpoint is no attestation', () => {
  expect(() => openAttestation(checkpoint, [signer.key])).toThrow(expect.objectContaining({ code: 'LEDGER_NOTE_INVALID' }));
});
