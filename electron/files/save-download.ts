import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { basename } from 'node:path';
import { DesktopError, messageOf, refusalIn } from '../base/desktop-error.ts';
import type { PinnedClient } from '../gateway/pinned-client.ts';
import { connectionFailure } from '../gateway/pinned-connection.ts';

const MOST_REFUSAL_BYTES = 64 * 1024;
/** The page is told how far it is no more often. */
const TELL_EVERY_BYTES = 1024 * 1024;

export interface Download {
  readonly client: PinnedClient;
  readonly token: string;
  readonly path: string;
  /** Where the person wants it. */
  readonly file: string;
  readonly signal: AbortSignal;
  readonly progress: (bytes: number, of: number | null) => void;
}

/**
 * Writes what the gateway answers into a file beside the one that is meant, and gives it its name when all of it is
 * there: half an export never looks like a whole one. Throws what the gateway answered, GATEWAY_UNREACHABLE and FILE_FAILED.
 */
export async function saveDownload({ client, token, path, file, signal, progress }: Download): Promise<{ name: string; bytes: number }> {
  const { response } = await client.begin({ method: 'GET', path, headers: { accept: '*/*' }, token, signal });
  const status = response.statusCode ?? 0;
  if (status !== 200) throw refusalIn(await shortText(response), status);
  const temporary = `${file}.${randomBytes(6).toString('hex')}.part`;
  try {
    const bytes = await written(response, temporary, (done) => progress(done, lengthOf(response)));
    await rename(temporary, file);
    return { name: basename(file), bytes };
  } catch (thrown) {
    response.destroy();
    // It may not even be there; what went wrong is what matters.
    await rm(temporary, { force: true }).catch(() => undefined);
    if (signal.aborted) throw new DesktopError('NOT_CONFIRMED', 'saving was stopped, and nothing was kept', { cause: thrown });
    if (thrown instanceof BrokenOff) throw connectionFailure(client.gateway.origin, thrown.cause);
    throw new DesktopError('FILE_FAILED', `${file} could not be written: ${messageOf(thrown)}`, {
      remedy: 'choose another place, or make room there',
      cause: thrown,
    });
  }
}

async function written(response: IncomingMessage, path: string, progress: (done: number) => void): Promise<number> {
  const output = await open(path, 'wx', 0o600);
  let done = 0;
  let told = 0;
  try {
    for await (const piece of whole(response)) {
      await output.writeFile(piece);
      done += piece.length;
      if (done - told < TELL_EVERY_BYTES) continue;
      told = done;
      progress(done);
    }
    await output.sync();
  } finally {
    await output.close();
  }
  progress(done);
  return done;
}

/** What comes of the connection, so that its failures are not taken for those of the disk. */
async function* whole(response: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new BrokenOff(cause);
  }
}

class BrokenOff extends Error {
  constructor(cause: unknown) {
    super('the answer was broken off', { cause });
    this.name = 'BrokenOff';
  }
}

function lengthOf({ headers }: IncomingMessage): number | null {
  const length = Number(headers['content-length']);
  return Number.isSafeInteger(length) && length >= 0 ? length : null;
}

async function shortText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of response as AsyncIterable<Buffer>) {
    text += piece.toString('utf8');
    if (text.length > MOST_REFUSAL_BYTES) break;
  }
  return text;
}
