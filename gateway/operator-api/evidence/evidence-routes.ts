import { createReadStream } from 'node:fs';
import { addAbortSignal, Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { operations, type Role, schemasOf } from '../../../contract/operator-api.ts';
import { SallyportError } from '../../base/errors.ts';
import { authoriseRoles, loginRequired } from '../authorise.ts';
import type { Asking } from '../operations.ts';
import { readOnly } from '../read-only-route.ts';
import { Places } from '../recordings/places.ts';
import type { Door } from '../who-asks.ts';
import type { EvidenceDesk } from './evidence-desk.ts';

/** Files that are on their way at one time. */
const ANSWERS = { together: 8, each: 2 };
const CHUNK_BYTES = 256 * 1024;
/** While an answer is being made, its client and all between hear this often that it goes on (RFC 9110 section 15.2). */
const SIGN_OF_LIFE_MILLIS = 5000;

export interface EvidenceRouteParts {
  readonly desk: EvidenceDesk;
  readonly door: Door;
  readonly stopping: AbortSignal;
}

/** What operators take away as files: bundles, and answers as CSV. Always as a file, and never as a page. */
export function serveEvidence(app: FastifyInstance, parts: EvidenceRouteParts): void {
  const places = new Places(ANSWERS, 'files');

  readOnly(app, '/api/exports/:export/bundle.zip', async (request, reply) => {
    const { asking, stillMay } = await admit(parts, request, reply, 'a bundle', operations['export.show'].may);
    const { export: id = '' } = request.params as { export?: string };
    const bundle = await parts.desk.exports.fetch(id, asking, request.method === 'HEAD');
    asAttachment(reply, bundle.name, 'application/zip').headers({ 'content-length': String(bundle.bytes), etag: `"${bundle.sha256}"` });
    if (request.method === 'HEAD') return reply.send();
    return sendFile(bundle.path, { places, who: asking.actor.principal, stillMay, over: bundle.over, reply });
  });

  readOnly(app, '/api/audit/:question/csv', async (request, reply) => {
    const { asking, stillMay } = await admit(parts, request, reply, 'an answer', operations['audit.ask'].may);
    const input = schemasOf('audit.ask').input.safeParse({ ...(request.query as object), ...(request.params as object) });
    if (!input.success) {
      const faults = input.error.issues.map(({ path, message }) => `${path.join('.') || 'the input'}: ${message}`);
      throw new SallyportError('REQUEST_INVALID', `audit.ask cannot be done with this: ${faults.slice(0, 10).join('; ')}`);
    }
    // A question is a record, which somebody who only wants to see the headers should not leave.
    if (request.method === 'HEAD') return asAttachment(reply, 'answer.csv', CSV_TYPE).send();
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort(new SallyportError('CONFLICT', 'whoever asked has left')));
    const signsOfLife = setInterval(() => {
      if (!reply.raw.headersSent && reply.raw.writable) reply.raw.writeProcessing();
    }, SIGN_OF_LIFE_MILLIS);
    try {
      const signal = AbortSignal.any([asking.signal, gone.signal]);
      const { file, statement, bytes, over } = await parts.desk.askForCsv(input.data, { actor: asking.actor, signal });
      reply.raw.once('close', () => void file.remove());
      if (reply.raw.destroyed) await file.remove();
      asAttachment(reply, `sallyport-audit-${input.data.question}-${statement.generated.slice(0, 10)}.csv`, CSV_TYPE).headers({
        'content-length': String(bytes),
        'sallyport-rows': String(statement.rows),
        'sallyport-proved': String(statement.proved),
      });
      return await sendFile(file.path, { places, who: asking.actor.principal, stillMay, over, reply });
    } finally {
      clearInterval(signsOfLife);
    }
  });
}

const CSV_TYPE = 'text/csv; charset=utf-8; header=present';

async function admit(
  { door, stopping }: EvidenceRouteParts,
  request: FastifyRequest,
  reply: FastifyReply,
  what: string,
  may: readonly Role[],
): Promise<{ asking: Asking; stillMay: () => void }> {
  const who = await door.whoAsks(request, reply);
  authoriseRoles(what, may, who.operator);
  if (who.operator === undefined) throw loginRequired();
  if (stopping.aborted) throw new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down', { remedy: 'try again in a moment' });
  return {
    asking: { actor: who.actor, operator: who.operator, signal: stopping },
    stillMay: () => authoriseRoles(what, may, door.stillAsks(who).operator),
  };
}

/** `name` is made of characters that mean nothing in a header or a path. */
function asAttachment(reply: FastifyReply, name: string, type: string): FastifyReply {
  return reply.type(type).headers({ 'content-disposition': `attachment; filename="${name}"`, vary: 'authorization, cookie' });
}

interface Sending {
  readonly places: Places;
  readonly who: string;
  /** Throws when whoever asked may not any more. */
  readonly stillMay: () => void;
  /** Aborted when nobody may have the rest of it. */
  readonly over: AbortSignal;
  readonly reply: FastifyReply;
}

/** A file that is deleted goes on for whoever has opened it, however slowly they read: so what is over ends it. */
async function sendFile(path: string, { places, who, stillMay, over, reply }: Sending): Promise<unknown> {
  const leave = places.take(who);
  reply.raw.once('close', leave);
  if (reply.raw.destroyed) leave();
  over.throwIfAborted();
  return reply.send(addAbortSignal(over, Readable.from(pieces(path, stillMay), { objectMode: false, highWaterMark: 1 })));
}

/** A client may take its time, so whether it still may is asked for each piece. */
async function* pieces(path: string, stillMay: () => void): AsyncGenerator<Buffer> {
  for await (const piece of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    stillMay();
    yield piece;
  }
}
