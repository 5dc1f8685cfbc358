import type { CastEvent } from './cast-event.ts';
import { describeNote, type MarkKind } from './describe-note.ts';

/** Told what of an event counts on a timeline. */
export interface HappeningListener {
  /** Something happens, and so much: characters, or 1 for what has none, or 0 for what is not there. */
  happened(at: number, amount: number): void;
  mark(at: number, kind: MarkKind, title: string): void;
}

/** Says of an event what counts on a timeline: the one way for whatever is sealed, still running, or in a bundle. */
export function tellHappening(event: CastEvent, listener: HappeningListener): void {
  const { at } = event;
  switch (event.kind) {
    case 'data':
      return listener.happened(at, event.text.length);
    case 'resize':
      return listener.happened(at, 1);
    case 'marker':
      listener.happened(at, 1);
      return listener.mark(at, 'marker', event.title);
    case 'exit':
      listener.happened(at, 1);
      return listener.mark(at, 'end', `Exit status ${event.status}`);
    case 'damage':
      listener.happened(at, 0);
      return listener.mark(at, 'damage', event.words);
    case 'note': {
      const { note, title } = event;
      if (note.t !== 'clock' && note.t !== 'fd') listener.happened(at, 1);
      const { words, mark } = describeNote(note);
      if (mark !== undefined) listener.mark(at, mark, title ?? words ?? note.t);
    }
  }
}
