import { readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/*
 * Writes a captured output to its terminal, in the pieces and at the times of the capture. A program of its own, which
 * every recorder of the row at-rest starts: FILE is the capture.
 */
const pieces = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as readonly (readonly [at: number, base64: string])[];
const began = performance.now();
for (const [at, base64] of pieces) {
  const wait = at - (performance.now() - began);
  if (wait > 0) await delay(wait);
  const bytes = Buffer.from(base64, 'base64');
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      // A terminal that is full for the moment.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      await delay(1);
    }
  }
}
