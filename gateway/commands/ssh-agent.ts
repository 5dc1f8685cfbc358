import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { SallyportError } from '../base/errors.ts';
import { SshWire, sshString } from '../base/ssh-wire.ts';

/* The two questions that an SSH agent is asked here (draft-ietf-sshm-ssh-agent, sections 3.5 and 3.6). */

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
/** With an RSA key, sign with SHA-512. */
const RSA_SHA2_512 = 4;
const MAX_ANSWER = 256 * 1024;
/** Somebody may have to touch a security key or confirm the use of a key. */
const PATIENCE_MILLIS = 60_000;

/** Public keys that the agent holds, in wire format. Undefined where no agent listens. */
export async function agentKeys(path: string | undefined): Promise<Buffer[] | undefined> {
  if (path === undefined || path === '') return undefined;
  const answer = await ask(path, Buffer.of(REQUEST_IDENTITIES));
  if (answer === undefined) return undefined;
  const fields = new SshWire(answer.subarray(1));
  const count = answer[0] === IDENTITIES_ANSWER ? (fields.uint32() ?? 0) : 0;
  const keys: Buffer[] = [];
  for (let at = 0; at < count; at += 1) {
    const [blob, comment] = [fields.string(), fields.string()];
    if (blob === undefined || comment === undefined) break;
    keys.push(blob);
  }
  return keys;
}

/** A signature over these bytes in wire format. Throws when the agent refuses. */
export async function signWithAgent(path: string, blob: Buffer, data: Buffer): Promise<Buffer> {
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(RSA_SHA2_512);
  const answer = await ask(path, Buffer.concat([Buffer.of(SIGN_REQUEST), sshString(blob), sshString(data), flags]));
  const signature = answer?.[0] === SIGN_RESPONSE ? new SshWire(answer.subarray(1)).string() : undefined;
  if (signature !== undefined) return signature;
  throw new SallyportError('USAGE', 'The SSH agent did not sign', {
    remedy: 'see with ssh-add -l that it has the key, and confirm its use when it asks',
  });
}

async function ask(path: string, message: Buffer): Promise<Buffer | undefined> {
  const socket = connect(path);
  socket.setTimeout(PATIENCE_MILLIS, () => socket.destroy());
  try {
    await once(socket, 'connect');
    socket.write(sshString(message));
    return await readMessage(socket);
  } catch {
    return undefined; // No agent, or one that goes away: as if there was none.
  } finally {
    socket.destroy();
  }
}

async function readMessage(socket: Socket): Promise<Buffer | undefined> {
  let read = Buffer.alloc(0);
  for await (const piece of socket as AsyncIterable<Buffer>) {
    read = Buffer.concat([read, piece]);
    if (read.length < 4) continue;
    const length = read.readUInt32BE(0);
    if (length === 0 || length > MAX_ANSWER) return undefined;
    if (read.length >= 4 + length) return read.subarray(4, 4 + length);
  }
  return undefined;
}
