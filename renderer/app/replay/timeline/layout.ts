import type { Activity } from '../../../../contract/replay/activity.ts';
import type { PlayTime } from '../../../../contract/replay/play-time.ts';
import { type Mark, ranking } from './mark.ts';

/** Marks that would cover each other, as one. */
export interface Cluster {
  /** Share of the length, 0 to 1. */
  readonly share: number;
  readonly marks: readonly Mark[];
  /** The one that it looks like. */
  readonly first: Mark;
}

export interface Area {
  /** Shares of the length, 0 to 1. */
  readonly from: number;
  readonly to: number;
}

/** Where a moment stands in what is played. */
export function shareOf(playTime: PlayTime, at: number): number {
  return playTime.duration > 0 ? Math.max(0, Math.min(1, playTime.toPlay(at) / playTime.duration)) : 0;
}

export function momentAt(playTime: PlayTime, share: number): number {
  return playTime.toRecording(Math.max(0, Math.min(1, share)) * playTime.duration);
}

/** Marks in the order of time, those closer together than `reach` (a share) as one. */
export function clustersOf(marks: readonly Mark[], playTime: PlayTime, reach: number): Cluster[] {
  const clusters: { share: number; marks: Mark[] }[] = [];
  for (const mark of marks) {
    const share = shareOf(playTime, mark.at);
    const last = clusters.at(-1);
    if (last !== undefined && share - last.share < reach) last.marks.push(mark);
    else clusters.push({ share, marks: [mark] });
  }
  return clusters.map(({ share, marks: together }) => ({ share, marks: together, first: mostTelling(together) }));
}

/** Clusters that are closer together than `reach`, as one at the place of the first. */
export function gathered(clusters: readonly Cluster[], reach: number): Cluster[] {
  const gathering: { share: number; marks: Mark[] }[] = [];
  for (const { share, marks } of clusters) {
    const last = gathering.at(-1);
    if (last !== undefined && share - last.share < reach) last.marks.push(...marks);
    else gathering.push({ share, marks: [...marks] });
  }
  return gathering.map(({ share, marks }) => ({ share, marks, first: mostTelling(marks) }));
}

/** Heights of bars, 0 to 1. A burst of output is a million times a keystroke; both have to be seen. */
export function barsOf(activity: Activity, playTime: PlayTime, count: number): number[] {
  const sums = activity.spread(count, playTime.duration, (at) => playTime.toPlay(at));
  const most = Math.log1p(Math.max(1, ...sums));
  return sums.map((sum) => (sum === 0 ? 0 : 0.12 + (Math.log1p(sum) / most) * 0.88));
}

export function areaOf(playTime: PlayTime, from: number, to: number): Area {
  return { from: shareOf(playTime, from), to: shareOf(playTime, to) };
}

/** The mark before or after a moment. */
export function neighbourMark(marks: readonly Mark[], at: number, by: -1 | 1): Mark | undefined {
  return by > 0 ? marks.find((mark) => mark.at > at) : marks.findLast((mark) => mark.at < at);
}

function mostTelling(marks: readonly Mark[]): Mark {
  const [first, ...rest] = marks;
  if (first === undefined) throw new RangeError('a cluster has a mark');
  return rest.reduce((best, mark) => (ranking.indexOf(mark.sort) < ranking.indexOf(best.sort) ? mark : best), first);
}
