import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SallyportError } from '../base/errors.ts';
import { askGateway } from '../operator-api/ask-gateway.ts';
import type { HttpsListener } from '../operator-api/https-listener.ts';
import { findSessions } from '../query/find-sessions.ts';
import { type Gateway, startGateway } from '../serve.ts';
import { Database } from '../store/database.ts';
import { version } from '../version.ts';
import { consoleAddress, consoleOrigin } from './console-address.ts';
import { introduction } from './demo/introduction.ts';
import { AGENT, keyFile, prepareDemo, REVIEWER, REVIEWER_KEY, TARGET, writeClientFiles } from './demo/prepare.ts';
import { type DemoDoor, FIRST_COMMAND, makeFirstSessions, typeAtTerminal } from './demo/sessions.ts';
import { print } from './output.ts';
import { untilSignal } from './until-signal.ts';
import { userName } from './with-gateway.ts';

/** Enough of a UUIDv7 to be the only session that begins so. */
const SHORT_ID = 13;

/** A gateway with a ready-made configuration on loopback: freshly made keys, local shells, and sessions to look at. */
export async function demo(options: { data?: string }): Promise<number> {
  const directory = options.data === undefined ? await mkdtemp(join(tmpdir(), 'sallyport-demo-')) : resolve(options.data);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const gateway = await startGateway({ config: await prepareDemo(directory), logLevel: 'warn' });
  const { door, https } = await doorOf(gateway, directory);
  const leaving = new AbortController();
  const typing = typeAtTerminal(door, leaving.signal);

  await print(`Sallyport is running, with sessions to look at. In the first of them the agent ran\n\n  $ ${FIRST_COMMAND}\n`);
  const first = await makeFirstSessions(door);
  await print(`${first.stdout}${first.stderr}`.replace(/^/gm, '  ').trimEnd());
  const session = await firstSession(gateway.dataDirectory);
  const address = consoleAddress(consoleOrigin(https.address), await codeOf(gateway.dataDirectory));
  await print(`\n\n${introduction({ directory, address, fingerprint: https.fingerprint, session })}`);

  const signal = await untilSignal();
  leaving.abort();
  await typing;
  await gateway.close(signal);
  await print(`\nStopped. What was recorded stays in ${directory}; delete it when you are done.\n`);
  return first.status === 0 ? 0 : 1;
}

async function doorOf(gateway: Gateway, directory: string): Promise<{ door: DemoDoor; https: HttpsListener }> {
  const ssh = gateway.listeners.find(({ protocol }) => protocol === 'ssh');
  const https = gateway.listeners.find((each): each is HttpsListener => each.protocol === 'https');
  if (ssh === undefined || https === undefined) throw new SallyportError('INTERNAL', 'the demo lacks a listener');
  const { hostname: host, port } = new URL(`ssh://${ssh.address}`);
  await writeClientFiles(directory, host, Number(port), gateway.hostKey.publicKey);
  const api = { gateway: { url: consoleOrigin(https.address), trust: https.fingerprint }, key: keyFile(directory, REVIEWER_KEY) };
  return { door: { directory, host, port: Number(port), hostKeyFingerprint: gateway.hostKey.fingerprint, api }, https };
}

async function codeOf(dataDirectory: string): Promise<string> {
  const link = await askGateway(dataDirectory, 'login.link', { operator: REVIEWER }, { user: userName(), version });
  if (link === undefined) throw new SallyportError('INTERNAL', "the demo's gateway has no control socket");
  return link.output.code;
}

/** The short id of the session that is shown first. */
async function firstSession(dataDirectory: string): Promise<string> {
  const database = await Database.openForReading(dataDirectory);
  try {
    for await (const { id } of findSessions(database, { principal: AGENT, target: TARGET }, 1)) return id.slice(0, SHORT_ID);
    throw new SallyportError('INTERNAL', "the demo's first session has left no record");
  } finally {
    await database.close();
  }
}
