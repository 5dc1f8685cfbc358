/** How a driver reaches a gateway: fetch and WebSocket of a browser, of Node, or behind a bridge. */
export interface RecordingTransport {
  /** As `fetch` does it, logged in. Rejects when nobody answers. `path` begins with `/api/`. */
  request(path: string, question: TransportQuestion): Promise<TransportAnswer>;
  /** Opens a WebSocket there. `closed` is called once, also when it could not be opened. */
  connect(path: string, events: SocketEvents): { close(): void };
  /** Calls `run` after so long; returns how to not do it after all. */
  after(millis: number, run: () => void): () => void;
}

export interface TransportQuestion {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sent to its end where whoever asks may be gone before; of a page that is closed. As far as the transport can. */
  readonly keepalive?: boolean;
}

export interface TransportAnswer {
  readonly status: number;
  text(): Promise<string>;
}

export interface SocketEvents {
  message(text: string): void;
  closed(code: number, reason: string): void;
}

/** What a transport of the web's own interfaces is made of; their types are not known here. */
export interface WebParts {
  fetch(
    url: string,
    init: { method: string; headers: Readonly<Record<string, string>>; body?: string; keepalive?: boolean },
  ): Promise<TransportAnswer>;
  openSocket(url: string): WebSocketLike;
  setTimeout(run: () => void, millis: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** The part of the WebSocket interface (WHATWG) that is used. */
export interface WebSocketLike {
  close(): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void;
}

/** `origin`: of the gateway, `https://HOST:PORT`. `headers`: of each request, for whoever is not logged in by a cookie. */
export function webTransport(parts: WebParts, origin: string, headers: Readonly<Record<string, string>> = {}): RecordingTransport {
  return {
    request: (path, { method, headers: own, body, keepalive }) =>
      parts.fetch(`${origin}${path}`, {
        method,
        headers: { ...headers, ...own },
        ...(body === undefined ? {} : { body }),
        ...(keepalive === undefined ? {} : { keepalive }),
      }),
    connect: (path, events) => {
      const socket = parts.openSocket(`${origin.replace(/^http/, 'ws')}${path}`);
      socket.addEventListener('message', ({ data }) => {
        if (typeof data === 'string') events.message(data);
      });
      socket.addEventListener('close', ({ code, reason }) => events.closed(code, reason));
      return { close: () => socket.close() };
    },
    after: (millis, run) => {
      const timer = parts.setTimeout(run, millis);
      return () => parts.clearTimeout(timer);
    },
  };
}
