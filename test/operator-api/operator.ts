import type { OperationName } from '../../contract/operator-api.ts';
import { SallyportError } from '../../gateway/base/errors.ts';
import { withGateway } from '../../gateway/commands/with-gateway.ts';

/** A command that has one operation performed: data directory, name, input as JSON. Prints the output or the error. */
const [data = '', name = '', input = '{}'] = process.argv.slice(2);
try {
  const output = await withGateway({ data }, name as OperationName, JSON.parse(input) as never);
  process.stdout.write(`${JSON.stringify({ output })}\n`);
} catch (thrown) {
  if (!(thrown instanceof SallyportError)) throw thrown;
  process.stdout.write(`${JSON.stringify({ code: thrown.code, message: thrown.message, remedy: thrown.remedy })}\n`);
  process.exitCode = 1;
}
