import type { Command } from '../../contract/replay/part.ts';

/** Something that a transcript tells, and when it was complete: microseconds since the epoch. */
export type TranscriptItem = { at: number; channel: number } & (
  | { kind: 'text'; stream: 'o' | 'e' | 'i'; text: string }
  | { kind: 'note'; text: string }
  | { kind: 'damage'; text: string }
  /** The command is still growing: `text` is what began or was added now, at `since`, microseconds since the epoch. */
  | { kind: 'began'; command: Command; since: number; text: string; added: boolean }
  /** `last`: no other command began since it did. */
  | { kind: 'over'; command: Command; last: boolean }
);

export type ItemBody = TranscriptItem extends infer Item ? (Item extends unknown ? Omit<Item, 'at' | 'channel'> : never) : never;
