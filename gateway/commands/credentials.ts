import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { type OperationInput, type OperationName, type OperationOutput, schemasOf } from '../../contract/operator-api.ts';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { writeNewFile } from './new-file.ts';
import { jsonLine, print } from './output.ts';

/** How a gateway is asked: over HTTPS, or on its control socket. */
export type Ask = <N extends OperationName>(name: N, input: OperationInput<N>) => Promise<OperationOutput<N>>;

export interface IssueOptions {
  /** A `.pub` file. */
  key: string;
  /** A file with a token of the workload's issuer, or `-` for standard input; without it, the log-in counts. */
  token?: string;
  target?: readonly string[];
  seconds?: number;
  /** `-` is standard output. */
  output?: string;
  json?: boolean;
}

const MAX_KEY_BYTES = 16 * 1024;
const MAX_TOKEN_BYTES = 64 * 1024;

/** Has a gateway certify a key, and puts the certificate where ssh looks for it: beside the key. */
export async function issueCredentials(options: IssueOptions, ask: Ask): Promise<number> {
  const { key, token, target, seconds, output = certificateFile(key), json } = options;
  const input = {
    key: await readText(key, MAX_KEY_BYTES),
    ...(token === undefined ? {} : { token: await readText(token, MAX_TOKEN_BYTES) }),
    ...(target === undefined || target.length === 0 ? {} : { targets: [...target] }),
    ...(seconds === undefined ? {} : { seconds }),
  };
  if (!schemasOf('credential.issue').input.safeParse(input).success) {
    throw new SallyportError('USAGE', 'A certificate cannot be asked for with this', {
      remedy: 'at most 100 targets, and from 30 seconds to 24 hours',
    });
  }
  const { certificate, serial, principal, validTo } = await ask('credential.issue', input);
  const text = `${certificate}\n`;
  if (output === '-') {
    await print(text);
    return 0;
  }
  // The certificate before it has had its time: it is replaced.
  await writeNewFile(output, true, async (file) => {
    await file.writeFile(text);
  });
  if (json === true) await print(jsonLine({ file: output, serial, principal, validTo }));
  else await print(`${printable(output)}: ${printable(principal)} until ${validTo}, serial ${serial}\n`);
  return 0;
}

export async function revokeCredentials(serial: string, { reason }: { reason: string }, ask: Ask): Promise<number> {
  if (!/^\d{1,20}$/.test(serial)) {
    throw new SallyportError('USAGE', `${printable(serial)} is not a serial number`, { remedy: 'ssh-keygen -L -f FILE-cert.pub shows it' });
  }
  await ask('credential.revoke', { serial, reason });
  await print(`The certificate ${serial} is revoked.\n`);
  return 0;
}

/** Prints the authority's public key in one line, for `ssh-keygen` and for other servers; with `json`, the host key too. */
export async function showAuthority({ json = false }: { json?: boolean }, ask: Ask): Promise<number> {
  const { authority, hostKey } = await ask('credential.authority', {});
  await print(json ? jsonLine({ authority, hostKey }) : `${printable(authority)}\n`);
  return 0;
}

/** As ssh-keygen names it. */
function certificateFile(key: string): string {
  if (key === '-') return '-';
  return `${key.replace(/\.pub$/, '')}-cert.pub`;
}

async function readText(file: string, most: number): Promise<string> {
  const stream: Readable = file === '-' ? process.stdin : createReadStream(file);
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > most) break;
      parts.push(part);
    }
  } catch (thrown) {
    throw new SallyportError('USAGE', `Cannot read ${printable(file)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
      remedy: 'name a file that is there, or - for standard input',
      cause: thrown,
    });
  }
  const text = Buffer.concat(parts).toString('utf8').trim();
  if (length <= most && text !== '') return text;
  throw new SallyportError('USAGE', `${printable(file)} is ${text === '' ? 'empty' : `longer than ${most} bytes`}`, {
    remedy: 'name the .pub file of a key, or a file with nothing but a token',
  });
}
