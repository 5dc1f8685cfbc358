import type { CastEvent } from '../../contract/replay/cast-event.ts';
import { CommandFinder, type FinderState, finderStateSchema } from '../../contract/replay/command-finder.ts';
import type { Command } from '../../contract/replay/part.ts';
import { Emulation } from '../../contract/replay/screen/emulation.ts';

const COLS = 80;
const ROWS = 24;
const HEADER = { cols: COLS, rows: ROWS, pty: true, title: undefined, command: undefined, synthetic: false };

/** What happens at a terminal: `<` is shown, `>` is typed, or something is typed that is not recorded. */
export type Step = `<${string}` | `>${string}` | 'secret';

/** Each step takes a tenth of a second. */
export function script(...steps: readonly Step[]): CastEvent[] {
  const events: CastEvent[] = [];
  let at = 0;
  for (const step of steps) {
    at += 100_000;
    if (step === 'secret') events.push({ kind: 'note', at, note: { t: 'redact', s: 'i' } });
    else events.push({ kind: 'data', at, stream: step.startsWith('<') ? 'o' : 'i', text: step.slice(1) });
  }
  return events;
}

/** The commands, in the order in which they began. */
export function find(events: Iterable<CastEvent>): Command[] {
  const commands: Command[] = [];
  const finder = new CommandFinder((command) => commands.push(command));
  finder.begin(HEADER);
  const emulation = new Emulation(COLS, ROWS);
  for (const event of events) take(finder, emulation, event);
  finder.end();
  emulation.dispose();
  return commands.sort((a, b) => a.at - b.at);
}

export function texts(events: Iterable<CastEvent>): string[] {
  return find(events).map(({ text }) => text);
}

/** The same, with another finder and a terminal made from a dump wherever `cuts` says so. */
export function findInParts(events: readonly CastEvent[], cuts: (index: number) => boolean): Command[] {
  const commands: Command[] = [];
  let emulation = new Emulation(COLS, ROWS);
  let state: FinderState | undefined;
  let finder = new CommandFinder((command) => commands.push(command));
  finder.begin(HEADER);
  for (const [index, event] of events.entries()) {
    if (cuts(index)) {
      state = finderStateSchema.parse(JSON.parse(JSON.stringify(finder.state())));
      const next = new Emulation(emulation.cols, emulation.rows);
      next.restore(emulation.dump());
      emulation.dispose();
      emulation = next;
      finder = new CommandFinder((command) => commands.push(command), { state });
    }
    take(finder, emulation, event);
  }
  finder.end();
  emulation.dispose();
  return commands.sort((a, b) => a.at - b.at);
}

/** Output in single characters, at the same times. */
export function inCharacters(events: readonly CastEvent[]): CastEvent[] {
  return events.flatMap((event) =>
    event.kind === 'data' && event.stream === 'o' ? Array.from(event.text, (text): CastEvent => ({ ...event, text })) : [event],
  );
}

/** Output that nothing was typed between comes at once, when its last piece did. */
export function inBursts(events: readonly CastEvent[]): CastEvent[] {
  const bursts: CastEvent[] = [];
  for (const event of events) {
    const last = bursts.at(-1);
    if (event.kind === 'data' && event.stream === 'o' && last?.kind === 'data' && last.stream === 'o')
      bursts[bursts.length - 1] = { ...event, text: last.text + event.text };
    else bursts.push(event);
  }
  return bursts;
}

function take(finder: CommandFinder, emulation: Emulation, event: CastEvent): void {
  finder.before(event, emulation);
  if (event.kind === 'data' && event.stream !== 'i') emulation.show(event.text);
  if (event.kind === 'resize') emulation.resize(event.cols, event.rows);
  finder.after(event, emulation);
}
