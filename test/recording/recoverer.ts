import { join } from 'node:path';
import { FileLedger } from './file-ledger.ts';
import { openRecorder } from './support.ts';

/** A process that recovers what is left in a data directory, and may be killed while it does. */
const [directory] = process.argv.slice(2) as [string];
const ledger = new FileLedger(join(directory, 'ledger.ndjson'));
const recorder = await openRecorder(directory, { ledger });
await recorder.recover(ledger);
await recorder.close();
