import { z } from 'zod';
import { either, quoted } from './fault.ts';
import { type Read, readAddress, readDuration, readSize } from './units.ts';
import { kindOf } from './values.ts';

/*
 * The kinds of value that sections are made of. By convention the message of every issue is the mend; the problem is
 * in `params.problem`, or follows from the issue's code (check.ts). For unknown keys the message lists the
 * known ones.
 */

const name = /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,127}$/u;

/** Any value that `read` understands. `mend` is a whole sentence. */
export function leaf<T>(mend: string, read: (value: unknown) => Read<T>) {
  return z.unknown().transform((value, context): T => {
    if (value !== undefined) {
      const result = read(value);
      if ('value' in result) return result.value;
      context.addIssue({ code: 'custom', message: mend, params: { problem: result.problem } });
    } else {
      context.addIssue({ code: 'custom', message: mend, params: { missing: true } });
    }
    return z.NEVER;
  });
}

/** Text that `read` understands. */
export function text<T>(mend: string, read: (text: string) => Read<T>) {
  return leaf(mend, (value) => (typeof value === 'string' ? read(value) : { problem: `${kindOf(value)} stands where text belongs` }));
}

/** Text of the given form. */
export function textLike(form: RegExp, mend: string) {
  return text(mend, (value): Read<string> => (form.test(value) ? { value } : { problem: `${quoted(value)} does not have the right form` }));
}

export function section<T extends z.core.$ZodShape>(shape: T, mend: string) {
  return z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : mend) });
}

/** One or none of a list stands in a list, too. */
export function list<T extends z.core.$ZodType>(of: T, mend: string) {
  return z.array(of, { error: () => mend }).readonly();
}

export function choice<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, { error: () => `It is ${either(words)}.` });
}

export function flag() {
  return z.boolean({ error: () => 'Write true or false.' });
}

export function wholeNumber(least: number, most: number) {
  return leaf(`Write a whole number from ${least} to ${most}.`, (value): Read<number> => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return { value };
    return {
      problem:
        typeof value === 'number'
          ? `${value} is not a whole number from ${least} to ${most}`
          : `${kindOf(value)} stands where a number belongs`,
    };
  });
}

const durationExample = 'Write a number and a unit, for example 30s, 10m, 12h or 400d';

/** Seconds within limits. */
export function duration(least: number, most: number) {
  const limits = `from ${inWords(least)} to ${inWords(most)}`;
  return leaf(`${durationExample}; ${limits} is possible.`, (value) => readSeconds(value, least, most, limits));
}

/** Seconds for which recordings are kept. */
export function retention() {
  return duration(86_400, 36_500 * 86_400);
}

/** Seconds, or 0 for `off`. */
export function durationOrOff(most: number) {
  const limits = `up to ${inWords(most)}`;
  return leaf(`${durationExample}; ${limits} is possible, and off for none.`, (value) =>
    value === 'off' || value === 0 ? { value: 0 } : readSeconds(value, 1, most, limits),
  );
}

function readSeconds(value: unknown, least: number, most: number, limits: string): Read<number> {
  if (typeof value === 'number') return { problem: `${value} has no unit` };
  if (typeof value !== 'string') return { problem: `${kindOf(value)} stands where a duration belongs` };
  const read = readDuration(value);
  if ('value' in read && (read.value < least || read.value > most)) return { problem: `${quoted(value)} is not ${limits}` };
  return read;
}

/** Bytes within limits. */
export function size(least: number, most: number) {
  const limits = `from ${bytesInWords(least)} to ${bytesInWords(most)}`;
  return leaf(`Write a number and a unit, for example 512KiB, 4MiB or 1GiB; ${limits} is possible.`, (value) => {
    if (typeof value === 'number') return { problem: `${value} has no unit` };
    if (typeof value !== 'string') return { problem: `${kindOf(value)} stands where a size belongs` };
    const read = readSize(value);
    return 'value' in read && (read.value < least || read.value > most) ? { problem: `${quoted(value)} is not ${limits}` } : read;
  });
}

/** Where a target is. */
export function targetAddress(example: string) {
  return text(`Write host:port or [IPv6 address]:port, for example "${example}" or "[fd00::5]:${example.split(':')[1]}".`, (value) =>
    readAddress(value, 1),
  );
}

/** Where to listen. */
export function listenAddress(port: number) {
  return text(
    `Write host:port or [IPv6 address]:port, for example "127.0.0.1:${port}" for this machine only, or "0.0.0.0:${port}" and "[::]:${port}" for every IPv4 or IPv6 interface.`,
    (value) => readAddress(value, 0),
  );
}

/** Of a human, an agent or a group; an e-mail address is one. */
export function principalName() {
  return textLike(name, 'A name is up to 128 letters, digits and . _ @ + - and begins with a letter or a digit.');
}

export const targetNameMend =
  "A target's name is up to 63 letters, digits and . _ - and begins with a letter or a digit: clients write it as a user name.";

/** Not with `+`, `@`, `:` or `/`: a client writes `login+target@gateway`. */
export function targetName() {
  return textLike(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, targetNameMend);
}

function inWords(seconds: number): string {
  const unit = seconds % 86_400 === 0 ? 'd' : seconds % 3600 === 0 ? 'h' : seconds % 60 === 0 ? 'm' : 's';
  return `${seconds / ({ d: 86_400, h: 3600, m: 60, s: 1 } as const)[unit]}${unit}`;
}

function bytesInWords(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [amount, unit] = [bytes, 0];
  while (amount >= 1024 && amount % 1024 === 0 && unit < units.length - 1) [amount, unit] = [amount / 1024, unit + 1];
  return `${amount}${units[unit]}`;
}

/** A path as somebody writes it; it is made absolute when the whole file is known to be right. */
export function filePath(mend: string) {
  return text(mend, (value): Read<string> => {
    if (value.length > 0 && value.length <= 4096 && !value.includes('\0')) return { value };
    return { problem: `${quoted(value)} is not a path` };
  });
}
