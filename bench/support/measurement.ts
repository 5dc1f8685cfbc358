import { type Spread, spread } from './statistics.ts';

/** One line of the answer. The members up to `met` are what `--json` prints; `note` is for people. */
export interface Measurement {
  /** Row of the table of performance goals that this belongs to. */
  readonly row: number;
  readonly name: string;
  readonly unit: string;
  readonly ours: Spread;
  readonly peer: ({ readonly name: string } & Spread) | null;
  /** Above 1 is better for us, whatever the unit. */
  readonly ratio: number | null;
  /** The ratio to reach, or a sentence where one ratio can't say it. */
  readonly goal: number | string | null;
  readonly met: boolean | null;
  readonly note?: string;
}

/** What a row hands back: the line that has the goal, and lines that explain it. */
export interface RowResult {
  readonly main: Measurement;
  readonly extras: readonly Measurement[];
}

export interface Comparison {
  row: number;
  name: string;
  unit: string;
  better: 'higher' | 'lower';
  ours: readonly number[];
  peer: { name: string; values: readonly number[] };
  /** Ratio of medians to reach. Leave out for a measurement that only explains. */
  goal?: number;
  note?: string;
}

/** Two samples of the same thing; the ratio is that of the medians. */
export function compare(comparison: Comparison): Measurement {
  const ours = spread(comparison.ours);
  const peer = spread(comparison.peer.values);
  const ratio = comparison.better === 'higher' ? ours.median / peer.median : peer.median / ours.median;
  return {
    row: comparison.row,
    name: comparison.name,
    unit: comparison.unit,
    ours,
    peer: { name: comparison.peer.name, ...peer },
    ratio,
    goal: comparison.goal ?? null,
    met: comparison.goal === undefined ? null : ratio >= comparison.goal,
    ...(comparison.note === undefined ? {} : { note: comparison.note }),
  };
}

/** A figure that has no peer. */
export function report(figure: { row: number; name: string; unit: string; values: readonly number[]; note?: string }): Measurement {
  const { values, ...rest } = figure;
  return { ...rest, ours: spread(values), peer: null, ratio: null, goal: null, met: null };
}

/** The same measurement judged against a goal that one ratio can't express. */
export function judged(measurement: Measurement, goal: string, met: boolean): Measurement {
  return { ...measurement, goal, met };
}
