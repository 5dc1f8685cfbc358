import { DataFault } from './data-fault.ts';

/** Readers of values that came from a file: each gives the value, or throws DataFault saying where it is not so. */
export type Reader<T> = (value: unknown, where: string) => T;

export const text: Reader<string> = (value, where) => (typeof value === 'string' ? value : wrong(where, 'text'));

export const count: Reader<number> = (value, where) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : wrong(where, 'a number');

/** A ledger index, or -1 as an end before the first. */
export const whole: Reader<number> = (value, where) => (Number.isSafeInteger(value) ? (value as number) : wrong(where, 'a whole number'));

export function orNull<T>(reader: Reader<T>): Reader<T | null> {
  return (value, where) => (value === null || value === undefined ? null : reader(value, where));
}

export function list<T>(reader: Reader<T>): Reader<T[]> {
  return (value, where) =>
    Array.isArray(value) ? value.map((element: unknown, index) => reader(element, `${where}[${index}]`)) : wrong(where, 'a list');
}

export function pair<A, B>(first: Reader<A>, second: Reader<B>): Reader<[A, B]> {
  return (value, where) =>
    Array.isArray(value) && value.length === 2 ? [first(value[0], `${where}[0]`), second(value[1], `${where}[1]`)] : wrong(where, 'a pair');
}

export const object: Reader<Record<string, unknown>> = (value, where) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : wrong(where, 'an object');

export function record<T>(reader: Reader<T>): Reader<Record<string, T>> {
  return (value, where) =>
    Object.fromEntries(Object.entries(object(value, where)).map(([name, member]) => [name, reader(member, `${where}.${name}`)]));
}

export function oneOf<const T extends string>(...words: readonly T[]): Reader<T> {
  return (value, where) => words.find((word) => word === value) ?? wrong(where, `one of ${words.join(', ')}`);
}

/** An object with at least these members; others are let be. */
export function members<T extends object>(readers: { [Name in keyof T]: Reader<T[Name]> }): Reader<T> {
  return (value, where) => {
    const from = object(value, where);
    const entries = Object.entries<Reader<unknown>>(readers).map(([name, reader]) => [name, reader(from[name], `${where}.${name}`)]);
    return Object.fromEntries(entries) as T;
  };
}

function wrong(where: string, wanted: string): never {
  throw new DataFault(`The list of what this bundle holds (page/bundle.js) is damaged: ${where} is not ${wanted}.`);
}
