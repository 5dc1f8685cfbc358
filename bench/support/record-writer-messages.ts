/** What the writer of records in a process of its own is asked for. */
export type WriterRequest =
  /** That many records, thousands of them waiting at any time. */
  | { readonly do: 'append'; readonly count: number }
  /** That many, one after the other. */
  | { readonly do: 'lone'; readonly count: number }
  | { readonly do: 'close' };

export type WriterAnswer =
  | {
      readonly done: 'append';
      readonly millis: number;
      /** Processor time of a record, in microseconds: of the main thread, and of all threads. */
      readonly mainMicros: number;
      readonly allMicros: number;
      /** Milliseconds after the last one until all are under a published checkpoint. */
      readonly signedAfter: number;
    }
  | { readonly done: 'lone'; readonly millis: readonly number[] }
  | { readonly done: 'close'; readonly records: number };
