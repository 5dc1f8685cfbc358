import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { SallyportError } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { describeFault, readConfig } from '../config.ts';
import { parseSshPublicKey } from '../identity/ssh-public-key.ts';
import { readRoles } from './operator.ts';
import { jsonLine, print } from './output.ts';

export interface AddOptions {
  config: string;
  role: string[];
  key?: string;
  json?: boolean;
}

/**
 * Gives a human roles and a key in the configuration, and adds the human where there is none of this name. What else
 * stands in the file stays, comments included. It is replaced only when the result is a valid configuration.
 */
export async function addOperator(name: string, options: AddOptions): Promise<number> {
  const { config } = options;
  const own = readRoles(options.role);
  const line = options.key === undefined ? undefined : await publicKeyIn(options.key);
  const document = parseDocument(await readText(config));
  if (document.errors.length > 0 || !isMap(document.contents)) {
    throw new SallyportError('CONFIG_INVALID', `${config} is no configuration that can be added to`, {
      remedy: `mend it first: sallyport check-config ${config}`,
    });
  }
  const human = humanNamed(name, document);
  if (own.length > 0) human.set('operator', document.createNode(own, { flow: true }));
  if (line !== undefined) addKey(document, human, line);
  await replace(config, document.toString({ lineWidth: 0 }));
  if (options.json === true) await print(jsonLine({ operator: name, roles: own, config }));
  else {
    await print(
      printable(`${name} is ${own.join(' and ')} in ${config}.`).concat(
        `\nIt counts when the gateway reads it: sallyport reload --config ${printable(config)}, or send it SIGHUP.\n`,
      ),
    );
  }
  return 0;
}

function humanNamed(name: string, document: Document): YAMLMap {
  const existing = document.get('humans');
  let humans: YAMLSeq;
  if (isSeq(existing)) humans = existing;
  else if (existing === undefined || existing === null) {
    document.set('humans', document.createNode([]));
    humans = document.get('humans') as YAMLSeq;
  } else throw notAList('humans');
  humans.flow = humans.flow === true && humans.items.length > 0;
  const found = humans.items.find((item): item is YAMLMap => isMap(item) && item.get('name') === name);
  if (found !== undefined) return found;
  const made = document.createNode({ name }) as YAMLMap;
  humans.add(made);
  return made;
}

function addKey(document: Document, human: YAMLMap, line: string): void {
  const keys = human.get('ssh-keys');
  if (isSeq(keys)) {
    if (!keys.toJSON().some((known: unknown) => String(known).split(/\s+/)[1] === line.split(' ')[1])) keys.add(line);
  } else if (keys === undefined || keys === null) human.set('ssh-keys', document.createNode([line]));
  else throw notAList('ssh-keys');
}

/** A path of a .pub file, or of the private key beside one. */
async function publicKeyIn(file: string): Promise<string> {
  const text = await readText(file.endsWith('.pub') ? file : `${file}.pub`).catch(() => readText(file));
  const parsed = parseSshPublicKey(text);
  if ('fault' in parsed)
    throw new SallyportError('USAGE', `${file} is no public key: ${parsed.fault}`, { remedy: 'name the .pub file that ssh-keygen wrote' });
  const { algorithm, blob, comment } = parsed.key;
  return [algorithm, blob.toString('base64'), comment].join(' ').trim();
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new SallyportError('CONFIG_UNREADABLE', `${file} cannot be read: ${(error as Error).message}`, {
      remedy: 'name a file that is there and that this user may read',
      cause: error,
    });
  }
}

/** Checked beside its place, and moved there whole, with the rights that it had. */
async function replace(config: string, text: string): Promise<void> {
  const beside = join(dirname(config), `.${basename(config)}.${randomBytes(6).toString('hex')}`);
  const { mode, uid, gid } = await stat(config);
  try {
    const handle = await open(beside, 'wx', mode & 0o777);
    try {
      await handle.writeFile(text);
      await handle.chmod(mode & 0o777);
      if (process.getuid?.() === 0) await handle.chown(uid, gid);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const reading = readConfig(beside);
    if ('faults' in reading) {
      throw new SallyportError('CONFIG_INVALID', reading.faults.map((fault) => describeFault({ ...fault, file: config })).join('\n'), {
        remedy: 'nothing was changed; mend this first',
      });
    }
    await rename(beside, config);
  } finally {
    await rm(beside, { force: true });
  }
}

function notAList(what: string): SallyportError {
  return new SallyportError('CONFIG_INVALID', `${what} is not a list in this configuration`, {
    remedy: 'nothing was changed; mend it first',
  });
}
