import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { roles } from '../../../contract/operator-api.ts';
import type { SegmentRow } from '../../../contract/session.ts';
import { SallyportError } from '../../base/errors.ts';
import { beginningOf, writeCastPosition } from '../../query/live-cast/cast-position.ts';
import type { SegmentText } from '../../query/segment-text.ts';
import { authoriseRoles, loginRequired } from '../authorise.ts';
import { Refusal } from '../problem.ts';
import { readOnly } from '../read-only-route.ts';
import { Turnstile } from '../turnstile.ts';
import type { Door } from '../who-asks.ts';
import { askedBytes, isNamedIn } from './byte-range.ts';
import { findRecording, whyNoSegment } from './find-recording.ts';
import { Places } from './places.ts';
import type { RecordingParts } from './recording-parts.ts';

const SEGMENT_PATH = '/api/sessions/:session/channels/:channel/segments/:segment';
const CAST_TYPE = 'application/x-asciicast';
/** Where the text of a stretch that is not sealed ends: the WebSocket continues it from there. */
const POSITION_HEADER = 'sallyport-position';

/** As long as the grant by which it was read. Nothing that is sealed changes, so nobody has to ask again for that long. */
const KEPT = 'private, max-age=3600, immutable';
/** Read at the same time: reading shares its threads with the journals and the database. */
const READS = 2;
const ANSWERS = { together: 64, each: 16 };
/** Of a stretch that is not sealed, in one answer. What is beyond is to be had from its position. */
const MOST_UNSEALED = 4 * 1024 * 1024;
/** A part of a text that is no longer is answered in one piece. */
const ONE_PIECE = 1024 * 1024;

const PRECONDITION_FAILED = 412;
const RANGE_NOT_SATISFIABLE = 416;

export interface RecordingRouteParts extends RecordingParts {
  readonly door: Door;
  readonly stopping: AbortSignal;
}

type Turn = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Which segment is asked for, and by whom. */
interface Asked {
  readonly session: string;
  readonly channel: number;
  readonly segment: number;
  readonly token: string;
  /** By name: another log-in gives nobody more room. */
  readonly operator: string;
  /** Lets what is read take its turn among that of others. */
  readonly turn: Turn;
  /** Throws when whoever asked may not any more. */
  readonly stillMay: () => void;
}

/**
 * The parts of recordings as they are, for whoever has opened them: the text of a segment, screens to begin from, small
 * pictures. All of it was written by whatever ran in the session: it is answered as what it is, and never as a page.
 */
