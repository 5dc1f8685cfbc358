import type { BundlePageChannel, BundlePageSession } from '../../../contract/bundle-page.ts';
import { Player } from '../../../contract/replay/player.ts';
import { indexRecording, type RecordingIndex } from '../../../contract/replay/recording-index.ts';
import { SegmentDriver } from '../../../contract/replay/segment-driver.ts';
import { SegmentSource } from '../../../contract/replay/segment-source.ts';
import type { Damage } from '../../../contract/replay/timeline.ts';
import { element, setText } from '../../dom/element.ts';
import { ScreenPainter } from '../../terminal/screen-painter.ts';
import { moment } from '../interface/format.ts';
import type { PageState } from '../interface/page-state.ts';
import { printable, typed } from '../interface/printable.ts';
import { controls } from './controls.ts';
import { Timeline } from './timeline.ts';
import { TranscriptPanel } from './transcript-panel.ts';

/** Microseconds that the arrow keys go. */
const JUMP = 5_000_000;

export function segmentsOf(state: PageState, session: BundlePageSession, channel: BundlePageChannel): SegmentSource {
  return new SegmentSource(
    channel.segments.map((segment) => ({
      number: segment.segment,
      from: segment.from,
      to: segment.to,
      load: () => state.verification.segmentText(session.id, channel.channel, segment),
    })),
  );
}

/** One channel on its screen, with everything to move in it. */
export class ChannelReplay {
  readonly node: HTMLElement;
  readonly transcript: TranscriptPanel;
  readonly #index: RecordingIndex;
  readonly #player: Player;
  readonly #painter: ScreenPainter;
  readonly #timeline: Timeline;
  readonly #controls: { node: HTMLElement; update(): void };
  /** What is missing at this moment, on the screen, and what was missing before it, under the screen. */
  readonly #gap = element('div', { class: 'gap', role: 'status', hidden: true });
  readonly #after = element('div', { class: 'after-gap' });
  readonly #input = element('div', { class: 'typed mono', hidden: true, 'aria-label': 'What was typed or sent' });
  readonly #start = element('button', { type: 'button', class: 'start', 'aria-label': 'Play the recording' }, '▶');
  readonly #underway = element('div', { class: 'underway', role: 'status', hidden: true });
  #frame = 0;
  #waitingSince: number | undefined;

  static async open(
    state: PageState,
    session: BundlePageSession,
    channel: BundlePageChannel,
    progress: (done: number) => void,
  ): Promise<ChannelReplay> {
    const source = segmentsOf(state, session, channel);
    const index = await indexRecording(source, progress);
    return new ChannelReplay(source, index);
  }

