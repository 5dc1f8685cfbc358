import { webcrypto } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type SignedStatement, statementText } from '../../../contract/signed-statements.ts';
import { verifySignature } from '../../../renderer/app/replay/signatures/verify-signature.ts';
import { run } from '../../support/run.ts';
import { Belongings } from '../../support/temp.ts';

const belongings = new Belongings();
afterAll(() => belongings.release());

const statement: SignedStatement = {
  kind: 'review',
  origin: 'gateway.example/log',
  review: { session: 'one', subject: '0'.repeat(64), verdict: 'fine', reviewer: 'reviewer@example.com', reason: 'looked at all of it' },
};
const other: SignedStatement = { ...statement, review: { ...statement.review, verdict: 'concern' } };
const subtle = webcrypto.subtle as unknown as SubtleCrypto;

/** As a reviewer does it by hand: keys and signatures of OpenSSH itself. */
async function signedWith(type: readonly string[], namespace?: string): Promise<{ key: string; signature: string }> {
  const directory = belongings.directory('signed');
  const file = join(directory, 'key');
  await run('ssh-keygen', ['-q', '-t', ...type, '-N', '', '-C', 'of the reviewer', '-f', file]);
  const told = statementText(statement);
  writeFileSync(join(directory, 'text'), told.text);
  await run('ssh-keygen', ['-q', '-Y', 'sign', '-f', file, '-n', namespace ?? told.namespace, join(directory, 'text')]);
  return { key: readFileSync(`${file}.pub`, 'utf8').trim(), signature: readFileSync(join(directory, 'text.sig'), 'utf8') };
}

describe('a signature of OpenSSH', () => {
  it.each([[['ed25519']], [['ecdsa', '-b', '256']], [['rsa', '-b', '2048']]])(
    'with %j is good for what was signed and bad for anything else',
    async (type) => {
      const signed = await signedWith(type);
      expect(await verifySignature({ statement, ...signed }, subtle)).toBe('good');
      expect(await verifySignature({ statement: other, ...signed }, subtle)).toBe('bad');
    },
  );

  it('with a key that cannot be checked here is said to be unchecked', async () => {
    const signed = await signedWith(['ecdsa', '-b', '384']);
    expect(await verifySignature({ statement, ...signed }, subtle)).toBe('unchecked');
  });

  it('is bad when it was made for something else, by another key, or is cut off', async () => {
    const elsewhere = await signedWith(['ed25519'], 'file');
    expect(await verifySignature({ statement, ...elsewhere }, subtle)).toBe('bad');
    const [mine, theirs] = [await signedWith(['ed25519']), await signedWith(['ed25519'])];
    expect(await verifySignature({ statement, key: theirs.key, signature: mine.signature }, subtle)).toBe('bad');
    for (const signature of ['', 'nonsense', mine.signature.replace(/^.*\n/, ''), mine.signature.replace(/(.{70}\n)\S+\n/, '$1')])
      expect(await verifySignature({ statement, key: mine.key, signature }, subtle), signature).toBe('bad');
  });
});