export function serveRecordings(app: FastifyInstance, parts: RecordingRouteParts): void {
  const places = new Places(ANSWERS);
  const turnstile = new Turnstile(READS);
  const route = (path: string, answer: (asked: Asked, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>): void =>
    readOnly(app, `${SEGMENT_PATH}/${path}`, async (request, reply) => {
      const asked = await admit(parts, turnstile, request, reply);
      const leave = places.take(asked.operator);
      // The place is free when the answer has left or its client has: not before, for until then something of it is held.
      reply.raw.once('close', leave);
      if (reply.raw.destroyed) leave(); // It has left while it was found out who it is.
      return answer(asked, request, reply);
    });

  route('cast', async (asked, request, reply) => {
    const row = await sealedRow(parts, asked);
    if (row === undefined) return answerUnsealed(parts, asked, request, reply);
    const text = await asked.turn(() => parts.texts.open(row));
    return answerText({ text, etag: `"${row.sha256}"`, turn: asked.turn, request, reply, stillMay: asked.stillMay });
  });

  route('keyframes/:n', async (asked, request, reply) => {
    const row = await requireSealed(parts, asked);
    const piece = numberIn(request, 'n');
    const keyframe = (await asked.turn(() => parts.sidecars.part(row)))?.keyframes.find((each) => each.piece === piece);
    const read = keyframe === undefined ? undefined : await asked.turn(() => parts.sidecars.keyframe(row, keyframe));
    if (keyframe === undefined || read === undefined) throw notMade(`piece ${piece} of segment ${asked.segment} begins with no keyframe`);
    reply.type('text/plain; charset=utf-8').headers({ 'sallyport-cols': String(read.cols), 'sallyport-rows': String(read.rows) });
    return answerWhole(Buffer.from(read.data, 'utf8'), `"${row.sha256}-k${piece}-${keyframe.crc.toString(16)}"`, request, reply);
  });

  route('thumbnails/:n', async (asked, request, reply) => {
    const row = await requireSealed(parts, asked);
    const n = numberIn(request, 'n');
    const thumbnail = (await asked.turn(() => parts.sidecars.part(row)))?.thumbnails[n];
    const read = thumbnail === undefined ? undefined : await asked.turn(() => parts.sidecars.blob(row, thumbnail));
    if (thumbnail === undefined || read === undefined) throw notMade(`segment ${asked.segment} has no thumbnail ${n}`);
    reply.type('image/png');
    return answerWhole(read, `"${row.sha256}-t${n}-${thumbnail.crc.toString(16)}"`, request, reply);
  });
}

async function admit(
  { door, grants, reading, stopping }: RecordingRouteParts,
  turnstile: Turnstile,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Asked> {
  const who = await door.whoAsks(request, reply);
  const { operator } = who;
  authoriseRoles('a recording', roles, operator);
  if (operator === undefined) throw loginRequired();
  if (stopping.aborted) throw new SallyportError('GATEWAY_DRAINING', 'the gateway is shutting down', { remedy: 'try again in a moment' });
  const { session = '' } = request.params as { session?: string };
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(session))
    throw new SallyportError('REQUEST_INVALID', 'session: it is not the whole id of one');
  const [channel, segment] = [numberIn(request, 'channel'), numberIn(request, 'segment')];
  const stillMay = () => authoriseRoles('a recording', roles, door.stillAsks(who).operator);
  const turn: Turn = (work) => turnstile.pass(work, operator.name);
  const asked = { session, channel, segment, token: operator.token, operator: operator.name, turn, stillMay };
  try {
    grants.require(asked);
  } catch (thrown) {
    // Of what is not there, or not any more, that is what is said.
    await findRecording(await reading(), session, channel);
    throw thrown;
  }
  return asked;
}

function numberIn(request: FastifyRequest, name: string): number {
  const text = (request.params as Record<string, string>)[name] ?? '';
  if (!/^(?:0|[1-9]\d{0,9})$/.test(text)) throw new SallyportError('REQUEST_INVALID', `${name}: it is not a number`);
  return Number(text);
}

async function sealedRow({ reading }: RecordingParts, { session, channel, segment }: Asked): Promise<SegmentRow | undefined> {
  return (await reading()).segments.one(session, channel, segment);
}

async function requireSealed(parts: RecordingParts, asked: Asked): Promise<SegmentRow> {
  const row = await sealedRow(parts, asked);
  if (row === undefined) throw await whyNoSegment(await parts.reading(), asked.session, asked.channel, asked.segment);
  return row;
}

function notMade(what: string): SallyportError {
  return new SallyportError('NOT_FOUND', what, { remedy: 'the outline of the recording says what there is' });
}

interface TextAnswer {
  readonly text: SegmentText;
  readonly etag: string;
  readonly turn: Turn;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly stillMay: () => void;
}

/** RFC 9110, section 13.2.2: preconditions first, then the range. */
async function answerText({ text, etag, turn, request, reply, stillMay }: TextAnswer): Promise<unknown> {
  if (!isWanted(etag, request)) return keep(etag, reply).code(304).send();
  const { range, 'if-range': ifRange } = request.headers;
  // A range of a HEAD means nothing (section 14.2).
  const asked =
    request.method === 'GET' ? askedBytes({ range, ifRange: ifRange as string | undefined, etag, length: text.bytes }) : 'whole';
  if (asked === 'unsatisfiable') {
    reply.header('content-range', `bytes */${text.bytes}`);
    throw new Refusal(
      RANGE_NOT_SATISFIABLE,
      new SallyportError('REQUEST_INVALID', `the text of this segment has ${text.bytes} bytes, and none of those that were asked for`),
    );
  }
  const { from, to } = asked === 'whole' ? { from: 0, to: text.bytes } : asked;
  const content = request.method === 'HEAD' ? undefined : await contentOf(inTurn(text.read(from, to), turn, stillMay), to - from);
  if (asked !== 'whole') reply.code(206).header('content-range', `bytes ${from}-${to - 1}/${text.bytes}`);
  return keep(etag, reply)
    .type(CAST_TYPE)
    .headers({ 'accept-ranges': 'bytes', 'content-length': String(to - from) })
    .send(content);
}

async function contentOf(pieces: AsyncGenerator<Buffer>, bytes: number): Promise<Readable | Buffer> {
  if (bytes > ONE_PIECE) return Readable.from(pieces, { objectMode: false, highWaterMark: 1 });
  const whole: Buffer[] = [];
  for await (const piece of pieces) whole.push(piece);
  return Buffer.concat(whole);
}

/**
 * Whoever is asked for the next piece waits for its turn; nobody has one while its client takes its time. That may be
 * long, so whether it still may is asked each time.
 */
async function* inTurn(pieces: AsyncGenerator<Buffer>, turn: Turn, stillMay: () => void): AsyncGenerator<Buffer> {
  try {
    for (;;) {
      stillMay();
      const step = await turn(() => pieces.next());
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    await pieces.return(undefined);
  }
}

function answerWhole(content: Uint8Array, etag: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!isWanted(etag, request)) return keep(etag, reply).code(304).send();
  return keep(etag, reply).send(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
}

/** False when the client has it already. Throws when it wants another one than there is. */
function isWanted(etag: string, { headers }: FastifyRequest): boolean {
  if (headers['if-match'] !== undefined && !isNamedIn(headers['if-match'], etag, 'strong'))
    throw new Refusal(
      PRECONDITION_FAILED,
      new SallyportError('REQUEST_INVALID', 'it is another one by now than the one that was asked for'),
    );
  return !isNamedIn(headers['if-none-match'], etag, 'weak');
}

/** Only for the log-in that has opened it: a browser that keeps it may have another one later. */
function keep(etag: string, reply: FastifyReply): FastifyReply {
  return reply.headers({ etag, 'cache-control': KEPT, vary: 'authorization, cookie' });
}

/** What is rendered so far of a stretch that is not sealed yet. It is never the same again, so no range of it can be asked for. */
async function answerUnsealed(parts: RecordingRouteParts, asked: Asked, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { session, channel, segment } = asked;
  const running = parts.running(session, channel);
  if (running === undefined || segment < 1) throw await whyNoSegment(await parts.reading(), session, channel, segment);
  const cast = parts.casts.follow(session, channel, beginningOf(segment));
  // Whoever leaves is not read for.
  reply.raw.once('close', () => cast.forget());
  try {
    const { texts, state } = await cast.read(MOST_UNSEALED, running.position);
    const own = texts.filter(({ position }) => position.segment === segment);
    if (state === 'lost' && own.length === 0) throw await whyNoSegment(await parts.reading(), session, channel, segment);
    reply.type(CAST_TYPE).header(POSITION_HEADER, writeCastPosition(own.at(-1)?.position ?? beginningOf(segment)));
    const text = Buffer.from(own.map((each) => each.text).join(''), 'utf8');
    reply.header('content-length', String(text.length));
    return await reply.send(request.method === 'HEAD' ? undefined : text);
  } finally {
    cast.forget();
  }
}
