import { createHash } from 'node:crypto';
import { openHttpRecording } from '../../../contract/replay/http-driver.ts';
import { type WebSocketLike, webTransport } from '../../../contract/replay/recording-transport.ts';

/** A program of its own that follows a recording to its end by the fetch and the WebSocket that Node has, and says what it saw. */

const [origin = '', session = '', token = ''] = process.argv.slice(2);
const headers = { authorization: `Bearer ${token}` };

// Node's WebSocket takes headers; the interface of browsers, which send a cookie, does not know them.
const NodeWebSocket = WebSocket as unknown as new (url: string, options: { headers: Record<string, string> }) => WebSocketLike;

const transport = webTransport(
  {
    fetch: (url, init) => fetch(url, init),
    openSocket: (url) => new NodeWebSocket(url, { headers }),
    setTimeout: (run, millis) => setTimeout(run, millis),
    clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  },
  origin,
  headers,
);

const driver = await openHttpRecording(transport, session, 0);
process.stdout.write(`${JSON.stringify({ live: driver.outline.live })}\n`);
if (driver.outline.live) {
  await new Promise<void>((resolve) => {
    driver.onGrowth(() => {
      if (!driver.outline.live) resolve();
    });
  });
}
const hash = createHash('sha256');
for (let piece = 0; piece < driver.outline.pieces.length; piece += 1)
  for (const event of await driver.load(piece)) if (event.kind === 'data') hash.update(event.text);
driver.close();
process.stdout.write(`${JSON.stringify({ live: false, sha256: hash.digest('hex') })}\n`);
