import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { PinnedGateway } from '../../electron/gateway/pinned-connection.ts';
import { loadOrMakeCertificate, namesOf } from '../../gateway/operator-api/own-certificate.ts';
import type { Belongings } from '../support/temp.ts';

/** A server that behaves as no gateway would. */
export interface StrangeServer extends PinnedGateway {
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  /** What it does with a connection that has become a WebSocket's. */
  socket: (wire: Duplex) => void;
}

export async function startStrangeServer(belongings: Belongings): Promise<StrangeServer> {
  const directory = belongings.directory('strange');
  mkdirSync(join(directory, 'keys'));
  const { chain, key } = await loadOrMakeCertificate(directory, namesOf('127.0.0.1'), new Date());
  const server = createServer({ cert: chain, key });
  const wires = new Set<Duplex>();
  const state: StrangeServer = {
    origin: '',
    fingerprint: new X509Certificate(chain).fingerprint256,
    answer: (_request, response) => response.writeHead(404).end(),
    socket: (wire) => wire.end(),
  };
  server.on('request', (request, response) => state.answer(request, response));
  server.on('upgrade', (request: IncomingMessage, wire: Duplex) => {
    wires.add(wire);
    wire.on('error', () => wire.destroy());
    wire.resume();
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    wire.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`);
    state.socket(wire);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  belongings.add(() => {
    for (const wire of wires) wire.destroy();
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(state, { origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** A frame as a server writes it. `first`: FIN, reserved bits and opcode. */
export function frame(first: number, payload: Uint8Array | string): Buffer {
  const bytes = Buffer.from(payload);
  const { length } = bytes;
  if (length < 126) return Buffer.concat([Buffer.of(first, length), bytes]);
  if (length < 65_536) return Buffer.concat([Buffer.of(first, 126, length >> 8, length & 0xff), bytes]);
  const head = Buffer.alloc(10);
  head.writeUInt16BE((first << 8) | 127, 0);
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, bytes]);
}
