import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { request } from 'node:https';

/*
 * A monitor of a C2SP tlog-tiles log, written from the specifications (c2sp.org/tlog-tiles, tlog-checkpoint, signed-note;
 * RFC 6962 section 2.1) and from nothing of the gateway: it keeps every leaf that it ever saw, and demands that each new
 * checkpoint is signed, has the root of those leaves and the new ones, and that every tile says the same.
 */

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** RFC 6962 section 2.1: the Merkle tree hash of these leaf hashes. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return only;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(Buffer.of(1), treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

export interface Followed {
  origin: string;
  size: number;
  root: string;
}

export class Monitor {
  /** The entries of the log, as far as a checkpoint covers them. */
  readonly entries: Buffer[] = [];
  readonly #leaves: Buffer[] = [];
  readonly #fetch: (path: string) => Promise<{ status: number; body: Buffer }>;
  readonly #key: { name: string; id: Buffer; publicKey: KeyObject };

  constructor(options: { port: number; ca: string; verifierKey: string }) {
    this.#fetch = (path) => fetchOver(options, path);
    this.#key = parseVerifierKey(options.verifierKey);
  }

  /** Fetches the checkpoint and all that is new under it, and throws when anything does not fit. */
  async follow(): Promise<Followed> {
    const { status, body } = await this.#fetch('/ledger/checkpoint');
    if (status !== 200) throw new Error(`the checkpoint is not there: ${status}`);
    const head = this.#openCheckpoint(body.toString('utf8'));
    if (head.size < this.entries.length) throw new Error(`the log has shrunk from ${this.entries.length} to ${head.size}`);
    for (let bundle = Math.floor(this.entries.length / 256); bundle * 256 < head.size; bundle += 1) {
      await this.#takeBundle(bundle, Math.min(256, head.size - bundle * 256));
    }
    const root = treeHash(this.#leaves).toString('base64');
    if (root !== head.root) throw new Error(`the checkpoint at ${head.size} has another root than the entries`);
    return head;
  }

  /** Compares every tile of the tree, and every width of its partial tiles, with the leaves. Returns how many there are. */
  async checkTiles(size: number): Promise<number> {
    let level = this.#leaves.slice(0, size);
    let checked = 0;
    for (let number = 0; level.length > 0; number += 1) {
      for (let index = 0; index * 256 < level.length; index += 1) {
        const hashes = level.slice(index * 256, (index + 1) * 256);
        const widths = hashes.length === 256 ? [256, 255, 128, 1] : hashes.map((_, at) => at + 1);
        for (const width of widths) {
          await this.#expect(tile(number, index, width), Buffer.concat(hashes.slice(0, width)));
          checked += 1;
        }
      }
      const parents: Buffer[] = [];
      for (let at = 0; at + 256 <= level.length; at += 256) parents.push(treeHash(level.slice(at, at + 256)));
      level = parents;
    }
    return checked;
  }

  async #takeBundle(bundle: number, width: number): Promise<void> {
    const { status, body } = await this.#fetch(tile('entries', bundle, width));
    if (status !== 200) throw new Error(`entries ${bundle} up to ${width} are not there: ${status}`);
    let offset = 0;
    for (let at = 0; at < width; at += 1) {
      const length = body.readUInt16BE(offset);
      const entry = body.subarray(offset + 2, offset + 2 + length);
      offset += 2 + length;
      const index = bundle * 256 + at;
      const known = this.entries[index];
      if (known === undefined) {
        this.entries.push(entry);
        this.#leaves.push(sha256(Buffer.of(0), entry));
      } else if (!known.equals(entry)) throw new Error(`entry ${index} has changed`);
    }
    if (offset !== body.length) throw new Error(`entries ${bundle} have ${body.length - offset} bytes too many`);
  }

  async #expect(path: string, bytes: Buffer): Promise<void> {
    const { status, body } = await this.#fetch(path);
    if (status !== 200 || !body.equals(bytes)) throw new Error(`${path} is not what the entries make of it (${status})`);
  }

  #openCheckpoint(note: string): Followed {
    const end = note.lastIndexOf('\n\n') + 1;
    const text = note.slice(0, end);
    const ours = note
      .slice(end + 1)
      .split('\n')
      .filter((line) => line.startsWith(`— ${this.#key.name} `))
      .map((line) => Buffer.from(line.split(' ')[2] ?? '', 'base64'))
      .find((signature) => signature.subarray(0, 4).equals(this.#key.id));
    if (ours === undefined || !verify(null, Buffer.from(text), this.#key.publicKey, ours.subarray(4)))
      throw new Error(`the checkpoint is not signed by the log:\n${note}`);
    const [origin = '', size = '', root = ''] = text.split('\n');
    if (origin !== this.#key.name || !/^(0|[1-9][0-9]*)$/.test(size)) throw new Error(`this is no checkpoint of the log:\n${note}`);
    return { origin, size: Number(size), root };
  }
}

function parseVerifierKey(line: string): { name: string; id: Buffer; publicKey: KeyObject } {
  const [name = '', id = '', ...key] = line.trim().split('+');
  const raw = Buffer.from(key.join('+'), 'base64');
  if (raw[0] !== 1 || raw.length !== 33) throw new Error(`this is no Ed25519 key: ${line}`);
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.subarray(1).toString('base64url') }, format: 'jwk' });
  return { name, id: Buffer.from(id, 'hex'), publicKey };
}

function tile(level: number | 'entries', index: number, width: number): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const groups = digits.match(/.{3}/g) ?? [];
  const name = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/');
  return `/ledger/tile/${level}/${name}${width === 256 ? '' : `.p/${width}`}`;
}

function fetchOver({ port, ca }: { port: number; ca: string }, path: string): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, ca }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces) }));
    });
    asked.on('error', reject);
    asked.end();
  });
}
