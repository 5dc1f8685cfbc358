/** Which byte stream a frame belongs to: input (client to target), output, error output. */
export type StreamName = 'i' | 'o' | 'e';

/**
 * One entry of a journal. `at` is monotonic nanoseconds since the channel opened. Layout on disk: see
 * docs/recording-format.md, "Journal".
 */
export type Frame =
  | { kind: 'header'; at: number; header: Readonly<Record<string, unknown>> }
  | { kind: 'data'; at: number; stream: StreamName; bytes: Uint8Array }
  | { kind: 'resize'; at: number; cols: number; rows: number }
  | { kind: 'event'; at: number; event: RecordedEvent; marker?: string }
  | { kind: 'exit'; at: number; status: number }
  | { kind: 'clock'; at: number; wallMicros: number };

/** The object of a `+` event in a cast; `t` says which (recording-format.md lists them). JSON values only. */
export type RecordedEvent = { readonly t: string; readonly [member: string]: unknown };
