// Writes a captured output to its terminal, in the pieces and at the times of the capture. Started by every recorder of
// the row at-rest, with a bare terminal and nothing else of ours.
import { readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const pieces = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const began = performance.now();
for (const [at, base64] of pieces) {
  const wait = at - (performance.now() - began);
  if (wait > 0) await delay(wait);
  const bytes = Buffer.from(base64, 'base64');
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      await delay(1);
    }
  }
}
