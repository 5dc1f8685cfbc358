import type { Player } from '../../../contract/replay/player.ts';
import type { RecordingIndex } from '../../../contract/replay/recording-index.ts';
import type { TimelineMark } from '../../../contract/replay/timeline.ts';
import { element, replace, setText, svg } from '../../dom/element.ts';
import { moment, spokenSpan } from '../interface/format.ts';
import { printable } from '../interface/printable.ts';

const PARTS = 240;
const HEIGHT = 34;

/** Pixels around a mark within which the pointer means it. */
const REACH = 5;

/** The whole recording in one line: how much happened when, what is marked, what is folded away and what is missing. */
export class Timeline {
  readonly node: HTMLElement;
  readonly #player: Player;
  readonly #index: RecordingIndex;
  readonly #seek: (at: number) => void;
  readonly #drawing = svg('svg', { viewBox: `0 0 1000 ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  readonly #rail = element('div', { class: 'rail', 'aria-hidden': 'true' });
  readonly #now = element('div', { class: 'now', 'aria-hidden': 'true' });
  readonly #hover = element('div', { class: 'hover', 'aria-hidden': 'true', hidden: true });
  #drawnFor: boolean | undefined;
  #dragging = false;

  constructor(player: Player, index: RecordingIndex, seek: (at: number) => void) {
    this.#player = player;
    this.#index = index;
    this.#seek = seek;
    this.node = element(
      'div',
      { class: 'timeline', role: 'slider', tabindex: 0, 'aria-label': 'Position in the recording', 'aria-valuemin': 0 },
      this.#drawing as unknown as HTMLElement,
      this.#rail,
      this.#now,
      this.#hover,
    );
    this.node.addEventListener('pointerdown', (event) => this.#press(event));
    this.node.addEventListener('pointermove', (event) => this.#move(event));
    this.node.addEventListener('pointerup', () => this.#release());
    this.node.addEventListener('pointercancel', () => this.#release());
    this.node.addEventListener('pointerleave', () => {
      if (!this.#dragging) this.#hover.hidden = true;
    });
  }

  update(): void {
    const { playTime, position, folding } = this.#player;
    if (this.#drawnFor !== folding) this.#draw();
    this.#now.style.left = `${this.#share(position) * 100}%`;
    this.node.setAttribute('aria-valuemax', String(Math.round(this.#index.duration / 1e6)));
    this.node.setAttribute('aria-valuenow', String(Math.round(position / 1e6)));
    this.node.setAttribute('aria-valuetext', `${spokenSpan(position / 1e6)} of ${spokenSpan(this.#index.duration / 1e6)}`);
    this.node.classList.toggle('folded', folding && playTime.folds.length > 0);
  }

  #share(at: number): number {
    const { playTime } = this.#player;
    return playTime.duration > 0 ? Math.min(1, playTime.toPlay(at) / playTime.duration) : 0;
  }

  #draw(): void {
    const { playTime, folding } = this.#player;
    this.#drawnFor = folding;
    const sums = this.#index.activity.spread(PARTS, playTime.duration, (at) => playTime.toPlay(at));
    // A burst of output is a million times a keystroke; both have to be seen.
    const most = Math.log1p(Math.max(1, ...sums));
    const width = 1000 / PARTS;
    const bars = sums
      .map((sum, at) => {
        const height = sum === 0 ? 1.5 : 4 + (Math.log1p(sum) / most) * (HEIGHT - 4);
        return `M${(at * width + 0.4).toFixed(2)} ${HEIGHT}v-${height.toFixed(1)}h${(width - 0.8).toFixed(2)}v${height.toFixed(1)}z`;
      })
      .join('');
    const areas = folding
      ? playTime.folds.map(({ from, to }) => this.#area('fold', from, to))
      : this.#index.idle.filter(({ damaged }) => !damaged).map(({ from, to }) => this.#area('idle', from, to));
    const damage = this.#index.damage.map(({ from, to }) => this.#area('damage', from, to));
    this.#drawing.replaceChildren(...areas, svg('path', { class: 'activity', d: bars }), ...damage);
    replace(this.#rail, ...this.#index.marks.map((mark) => this.#markNode(mark)));
  }

  #area(kind: string, from: number, to: number): SVGElement {
    const x = this.#share(from) * 1000;
    return svg('rect', { class: kind, x, y: 0, width: Math.max(2.5, this.#share(to) * 1000 - x), height: HEIGHT });
  }

  #markNode({ at, kind }: TimelineMark): HTMLElement {
    const node = element('i', { class: `mark ${kind}` });
    node.style.left = `${this.#share(at) * 100}%`;
    return node;
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#dragging = true;
    this.node.setPointerCapture(event.pointerId);
    const mark = this.#markNear(event);
    this.#seek(mark === undefined ? this.#timeAt(event) : mark.at);
  }

  #move(event: PointerEvent): void {
    if (this.#dragging) this.#seek(this.#timeAt(event));
    const mark = this.#dragging ? undefined : this.#markNear(event);
    const damage = this.#index.damage.find(({ from, to }) => {
      const at = this.#timeAt(event);
      return at >= from && at <= to;
    });
    const at = mark?.at ?? this.#timeAt(event);
    const about = mark?.title ?? damage?.words;
    setText(this.#hover, `${moment(at, this.#index.duration)}${about === undefined ? '' : `  ${printable(about)}`}`);
    this.#hover.hidden = false;
    const room = this.node.clientWidth - this.#hover.offsetWidth;
    const x = event.clientX - this.node.getBoundingClientRect().left - this.#hover.offsetWidth / 2;
    this.#hover.style.left = `${Math.max(0, Math.min(room, x))}px`;
  }

  #release(): void {
    this.#dragging = false;
  }

  #timeAt(event: PointerEvent): number {
    const { left, width } = this.node.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - left) / Math.max(1, width)));
    const { playTime } = this.#player;
    return playTime.toRecording(share * playTime.duration);
  }

  #markNear(event: PointerEvent): TimelineMark | undefined {
    const { left, width } = this.node.getBoundingClientRect();
    let nearest: TimelineMark | undefined;
    let distance = REACH;
    for (const mark of this.#index.marks) {
      const away = Math.abs(left + this.#share(mark.at) * width - event.clientX);
      if (away < distance) {
        nearest = mark;
        distance = away;
      }
    }
    return nearest;
  }
}
