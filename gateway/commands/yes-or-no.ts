import { createInterface } from 'node:readline/promises';
import { SallyportError } from '../base/errors.ts';

/**
 * Has the person at the terminal say yes, after everything that it is about was shown. Elsewhere `remedy` says which
 * option says it. Throws USAGE unless they agree.
 */
export async function askYes(question: string, remedy: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new SallyportError('USAGE', 'Nobody is there to ask', { remedy });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = (await terminal.question(`${question} [y/N] `)).trim().toLowerCase();
    if (answer !== 'y' && answer !== 'yes') throw new SallyportError('USAGE', 'Nothing was done', { remedy: 'answer y to go on' });
  } finally {
    terminal.close();
  }
}
