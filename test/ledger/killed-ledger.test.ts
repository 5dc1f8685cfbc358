import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parseCheckpoint } from '../../gateway/ledger/checkpoint.ts';
import type { SignedCheckpoint } from '../../gateway/ledger/ledger.ts';
import { noteSigner, openNote } from '../../gateway/ledger/signed-note.ts';
import { temporaryDirectory } from '../store/support.ts';
import { live, newKey, ORIGIN, readLedger } from './support.ts';

const writer = fileURLToPath(new URL('./killed-writer.ts', import.meta.url));

it.each(['before tiles', 'after tiles', 'before checkpoint', 'after checkpoint', 'before removal', 'after removal', 'any moment'])(
  'the ledger goes on, and out of every checkpoint that anybody saw, after kill -9 %s',
  { timeout: 240_000 },
  async (step) => {
    const directory = await temporaryDirectory();
    const key = newKey();
    const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const verifier = noteSigner(ORIGIN, key).key;
    const seen: SignedCheckpoint[] = [];
    for (const count of [1, 2, 9]) {
      const child = spawn(process.execPath, [writer, directory, pem, step, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
      const gone = once(child, 'exit');
      for await (const line of createInterface(child.stdout)) {
        if (line === 'open') {
          if (step === 'any moment') setTimeout(() => child.kill('SIGKILL'), Math.random() * 60 * count);
          continue;
        }
        const note = JSON.parse(line) as string;
        seen.push({ ...parseCheckpoint(openNote(note, [verifier]).text), note });
      }
      expect((await gone)[1]).toBe('SIGKILL');
      // Whatever was being written: what is published, if anything, is whole, and covers what was said to be covered.
      const largest = Math.max(0, ...seen.map(({ size }) => size));
      if (largest > 0) expect((await readLedger(directory, [verifier], seen)).size).toBeGreaterThanOrEqual(largest);
    }
    const next = await live(directory, { key });
    expect(next.log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    const head = await next.ledger.signed();
    expect(head.size).toBe(await next.database.records.count());
    expect(await next.database.records.keyChanges()).toHaveLength(1);
    await next.end();
    await readLedger(directory, [verifier], seen);
  },
);
