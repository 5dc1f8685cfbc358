import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { TypedSession } from './typed-session.ts';
import type { TypistAnswer, TypistPlace, TypistRequest } from './typist-messages.ts';

/** Opens many SSH sessions from one process and types into all of them; the load of row 8. `node typist.ts PLACE` as JSON. */
const place = JSON.parse(process.argv[2] ?? '') as TypistPlace;
const privateKey = readFileSync(place.key);
const sessions: TypedSession[] = [];
const atOnce = 8;
const patienceMs = 10_000;

async function open(count: number): Promise<TypistAnswer> {
  const openMs: number[] = [];
  const refused: string[] = [];
  let left = count;
  const opener = async () => {
    while (left > 0) {
      left -= 1;
      const start = performance.now();
      try {
        sessions.push(await TypedSession.open({ port: place.port, user: place.user, privateKey }));
        openMs.push(performance.now() - start);
      } catch (error) {
        refused.push(error instanceof Error ? error.message : String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, opener));
  return { done: 'open', openMs, refused };
}

async function type(seconds: number, perSecond: number): Promise<TypistAnswer> {
  const echoMs: number[] = [];
  const gapMs = 1000 / perSecond;
  const typing = sessions.map(async (session) => {
    session.onEcho = (ms) => echoMs.push(ms);
    // Everybody begins at another moment of the first gap, and nobody keeps time exactly.
    await delay(Math.random() * gapMs);
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      session.type();
      await delay(gapMs * (0.75 + Math.random() / 2));
    }
  });
  await Promise.all(typing);
  const deadline = performance.now() + patienceMs;
  while (sessions.some((session) => session.waiting > 0 && !session.cutOff) && performance.now() < deadline) await delay(20);
  const unanswered = sessions.reduce((sum, session) => sum + session.waiting, 0);
  for (const session of sessions) session.forget();
  return { done: 'type', echoMs, unanswered, cutOff: sessions.filter((session) => session.cutOff).length };
}

async function close(): Promise<TypistAnswer> {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
  return { done: 'close' };
}

function perform(request: TypistRequest): Promise<TypistAnswer> {
  if (request.do === 'open') return open(request.count);
  return request.do === 'type' ? type(request.seconds, request.perSecond) : close();
}

process.on('message', (request) => {
  perform(request as TypistRequest).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
// Without its parent nobody would end it.
process.on('disconnect', () => process.exit(0));
