import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import type { Reached } from '../api-client.ts';

/** What comes as bytes. */
export function download(
  { httpsPort, data }: Reached,
  path: string,
  token: string,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        port: httpsPort,
        path,
        ca: readFileSync(join(data, 'keys', 'https.crt')),
        headers: { authorization: `Bearer ${token}` },
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }));
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}
