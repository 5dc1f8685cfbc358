/** What the benchmark asks of a typist process. One request at a time; each has one answer. */
export type TypistRequest =
  | { readonly do: 'open'; readonly count: number }
  | { readonly do: 'type'; readonly seconds: number; readonly perSecond: number }
  | { readonly do: 'close' };

export type TypistAnswer =
  | { readonly done: 'open'; readonly openMs: readonly number[]; readonly refused: readonly string[] }
  /** `echoMs` has one entry for each key that came back; `unanswered` counts those that did not within the time. */
  | { readonly done: 'type'; readonly echoMs: readonly number[]; readonly unanswered: number; readonly cutOff: number }
  | { readonly done: 'close' };

/** Where a typist connects, handed over as the first argument of its process in JSON. */
export interface TypistPlace {
  readonly port: number;
  readonly user: string;
  /** Path of the private key. */
  readonly key: string;
}
