import { type RecordingOutline, schemasOf } from '../operator-api.ts';
import type { RecordingTransport, TransportAnswer } from './recording-transport.ts';

/** What a gateway answered instead of what it was asked for. */
export class RecordingRefused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'RecordingRefused';
    this.status = status;
    this.code = code;
  }
}

/** The recording was opened too long ago, or by another log-in. */
const NOT_OPEN = 409;
const TOO_MANY = 429;
const UNAVAILABLE = 503;
const PARTIAL = 206;
/** A gateway that restarts, or a connection that is lost for a moment, is waited for. Beyond this it is told. */
const PATIENCE = 6;
const FIRST_WAIT_MILLIS = 200;

/** Asks a gateway for one recording. What takes a recording that is open opens it again when that was too long ago. */
export class RecordingClient {
  readonly #transport: RecordingTransport;
  readonly #path: string;
  #closed = false;
  #opening: Promise<unknown> | undefined;

  constructor(transport: RecordingTransport, session: string, channel: number) {
    this.#transport = transport;
    this.#path = `/api/sessions/${encodeURIComponent(session)}/channels/${channel}`;
  }

  /** Throws RecordingRefused, or what the transport threw. */
  async open(): Promise<RecordingOutline> {
    return this.#whole(await this.#ask('/recording', { method: 'POST', body: '{}' }));
  }

  /** The outline from the segment behind `after` on. */
  async outline(after: number): Promise<RecordingOutline> {
    return this.#whole(await this.#whileOpen(() => this.#ask(`/recording?after=${after}`)));
  }

  /** The text of a sealed segment, or so many bytes of it from byte `at` on. */
  async cast(segment: number, range?: { readonly at: number; readonly bytes: number }): Promise<string> {
    if (range?.bytes === 0) return '';
    const headers = range === undefined ? {} : { range: `bytes=${range.at}-${range.at + range.bytes - 1}` };
    const answer = await this.#whileOpen(() => this.#ask(`/segments/${segment}/cast`, { headers }));
    if (range !== undefined && answer.status !== PARTIAL)
      throw new RecordingRefused(answer.status, 'INTERNAL', 'The gateway answered another part of the recording than it was asked for.');
    return answer.text();
  }

  /** Undefined when there is none. */
  async keyframe(segment: number, piece: number): Promise<string | undefined> {
    try {
      return await (await this.#whileOpen(() => this.#ask(`/segments/${segment}/keyframes/${piece}`))).text();
    } catch (thrown) {
      if (thrown instanceof RecordingRefused) return undefined;
      throw thrown;
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #whole(answer: TransportAnswer): Promise<RecordingOutline> {
    const first = schemasOf('recording.outline').output.parse(JSON.parse(await answer.text()));
    const segments = [...first.segments];
    let last = first;
    while (last.after !== undefined && last.segments.length > 0) {
      const more = await this.#whileOpen(() => this.#ask(`/recording?after=${last.after}`));
      last = schemasOf('recording.outline').output.parse(JSON.parse(await more.text()));
      segments.push(...last.segments);
    }
    const { after: _, ...rest } = last;
    return { ...rest, ...(first.header === undefined ? {} : { header: first.header }), segments };
  }

  async #whileOpen(ask: () => Promise<TransportAnswer>): Promise<TransportAnswer> {
    try {
      return await ask();
    } catch (thrown) {
      if (!(thrown instanceof RecordingRefused && thrown.status === NOT_OPEN) || this.#closed) throw thrown;
      // Together, for it is a record each time.
      // Read to its end, or it would keep its connection.
      this.#opening ??= this.#ask('/recording', { method: 'POST', body: '{}' })
        .then((answer) => answer.text())
        .finally(() => {
          this.#opening = undefined;
        });
      await this.#opening;
      return ask();
    }
  }

  async #ask(
    path: string,
    { method = 'GET', headers = {}, body }: { method?: 'GET' | 'POST'; headers?: Record<string, string>; body?: string } = {},
  ): Promise<TransportAnswer> {
    const question = {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
    };
    for (let attempt = 1; ; attempt += 1) {
      if (this.#closed) throw new RecordingRefused(0, 'INTERNAL', 'The recording is closed.');
      try {
        const answer = await this.#transport.request(`${this.#path}${path}`, question);
        if (answer.status >= 200 && answer.status < 300) return answer;
        const refused = await refusalOf(answer);
        if (attempt >= PATIENCE || (refused.status !== TOO_MANY && refused.status !== UNAVAILABLE)) throw refused;
      } catch (thrown) {
        if (thrown instanceof RecordingRefused || attempt >= PATIENCE) throw thrown;
      }
      await new Promise<void>((resolve) => void this.#transport.after(FIRST_WAIT_MILLIS * 2 ** (attempt - 1), resolve));
    }
  }
}

async function refusalOf(answer: TransportAnswer): Promise<RecordingRefused> {
  const { code = 'INTERNAL', detail = `The gateway answered with status ${answer.status}.` } = problemIn(await answer.text());
  return new RecordingRefused(answer.status, code, detail);
}

function problemIn(text: string): { code?: string; detail?: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return {};
    const { code, detail } = value as Record<string, unknown>;
    return { ...(typeof code === 'string' ? { code } : {}), ...(typeof detail === 'string' ? { detail } : {}) };
  } catch {
    return {}; // Not from a gateway: the status is all there is to tell.
  }
}
