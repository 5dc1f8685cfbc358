/** What several runs of one measurement came to. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The value below which the given share (0 to 1) of the sample lies, interpolated between neighbours. */
export function quantile(sample: readonly number[], share: number): number {
  if (sample.length === 0) throw new Error('no quantile of an empty sample');
  const sorted = Float64Array.from(sample).toSorted();
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const low = sorted.at(below) ?? Number.NaN;
  const high = sorted.at(Math.min(below + 1, sorted.length - 1)) ?? Number.NaN;
  return low + (high - low) * (position - below);
}

export function median(sample: readonly number[]): number {
  return quantile(sample, 0.5);
}

export function spread(sample: readonly number[]): Spread {
  return { median: median(sample), min: quantile(sample, 0), max: quantile(sample, 1) };
}
