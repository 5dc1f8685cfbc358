import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const mainFile = join(import.meta.dirname, '../../gateway/main.ts');

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the real command line and waits for its end. */
export async function sallyport(...words: string[]): Promise<Finished> {
  return run(process.execPath, [mainFile, ...words]);
}

export async function run(
  program: string,
  words: readonly string[],
  options: { env?: NodeJS.ProcessEnv; input?: string } = {},
): Promise<Finished> {
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], env: options.env ?? process.env });
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

export function jsonLines<Row>(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