  private constructor(source: SegmentSource, index: RecordingIndex) {
    this.#index = index;
    this.#player = new Player(new SegmentDriver(source, index), { now: () => performance.now(), pause: takeTurns });
    this.#painter = new ScreenPainter(this.#player);
    this.#timeline = new Timeline(this.#player, index, (at) => this.seek(at));
    this.transcript = new TranscriptPanel(index, (at) => this.seek(at));
    this.#controls = controls(this.#player, index, {
      toggle: () => this.#toggle(),
      speed: (speed) => this.#player.setSpeed(speed, performance.now()),
      fold: () => this.#player.setFolding(!this.#player.folding, performance.now()),
      mark: (by) => this.#toMark(by),
      input: (shown) => {
        this.#input.hidden = !shown;
      },
    });
    this.#start.addEventListener('click', () => this.#toggle());
    this.node = element(
      'div',
      { class: 'channel-replay' },
      element('div', { class: 'stage' }, this.#painter.node, this.#gap, this.#underway, this.#start),
      // Its place is kept from the beginning, so that nothing moves when it has something to say.
      index.damage.length > 0 && this.#after,
      this.#input,
      this.#timeline.node,
      this.#controls.node,
    );
    const frame = () => {
      this.#tick();
      this.#frame = requestAnimationFrame(frame);
    };
    this.#frame = requestAnimationFrame(frame);
  }

  /** What the recording shows in `seconds`, or where a reader best begins. */
  begin(seconds: number | undefined): void {
    // Output without a terminal is read from its end, as it stood when it was done; a terminal is watched.
    const at = seconds === undefined ? (this.#index.terminal ? 0 : this.#index.duration) : seconds * 1e6;
    this.#player.seek(at, performance.now());
    this.#start.hidden = seconds !== undefined || !this.#index.terminal;
    this.transcript.shown();
  }

  seek(at: number): void {
    this.#start.hidden = true;
    this.#painter.toNewest();
    this.#player.seek(at, performance.now());
  }

  key(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const now = performance.now();
    switch (event.key) {
      case ' ':
        this.#toggle();
        return true;
      case 'ArrowLeft':
      case 'ArrowRight': {
        const by = event.key === 'ArrowLeft' ? -1 : 1;
        if (event.shiftKey) this.#toMark(by);
        else this.#jump(by * JUMP);
        return true;
      }
      case 'Home':
        this.seek(0);
        return true;
      case 'End':
        this.seek(this.#index.duration);
        return true;
      case 'PageUp':
      case 'PageDown':
        this.#painter.scroll((event.key === 'PageUp' ? 1 : -1) * (this.#player.screen.rows - 1));
        return true;
      case '[':
      case ']':
        this.#player.changeSpeed(event.key === '[' ? -1 : 1, now);
        return true;
      case 'i':
      case 'I':
        this.#player.setFolding(!this.#player.folding, now);
        return true;
      case ',':
      case '.':
        this.#step(event.key === ',' ? -1 : 1);
        return true;
      case '/':
        this.transcript.focusFind();
        return true;
      default:
        return false;
    }
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    void this.#player.close();
    this.#painter.dispose();
    this.transcript.dispose();
  }

  #toggle(): void {
    this.#start.hidden = true;
    this.#painter.toNewest();
    this.#player.setPlaying(!this.#player.playing, performance.now());
  }

  #jump(by: number): void {
    const { playTime, position } = this.#player;
    this.seek(playTime.toRecording(Math.max(0, Math.min(playTime.duration, playTime.toPlay(position) + by))));
  }

  #toMark(by: -1 | 1): void {
    if (this.#player.toMark(by, performance.now()) === undefined) return;
    this.#start.hidden = true;
    this.#painter.toNewest();
  }

  #step(by: -1 | 1): void {
    this.#start.hidden = true;
    this.#painter.toNewest();
    void this.#player.step(by, performance.now());
  }

  #tick(): void {
    const now = performance.now();
    this.#player.tick(now);
    this.#painter.paint();
    this.#timeline.update();
    this.#controls.update();
    this.transcript.follow(this.#player.position);
    if (!this.#input.hidden) setText(this.#input, typed(this.#player.typed) || 'Nothing was typed yet');
    this.#showGaps();
    this.#showUnderway(now);
  }

  #showGaps(): void {
    const { position } = this.#player;
    const here = this.#index.damage.find(({ from, to }) => position >= from && position <= to);
    const before = this.#index.damage.findLast(({ to }) => to < position);
    this.#gap.hidden = here === undefined;
    if (here !== undefined) setText(this.#gap, `Missing here, ${this.#when(here)}. ${printable(here.words)}`);
    const words =
      before === undefined || here !== undefined
        ? ''
        : `Missing before this moment, so the screen may not be whole: ${this.#when(before)}. ${printable(before.words)}`;
    setText(this.#after, words);
    if (this.#after.title !== words) this.#after.title = words;
  }

  #when({ from, to }: Damage): string {
    const { duration } = this.#index;
    return to > from ? `${moment(from, duration)} to ${moment(to, duration)}` : moment(from, duration);
  }

  /** Only what takes long is spoken of. */
  #showUnderway(now: number): void {
    const share = this.#player.underway;
    if (share === undefined) {
      this.#waitingSince = undefined;
      this.#underway.hidden = true;
      return;
    }
    this.#waitingSince ??= now;
    if (now - this.#waitingSince < 250) return;
    this.#underway.hidden = false;
    setText(this.#underway, `Going there, ${Math.floor(share * 100)} %`);
  }
}

/** A message is a task of its own at once; a timer would wait, and longer each time. */
function takeTurns(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}
