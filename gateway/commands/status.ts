import { printable } from '../base/printable.ts';
import { askOperator, type OperatorOptions } from './operator-client.ts';
import { jsonLine, print } from './output.ts';

export async function status(options: OperatorOptions): Promise<number> {
  const found = await askOperator(options, 'gateway.status', {});
  if (options.json === true) {
    await print(jsonLine(found));
    return 0;
  }
  const lines = [
    `${found.name}, Sallyport ${found.version}, since ${found.started}`,
    `  ${found.ready ? 'takes sessions' : `takes no sessions: ${found.unready ?? 'it does not say why'}`}`,
    ...found.listeners.map(({ protocol, address }) => `  ${protocol} on ${address}`),
    `  ${found.sessions} ${found.sessions === 1 ? 'session runs' : 'sessions run'}, ${found.approvalsWaiting} wait for approval`,
    `  ledger ${found.origin}, ${found.ledger.size} records signed`,
    `  configuration ${found.configuration}`,
    `  policy ${found.policySet}`,
  ];
  await print(lines.map((line) => `${printable(line)}\n`).join(''));
  return 0;
}

export async function reloadConfig(options: OperatorOptions): Promise<number> {
  const { configuration, policySet } = await askOperator(options, 'config.reload', {});
  await print(options.json === true ? jsonLine({ configuration, policySet }) : `The configuration ${configuration} is in force.\n`);
  return 0;
}
