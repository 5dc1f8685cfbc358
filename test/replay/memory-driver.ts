import { Activity } from '../../contract/replay/activity.ts';
import type { CastEvent, CastHeader } from '../../contract/replay/cast-event.ts';
import { ChannelScreen } from '../../contract/replay/channel-screen.ts';
import type { Keyframe, Outline, ReplayDriver } from '../../contract/replay/driver.ts';
import type { PlayerHost } from '../../contract/replay/player.ts';
import type { Emulation } from '../../contract/replay/screen/emulation.ts';
import { verifiedDump } from '../../contract/replay/screen/verified-dump.ts';
import type { Timeline } from '../../contract/replay/timeline.ts';

export const nodeHost: PlayerHost = {
  now: () => performance.now(),
  pause: () => new Promise((resolve) => setImmediate(resolve)),
};

export interface MemoryOptions {
  /** Which pieces have a keyframe, and what becomes of it on its way. */
  keyframes?: (piece: number) => 'whole' | 'lost' | 'none';
  live?: boolean;
}

const header = (cols: number, rows: number, pty: boolean): CastHeader => ({
  cols,
  rows,
  pty,
  title: undefined,
  command: undefined,
  synthetic: false,
});

/** A recording in memory, already cut into pieces, which can grow and be cut anew. */
export class MemoryDriver implements ReplayDriver {
  outline: Outline;
  readonly timeline: Timeline = { marks: [], damage: [], commands: [], activity: new Activity() };
  /** What was asked for, in order. */
  readonly asked: string[] = [];
  /** Set, loading waits for it. */
  gate: Promise<void> | undefined;
  closed = false;
  #pieces: (readonly CastEvent[])[];
  #frames: (Keyframe | undefined)[] = [];
  readonly #options: MemoryOptions;
  readonly #listeners = new Set<() => void>();

  constructor(pieces: readonly (readonly CastEvent[])[], { cols = 80, rows = 24, pty = true } = {}, options: MemoryOptions = {}) {
    this.#pieces = [...pieces];
    this.#options = options;
    this.outline = this.#outlineOf(0, header(cols, rows, pty));
  }

  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async load(piece: number): Promise<readonly CastEvent[]> {
    this.asked.push(`piece ${piece}`);
    await this.gate;
    return this.#pieces[piece] ?? [];
  }

  async keyframe(piece: number): Promise<Keyframe | undefined> {
    this.asked.push(`keyframe ${piece}`);
    await this.gate;
    return this.#options.keyframes?.(piece) === 'whole' ? this.#frames[piece] : undefined;
  }

  close(): void {
    this.closed = true;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Puts more events into the last piece, or begins another. */
  grow(events: readonly CastEvent[], newPiece = false): void {
    if (newPiece) this.#pieces.push(events);
    else this.#pieces.push([...(this.#pieces.pop() ?? []), ...events]);
    this.outline = this.#outlineOf(this.outline.cut, this.outline.header as CastHeader);
    for (const listener of this.#listeners) listener();
  }

  recut(pieces: readonly (readonly CastEvent[])[], live = this.outline.live): void {
    this.#pieces = [...pieces];
    this.outline = { ...this.#outlineOf(this.outline.cut + 1, this.outline.header as CastHeader), live };
    for (const listener of this.#listeners) listener();
  }

  #outlineOf(cut: number, begun: CastHeader): Outline {
    const screen = ChannelScreen.begin(begun);
    const { keyframes } = this.#options;
    let at = 0;
    this.#frames = [];
    const pieces = this.#pieces.map((events, piece) => {
      const from = at;
      const { emulation } = screen;
      const { cols, rows, plain } = emulation;
      const wanted = keyframes?.(piece) ?? 'none';
      const data = wanted === 'none' ? undefined : verifiedDump(emulation);
      this.#frames.push(data === undefined ? undefined : { cols, rows, data });
      for (const event of events) {
        screen.show(event);
        at = Math.max(at, event.at);
      }
      const bytes = events.reduce((sum, event) => sum + (event.kind === 'data' ? event.text.length : 10), 0);
      return { from, to: at, bytes, keyframe: data !== undefined, plain };
    });
    screen.dispose();
    return {
      cut,
      header: begun,
      duration: at,
      terminal: begun.pty,
      input: true,
      pieces,
      idle: [],
      live: this.#options.live === true,
    };
  }
}

/** What playing everything up to this moment from the beginning shows. */
export function playedFromStart(events: readonly CastEvent[], until: number, begun: CastHeader | undefined): ChannelScreen {
  const screen = ChannelScreen.begin(begun);
  for (const event of events) {
    if (event.at > until) break;
    screen.show(event);
  }
  return screen;
}

export function textOf({ core }: Emulation): string {
  const buffer = core.buffers.active;
  const lines: string[] = [];
  for (let at = 0; at < buffer.lines.length; at += 1) lines.push(lineText(buffer.lines.get(at)));
  return lines.join('\n').trimEnd();
}

function lineText(line: unknown): string {
  return (line as { translateToString(trimRight: boolean): string }).translateToString(true);
}
