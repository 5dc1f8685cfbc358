import type { Playback } from '../playback.ts';
import { type Area, areaOf, barsOf } from './layout.ts';

/** CSS pixels from the beginning of one bar to that of the next. */
const BAR = 5;
const GAP = 1;

export interface Colours {
  readonly bar: string;
  readonly quiet: string;
  readonly fold: string;
  readonly damage: string;
  readonly watched: string;
  readonly line: string;
}

export function coloursOf(node: Element): Colours {
  const style = getComputedStyle(node);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    bar: colour('--accent'),
    quiet: colour('--line-strong'),
    fold: colour('--line-strong'),
    damage: colour('--deny'),
    watched: colour('--ok'),
    line: colour('--line'),
  };
}

export interface Drawn {
  readonly playback: Playback;
  /** Microseconds; stretches that this operator has been shown. */
  readonly watched: readonly (readonly [from: number, to: number])[];
}

/** How busy the recording was over its length, what is folded, what is missing, and what was watched. */
export function drawTimeline(canvas: HTMLCanvasElement, { playback, watched }: Drawn, colours: Colours): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext('2d');
  if (context === null || width === 0) return;
  const ratio = window.devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const { playTime, folding, outline, timeline } = playback.player;
  const floor = height - 4;
  const fill = (area: Area, colour: string, alpha: number, top = 0, bottom = floor) => {
    const left = area.from * width;
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    context.fillRect(left, top, Math.max(2, area.to * width - left), bottom - top);
  };
  if (!folding) for (const { from, to, damaged } of outline.idle) if (!damaged) fill(areaOf(playTime, from, to), colours.fold, 0.18);
  const count = Math.max(1, Math.floor(width / BAR));
  const bars = barsOf(timeline.activity, playTime, count);
  for (const [at, bar] of bars.entries()) {
    const tall = bar === 0 ? 1 : Math.max(2, bar * floor);
    context.globalAlpha = bar === 0 ? 0.7 : 0.8;
    context.fillStyle = bar === 0 ? colours.quiet : colours.bar;
    context.fillRect((at / count) * width, floor - tall, width / count - GAP, tall);
  }
  if (folding) for (const { from, to } of playTime.folds) drawFold(context, areaOf(playTime, from, to), width, floor, colours);
  for (const { from, to } of timeline.damage) fill(areaOf(playTime, from, to), colours.damage, 0.55);
  fill({ from: 0, to: 1 }, colours.line, 1, height - 3, height - 1);
  for (const [from, to] of watched) fill(areaOf(playTime, from, to), colours.watched, 0.85, height - 3, height - 1);
  context.globalAlpha = 1;
}

/** Folded time has no length that could be shown: a tear through the bars says that there was some. */
function drawFold(context: CanvasRenderingContext2D, { from, to }: Area, width: number, floor: number, colours: Colours): void {
  const middle = ((from + to) / 2) * width;
  context.globalAlpha = 1;
  context.strokeStyle = colours.fold;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let y = 0; y <= floor; y += 4) context.lineTo(middle + (y % 8 === 0 ? -1.5 : 1.5), y);
  context.stroke();
}
