import { TextDecoder } from 'node:util';
import { Emulation } from '../../../contract/replay/screen/emulation.ts';
import type { RecordingPosition } from '../../recording/recorder.ts';
import { incompleteTail } from '../../recording/utf8-boundary.ts';
import type { Dumped } from './screen-messages.ts';
import type { ScreenInput, ScreenSource } from './screen-source.ts';

/** A slice of work may take a little longer than this; then others have their turn. */
const TURN_MILLIS = 8;

type Terminal = { readonly cols: number; readonly rows: number };

/** The terminal of a channel, brought up to whatever position of its recording somebody asks about. */
export class FollowedScreen {
  readonly #source: ScreenSource;
  readonly #present: Terminal | undefined;
  readonly #pause: () => Promise<void>;
  #emulation: Emulation | undefined;
  #partial = false;
  #decoders = newDecoders();
  /** Bytes at the end of each stream that begin a character. */
  #tails: { o: Buffer; e: Buffer } = { o: Buffer.alloc(0), e: Buffer.alloc(0) };
  #turnSince = 0;

  /** `present`: its terminal now. `pause` lets others have their turn. */
  constructor(source: ScreenSource, present: Terminal | undefined, pause: () => Promise<void>) {
    this.#source = source;
    this.#present = present;
    this.#pause = pause;
  }

  /** One call at a time, and positions never go back. */
  async at(position: RecordingPosition): Promise<Dumped> {
    this.#turnSince = performance.now();
    const inputs = this.#source.read(position);
    let step = await inputs.next();
    for (; step.done !== true; step = await inputs.next()) await this.#take(step.value);
    if (step.value === 'too-late') return { state: 'too-late' };
    if (this.#emulation === undefined) return { state: 'no-terminal' };
    const { cols, rows, whole } = this.#emulation;
    const data = Buffer.concat([Buffer.from(this.#emulation.dump(), 'utf8'), this.#tails.o]);
    return { state: 'screen', cols, rows, data: new Uint8Array(data), partial: !whole };
  }

  async close(): Promise<void> {
    this.#emulation?.dispose();
    await this.#source.close();
  }

  async #take(input: ScreenInput): Promise<void> {
    switch (input.kind) {
      case 'gap':
        this.#decoders = newDecoders();
        this.#tails = { o: Buffer.alloc(0), e: Buffer.alloc(0) };
        this.#partial = true;
        this.#begin(this.#emulation ?? this.#present);
        return;
      case 'terminal':
        if (this.#emulation === undefined) this.#begin(input);
        return;
      case 'resize':
        if (input.cols > 0 && input.rows > 0) this.#emulation?.resize(input.cols, input.rows);
        return this.#yieldTurn();
      case 'text':
        return this.#show(input.text);
      case 'bytes': {
        const text = this.#decoders[input.stream].decode(input.bytes, { stream: true });
        this.#tails[input.stream] = incompleteTailOf(this.#tails[input.stream], input.bytes);
        return this.#show(text);
      }
    }
  }

  #begin(terminal: Terminal | undefined): void {
    if (terminal === undefined) return;
    const { cols, rows } = terminal;
    this.#emulation?.dispose();
    this.#emulation = new Emulation(cols, rows, { whole: !this.#partial });
  }

  async #show(text: string): Promise<void> {
    if (this.#emulation === undefined) return;
    for (const slice of this.#emulation.slices(text)) {
      this.#emulation.show(slice);
      await this.#yieldTurn();
    }
  }

  async #yieldTurn(): Promise<void> {
    if (performance.now() - this.#turnSince < TURN_MILLIS) return;
    await this.#pause();
    this.#turnSince = performance.now();
  }
}

function newDecoders(): { o: TextDecoder; e: TextDecoder } {
  return { o: new TextDecoder('utf-8', { ignoreBOM: true }), e: new TextDecoder('utf-8', { ignoreBOM: true }) };
}

function incompleteTailOf(before: Buffer, bytes: Uint8Array): Buffer {
  const end = Buffer.concat([before, bytes.subarray(Math.max(0, bytes.length - 3))]).subarray(bytes.length === 0 ? 0 : -4);
  return Buffer.from(end.subarray(end.length - incompleteTail(end)));
}
