import { CommanderError } from 'commander';
import { asSallyportError, describeError, SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { jsonLine } from './output.ts';

const DONE_WRONG = 1;
const MISUSED = 2;

/** Whoever read our output has gone (`| head`): there is nobody left to tell, and nothing went wrong. */
export function isBrokenPipe(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'EPIPE' || thrown.code === 'ERR_STREAM_DESTROYED');
}

/** Prints an error on standard error, as one line or as one JSON object, and returns the exit code. */
export function reportError(thrown: unknown, json: boolean): number {
  const error = thrown instanceof CommanderError ? usageError(thrown) : asSallyportError(thrown);
  if (json) {
    process.stderr.write(jsonLine({ error: { code: error.code, message: error.message, remedy: error.remedy ?? null } }));
  } else {
    process.stderr.write(`sallyport: ${printable(describeError(error), { keepLines: true })}\n`);
    // A defect of this program: whoever reports it needs to say where.
    if (error.code === 'INTERNAL' && thrown instanceof Error && thrown.stack !== undefined)
      process.stderr.write(`${printable(thrown.stack, { keepLines: true })}\n`);
  }
  return error.code === 'USAGE' || error.code === 'QUERY_INVALID' ? MISUSED : DONE_WRONG;
}

/** Commander says `error: unknown command 'sesions'`, and on a line of its own `(Did you mean sessions?)`. */
function usageError(thrown: CommanderError): SallyportError {
  if (thrown.code === 'commander.help')
    return new SallyportError('USAGE', 'No command was given', { remedy: 'sallyport --help lists them' });
  const [first = '', ...rest] = thrown.message.replace(/^error: /, '').split('\n');
  const suggestion = rest
    .join(' ')
    .replace(/^\((.*)\)$/, '$1')
    .replace(/^Did/, 'did');
  return new SallyportError('USAGE', first, { remedy: suggestion === '' ? 'sallyport --help says what there is' : suggestion });
}
