import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SallyportError } from '../../base/errors.ts';
import { PAGE_POLICY, plainPage } from '../plain-page.ts';
import { Refusal } from '../problem.ts';
import { notFound, pathOf } from '../read-only-route.ts';
import type { Door } from '../who-asks.ts';
import { CONSOLE_PAGE, type Coding, type ConsoleFile, type ConsoleFiles } from './console-files.ts';
import { consoleHeaders, strictTransport } from './console-headers.ts';

export interface ConsoleParts {
  readonly door: Pick<Door, 'isCalledByItsName'>;
  /** Undefined when the console was never built. */
  readonly files: ConsoleFiles | undefined;
}

/** Below these the gateway answers programs: what is not there is told as a problem, whatever the client would rather have. */
const PROGRAMS = /^\/(?:api|ledger|login|healthz|readyz|metrics|openapi\.json|assets)(?:\/|$)/;
/** A route of the app: no part of it begins with a dot, and none is a file. */
const ROUTE = /^(?:\/[A-Za-z0-9_~%@:+-][A-Za-z0-9_.~%@:+-]*)*\/?$/;

/** The console at `/`: its files, and its page for every route that it draws by itself. */
export function serveConsole(app: FastifyInstance, { door, files }: ConsoleParts): void {
  app.get('/*', async (request, reply) => {
    const path = pathOf(request);
    const file = path === CONSOLE_PAGE ? undefined : files?.get(path);
    if (file !== undefined) return send(request, reply, path, file);
    if (!wantsPage(request) || PROGRAMS.test(path) || !ROUTE.test(path)) throw notFound(request);
    // Under a name that is not the gateway's, nothing of it would work: it is said before somebody logs in.
    if (!door.isCalledByItsName(request)) throw misdirected(request);
    const page = files?.get(CONSOLE_PAGE);
    if (page !== undefined) return send(request, reply, CONSOLE_PAGE, page);
    return reply.code(503).header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(notBuilt);
  });
}

const notBuilt = plainPage({
  title: 'The console is not built',
  text: 'This gateway runs from sources whose console was never built: there is no dist/renderer/index.html. Run npm ci, which builds it, and start the gateway again. Everything else works.',
});

async function send(request: FastifyRequest, reply: FastifyReply, path: string, file: ConsoleFile): Promise<FastifyReply> {
  const { 'accept-encoding': accepted, host } = request.headers;
  reply.headers({ ...consoleHeaders, ...strictTransport(host), 'cache-control': cachingOf(path, file), vary: 'accept-encoding' });
  const coding = codingOf(accepted);
  const compressed = coding === undefined ? undefined : await file.compressed(coding);
  if (coding !== undefined && compressed !== undefined) reply.header('content-encoding', coding);
  return reply.type(file.type).send(compressed ?? file.bytes);
}

/** The name of what lies in assets/ says what is in it. The page says which of them belong together. */
function cachingOf(path: string, { type }: ConsoleFile): string {
  if (path.startsWith('/assets/')) return 'public, max-age=31536000, immutable';
  return type.startsWith('text/html') ? 'no-store' : 'public, max-age=3600';
}

/** RFC 9110 section 12.5.3, of what browsers send: names, and `q=0` for what is not wanted. */
function codingOf(accepted = ''): Coding | undefined {
  const wanted = accepted.split(',').filter((each) => !/;\s*q=0(?:\.0*)?\s*$/.test(each));
  const names = wanted.map((each) => each.split(';', 1)[0]?.trim().toLowerCase());
  return (['br', 'gzip'] as const).find((coding) => names.includes(coding));
}

function wantsPage({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') === true;
}

function misdirected({ headers }: FastifyRequest): SallyportError {
  const said = (headers.host ?? '').slice(0, 100);
  return new Refusal(
    421,
    new SallyportError('REQUEST_INVALID', `this gateway is not called ${said}`, { remedy: 'use a name that stands in its certificate' }),
  );
}
