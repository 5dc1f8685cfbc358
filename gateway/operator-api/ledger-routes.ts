import type { FastifyInstance } from 'fastify';
import { parseTilePath, TILE_WIDTH } from '../../contract/ledger-tiles.ts';
import type { LedgerReader } from '../ledger/ledger-storage.ts';
import { notFound, pathOf, readOnly } from './read-only-route.ts';
import { Turnstile } from './turnstile.ts';

/** Files that are read at the same time: reading shares its threads with the journals and the database. */
const READS = 2;

const PREFIX = '/ledger/';
const YEAR = 31_536_000;

/**
 * The ledger as a C2SP tlog-tiles log (c2sp.org/tlog-tiles), for anybody's monitor. It is open to all on purpose: hashes
 * are all there is in it, and a log that many have seen cannot be rewritten unseen.
 */
export function serveLedger(app: FastifyInstance, { ledger }: { readonly ledger: LedgerReader }): void {
  const turnstile = new Turnstile(READS);

  readOnly(app, `${PREFIX}checkpoint`, async (request, reply) => {
    const checkpoint = await turnstile.pass(() => ledger.checkpoint());
    if (checkpoint === undefined) throw notFound(request);
    reply.type('text/plain; charset=utf-8');
    return checkpoint;
  });

  readOnly(app, `${PREFIX}tile/*`, async (request, reply) => {
    // The path as it came: a tile has one name, and an escaped one is another.
    const address = parseTilePath(pathOf(request).slice(PREFIX.length));
    const tile = address === undefined ? undefined : await turnstile.pass(() => ledger.find(address));
    if (address === undefined || tile === undefined) throw notFound(request);
    // A tile of a width never changes, but a partial one soon has a wider successor.
    reply
      .type('application/octet-stream')
      .header('cache-control', `public, max-age=${address.width === TILE_WIDTH ? YEAR : 3600}, immutable`);
    return tile;
  });
}
