import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { FileLedger } from './file-ledger.ts';
import { openInLedger } from './journals.ts';
import { describeChannel, openRecorder } from './support.ts';

/** A process that records until it is killed. It tells on standard output what `append` returned from. */
const [directory, session] = process.argv.slice(2) as [string, string];
const ledger = new FileLedger(join(directory, 'ledger.ndjson'));
const recorder = await openRecorder(directory, { ledger }, { segmentBytes: 60_000 });
await openInLedger(ledger, session, [0, 1]);
const recordings = [0, 1].map((channel) => recorder.openChannel(describeChannel({ session, channel })));

/** At once and in full, also where whoever reads is slower than this. */
function tell(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (thrown) {
      if (!(thrown instanceof Error) || !('code' in thrown) || thrown.code !== 'EAGAIN') throw thrown;
    }
  }
}

let sent = 0;
const more = (): void => {
  for (let round = 0; round < 20; round++) {
    const text = Buffer.from(`${sent} é `.repeat(1 + (sent % 97)));
    for (const recording of recordings) recording.append([{ kind: 'data', at: recording.now(), stream: 'o', bytes: text }]);
    sent += text.length;
    tell(`${sent}\n`);
  }
  setImmediate(more);
};
more();
