import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { asksForSecret, SecretPrompt } from '../../gateway/recording/secret-prompt.ts';

test.each([
  'Password: ',
  'password:',
  '[sudo] password for deploy: ',
  "Enter passphrase for key '/home/x/.ssh/id_ed25519': ",
  'Password for user postgres: ',
  "deploy@web-1's password: ",
  'Last login: Mon\r\nPassword: ',
  '(current) UNIX password: ',
  'Retype new password: ',
  'Enter PIN for authenticator: ',
  'Verification code: ',
  'One-time password (OATH) for `deploy`: ',
  'Enter your API key: ',
  'Vault token: ',
  'Token (will be hidden): ',
  'Enter 6-digit code: ',
  '\x1b[1mPassword:\x1b[0m ',
  '\x1b]0;title\x07Password: ',
  'connecting… 100%\rPassword: ',
  'Passwort: ',
  'Mot de passe : ',
  'Пароль: ',
  '密码：',
  'Is this the right passphrase? ',
])('%j asks for a secret', (output) => {
  expect(asksForSecret(output)).toBe(true);
});

test.each([
  '',
  'deploy@web-1:~$ ',
  'Password: \r\n',
  'Sorry, try again.\r\n',
  'secrets=> ',
  'deploy@token-server:~$ ',
  'Overwrite? ',
  'Continue [y/N]: ',
  'The password was changed.',
  'Login: ',
  'pinning dependencies: ',
])('%j does not', (output) => {
  expect(asksForSecret(output)).toBe(false);
});

/** What is recorded of input, as text, with a mark for each redaction. */
function recorded(prompt: SecretPrompt, pieces: readonly string[]): string {
  return pieces
    .flatMap((piece) => prompt.input(0, Buffer.from(piece)).frames)
    .map((frame) => (frame.kind === 'data' ? Buffer.from(frame.bytes).toString() : '<redacted>'))
    .join('');
}

function asked(output = 'Password: '): SecretPrompt {
  const prompt = new SecretPrompt();
  prompt.output(Buffer.from(output));
  return prompt;
}

test('a secret leaves one mark, whatever its length and however it is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, unit: fc.constantFrom('a', 'Z', '7', ' ', 'ü', '\b', '\x7f') }), { maxLength: 8 }),
      (pieces) => {
        fc.pre(Buffer.byteLength(pieces.join('')) <= 1024);
        expect(recorded(asked(), [...pieces, '\r', 'ls\r'])).toBe('<redacted>\rls\r');
      },
    ),
  );
});

test('what follows Enter in the same piece is recorded', () => {
  expect(recorded(asked(), ['secret\nls\n'])).toBe('<redacted>\nls\n');
});

test('leaving the prompt with Ctrl-C ends the redaction', () => {
  expect(recorded(asked(), ['sec\x03', 'rm -rf /\r'])).toBe('<redacted>\x03rm -rf /\r');
});

test('a redaction without Enter ends after 1 KiB, so that nobody can type unrecorded for ever', () => {
  expect(recorded(asked(), ['x'.repeat(1024), 'recorded'])).toBe('<redacted>recorded');
});

test('a question is answered once: the next line is recorded until a new prompt appears', () => {
  const prompt = asked();
  expect(recorded(prompt, ['one\r', 'two\r'])).toBe('<redacted>\rtwo\r');
  prompt.output(Buffer.from('\r\nSorry, try again.\r\nPassword: '));
  expect(recorded(prompt, ['three\r'])).toBe('<redacted>\r');
});

test('a prompt is seen however its output was cut, and at the end of output of any length', () => {
  const prompt = new SecretPrompt();
  prompt.output(Buffer.from(`${'x'.repeat(5000)}\r\nPass`));
  for (const part of ['wo', 'rd', ':', ' ']) prompt.output(Buffer.from(part));
  expect(recorded(prompt, ['secret\r'])).toBe('<redacted>\r');
});

test('output that arrives while the secret is typed does not let the rest of it through', () => {
  const prompt = asked();
  expect(recorded(prompt, ['first half '])).toBe('<redacted>');
  prompt.output(Buffer.from('\r\n[1]+ Done   sleep 1\r\n'));
  expect(recorded(prompt, ['second half\r'])).toBe('\r');
});
