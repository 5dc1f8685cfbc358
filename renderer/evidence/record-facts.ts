/** A record as it was read: nothing about it is certain but that it is an object with a type. */
export interface ReadRecord {
  index: number;
  text: string;
  type: string;
  time: string;
  session: string | undefined;
  outcome: string;
  actor: Facts;
  target: Facts;
  body: Facts;
}

export type Facts = Readonly<Record<string, unknown>>;

/** Undefined for a text that is no record. */
export function readRecord(index: number, text: string): ReadRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const record = factsOf(value);
  if (typeof record.type !== 'string') return undefined;
  return {
    index,
    text,
    type: record.type,
    time: textOr(record.time, ''),
    session: typeof record.session === 'string' ? record.session : undefined,
    outcome: textOr(record.outcome, ''),
    actor: factsOf(record.actor),
    target: factsOf(record.target),
    body: factsOf(record.body),
  };
}

/** An empty object for what is none. */
export function factsOf(value: unknown): Facts {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Facts) : {};
}

export function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

export function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}
