import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './wait.ts';

/** Resolves when the gateway has made its index of everything that is sealed. What it loads and opens for that is there then. */
export async function indexed(data: string): Promise<void> {
  const made = () => {
    const segments = filesIn(join(data, 'recordings'), '.cast.zst');
    return segments > 0 && filesIn(join(data, 'replay'), '.part') >= segments ? true : undefined;
  };
  await until('the index of every segment', made, { withinMs: 150_000, everyMs: 200 });
}

function filesIn(directory: string, suffix: string): number {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(suffix)).length;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return 0;
    throw thrown;
  }
}
