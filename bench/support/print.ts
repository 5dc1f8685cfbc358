import type { Measurement } from './measurement.ts';
import type { Spread } from './statistics.ts';

/** The object of performance goals: exactly these members, figures to four significant digits. */
export function jsonLine(measurement: Measurement): string {
  const { row, name, unit, ours, peer, ratio, goal, met } = measurement;
  return JSON.stringify({
    row,
    name,
    unit,
    ours: roundedSpread(ours),
    peer: peer === null ? null : { name: peer.name, ...roundedSpread(peer) },
    ratio: ratio === null ? null : rounded(ratio),
    goal: typeof goal === 'number' ? rounded(goal) : goal,
    met,
  });
}

const headings = ['measurement', 'unit', 'ours', 'min–max', 'peer', 'median', 'min–max', 'ratio', 'goal', 'met'] as const;

/** A table for people: the medians, their range, and what was asked. Notes follow below it. */
export function table(measurements: readonly Measurement[]): string {
  const rows = [headings as readonly string[], ...measurements.map(cells)];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const notes = measurements.filter((m) => m.note !== undefined).map((m) => `${m.name}: ${m.note}`);
  return [...lines, ...(notes.length === 0 ? [] : ['', ...notes])].join('\n');
}

function cells(measurement: Measurement): string[] {
  const { ours, peer, ratio, goal, met } = measurement;
  return [
    `${measurement.row} ${measurement.name}`,
    measurement.unit,
    figure(ours.median),
    range(ours),
    peer === null ? '–' : peer.name,
    peer === null ? '–' : figure(peer.median),
    peer === null ? '–' : range(peer),
    ratio === null ? '–' : `${figure(ratio)}×`,
    goal === null ? '–' : typeof goal === 'number' ? `≥ ${figure(goal)}×` : goal,
    met === null ? '–' : met ? 'yes' : 'NO',
  ];
}

function range(values: Spread): string {
  return `${figure(values.min)}–${figure(values.max)}`;
}

function figure(value: number): string {
  const magnitude = Math.abs(value);
  return value.toFixed(magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3);
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function roundedSpread(values: Spread): Spread {
  return { median: rounded(values.median), min: rounded(values.min), max: rounded(values.max) };
}
