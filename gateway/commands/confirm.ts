import { createInterface } from 'node:readline/promises';
import { SallyportError } from '../base/errors.ts';

/**
 * Asks before something that can't be undone. On a terminal the person answers; elsewhere `--yes` has to have been
 * given. `what` is a whole sentence. Throws USAGE unless it is confirmed.
 */
export async function confirm(what: string, options: { yes?: boolean; json?: boolean }): Promise<void> {
  if (options.yes === true) return;
  if (options.json === true || !process.stdin.isTTY || !process.stderr.isTTY)
    throw new SallyportError('USAGE', `This can't be undone: ${what}`, { remedy: 'add --yes to do it, or see what it would do first' });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`This can't be undone: ${what}\nType yes to go on: `);
    if (answer.trim().toLowerCase() !== 'yes') throw new SallyportError('USAGE', 'Nothing was done', { remedy: 'type yes to confirm' });
  } finally {
    terminal.close();
  }
}
