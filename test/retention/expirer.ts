import { systemClock } from '../../gateway/base/clock.ts';
import { createLog } from '../../gateway/base/log.ts';
import { openEvidence } from '../../gateway/evidence.ts';
import { Retention } from '../../gateway/retention/retention.ts';
import { openIndexing } from '../../gateway/serve/indexing.ts';

/** A process that expires what is older than 400 days in a data directory, and may be killed while it does. */
const [directory] = process.argv.slice(2) as [string];
const log = createLog('warn');
const evidence = await openEvidence({ gateway: { listen: {}, data: directory, name: 'gateway-1' }, ledger: {} }, directory, {
  clock: systemClock,
  log,
});
const indexing = openIndexing({ ...evidence, dataDirectory: directory, log });
const retention = new Retention({
  ...evidence,
  made: indexing.made,
  clock: systemClock,
  log,
  gatewayName: 'gateway-1',
  origin: evidence.ledger.key.name,
  terms: () => ({ targets: new Map(), refusals: 400 * 86_400, unlisted: 400 * 86_400 }),
  principals: () => undefined,
  releaseReserve: () => undefined,
});
process.stdout.write('begun\n');
await retention.run({ dryRun: false }, { actor: evidence.records.gateway, signal: new AbortController().signal });
process.stdout.write('done\n');
await indexing.close();
await evidence.close();
