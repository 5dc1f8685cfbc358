import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { plainEnvironment } from '../../test/support/run.ts';
import type { Belongings } from '../../test/support/temp.ts';
import type { WriterAnswer, WriterRequest } from './record-writer-messages.ts';
import type { TypistAnswer, TypistPlace, TypistRequest } from './typist-messages.ts';

/** Starts the light SSH server in a process of its own; returns its port. */
export async function startLightTarget(belongings: Belongings, hostKeyFile: string): Promise<number> {
  const child = forkModule(belongings, new URL('./light-target.ts', import.meta.url), hostKeyFile);
  const { port } = (await answer(child)) as { port: number };
  return port;
}

/** A process that holds and types into many sessions. */
export class Typist {
  readonly #child: ChildProcess;

  constructor(belongings: Belongings, place: TypistPlace) {
    this.#child = forkModule(belongings, new URL('./typist.ts', import.meta.url), JSON.stringify(place));
  }

  async ask<Request extends TypistRequest>(request: Request): Promise<Extract<TypistAnswer, { done: Request['do'] }>> {
    const answered = answer(this.#child);
    this.#child.send(request);
    return (await answered) as Extract<TypistAnswer, { done: Request['do'] }>;
  }
}

/** Records, database and ledger as a gateway has them, in a process of its own. */
export class RecordWriter {
  readonly #child: ChildProcess;

  constructor(belongings: Belongings, configFile: string) {
    this.#child = forkModule(belongings, new URL('./record-writer.ts', import.meta.url), configFile);
  }

  async ask<Request extends WriterRequest>(request: Request): Promise<Extract<WriterAnswer, { done: Request['do'] }>> {
    const answered = answer(this.#child);
    this.#child.send(request);
    return (await answered) as Extract<WriterAnswer, { done: Request['do'] }>;
  }
}

function forkModule(belongings: Belongings, module: URL, argument: string): ChildProcess {
  const child = fork(module, [argument], {
    env: plainEnvironment(),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  belongings.add(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  return child;
}

function answer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (status: number | null) => reject(new Error(`${child.spawnargs[1]} ended with ${status}`));
    child.once('exit', ended);
    child.once('error', reject);
    child.once('message', (message) => {
      child.off('exit', ended);
      child.off('error', reject);
      resolve(message);
    });
  });
}
