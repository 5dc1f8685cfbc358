import { webTransport } from '../../../contract/replay/recording-transport.ts';
import { problemOf } from '../client/problem.ts';
import { BrowserDoor } from './browser-door.ts';
import type { Host, HostSocketEvents, HostTransport } from './host.ts';
import { WebKey } from './web-key.ts';

/** In a browser: requests go to the gateway that served the page, with the log-in's cookie. */
export function browserHost(): Host {
  const transport = browserTransport();
  const signer = new WebKey();
  return {
    kind: 'browser',
    transport,
    signer,
    door: new BrowserDoor(transport, signer),
    save,
    notify: ({ title, body, tag, route }) => {
      if (!('Notification' in window) || Notification.permission !== 'granted') return;
      const notice = new Notification(title, { body, tag });
      notice.addEventListener('click', () => {
        window.focus();
        history.pushState(null, '', route);
        window.dispatchEvent(new PopStateEvent('popstate'));
        notice.close();
      });
    },
    onOpened: () => () => undefined,
    copy: (text) => navigator.clipboard.writeText(text),
    linkTo: (route) => `${location.origin}${route}`,
  };
}

function browserTransport(): HostTransport {
  const web = webTransport(
    {
      fetch: (url, init) => fetch(url, { ...init, credentials: 'same-origin', cache: 'no-store', redirect: 'error' }),
      openSocket: (url) => new WebSocket(url),
      setTimeout: (run, millis) => window.setTimeout(run, millis),
      clearTimeout: (timer) => window.clearTimeout(timer as number),
    },
    location.origin,
  );
  return {
    request: (path, question) => web.request(path, question),
    after: (millis, run) => web.after(millis, run),
    connect: openSocket,
    bytes: fetchBytes,
  };
}

async function fetchBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await fetch(path, { credentials: 'same-origin', redirect: 'error' });
  if (answer.status !== 200) throw problemOf(answer.status, await answer.text());
  return new Uint8Array(await answer.arrayBuffer());
}

function openSocket(path: string, events: HostSocketEvents): { close(): void } {
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}${path}`);
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) =>
    events.message(typeof data === 'string' ? data : new Uint8Array(data)),
  );
  socket.addEventListener('close', ({ code, reason }) => events.closed(code, reason), { once: true });
  return { close: () => socket.close() };
}

/** The browser's own download: the gateway says with `Content-Disposition` that it is one. */
async function save(name: string, path: string): Promise<void> {
  const head = await fetch(path, { method: 'HEAD', credentials: 'same-origin', cache: 'no-store' });
  if (!head.ok) throw problemOf(head.status, '');
  const link = document.createElement('a');
  link.href = path;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
