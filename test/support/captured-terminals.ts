import { DrivenTerminal, type TerminalEvent } from './driven-terminal.ts';
import type { Belongings } from './temp.ts';
import { type TerminalProgram, terminalPrograms } from './terminal-programs.ts';

/** What a real program wrote into a real terminal while somebody used it. */
export interface CapturedTerminal {
  name: string;
  cols: number;
  rows: number;
  events: readonly TerminalEvent[];
}

/** Captured at this moment, by programs that run beside each other. */
export async function captureTerminals(belongings: Belongings): Promise<CapturedTerminal[]> {
  const programs = terminalPrograms(belongings.directory('captured'));
  return Promise.all(programs.map((program) => capture(belongings, program)));
}

async function capture(belongings: Belongings, program: TerminalProgram): Promise<CapturedTerminal> {
  const { name, cols, rows } = program;
  const terminal = new DrivenTerminal('sh', ['-c', program.line], cols, rows);
  belongings.add(() => terminal.kill());
  try {
    await program.use(terminal);
    await terminal.ended();
  } catch (thrown) {
    throw new Error(`${name}: ${(thrown as Error).message}`, { cause: thrown });
  }
  return { name, cols, rows, events: terminal.events };
}
