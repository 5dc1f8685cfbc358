import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { SallyportError } from '../base/errors.ts';

/** How the certificate of a gateway is known again: by the system's authorities, or by being exactly this one. */
const keptLogin = z.strictObject({
  operator: z.string(),
  token: z.string().optional(),
  expires: z.string().optional(),
  trust: z.string(),
  /** File of the key that was used, if one was named. */
  key: z.string().optional(),
});
export type KeptLogin = z.infer<typeof keptLogin>;

/** `trust` of a certificate that the system's authorities vouch for; else it is a SHA-256 as browsers write it. */
export const SYSTEM_TRUST = 'system';

const keptFile = z.strictObject({
  /** The gateway that is meant when none is named. */
  gateway: z.string().optional(),
  gateways: z.record(z.string(), keptLogin),
});
type KeptFile = z.infer<typeof keptFile>;

/** Log-ins of this user, in a file that nobody else can read. */
export async function keptLogins(): Promise<KeptFile> {
  const file = keptPath();
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { gateways: {} };
    throw unusable(file, error);
  }
  const checked = keptFile.safeParse(parsed(text));
  if (checked.success) return checked.data;
  throw unusable(file, checked.error);
}

/** Makes this gateway the one that is meant from now on. */
export async function keepLogin(gateway: string, login: KeptLogin): Promise<void> {
  const { gateways } = await keptLogins();
  await write({ gateway, gateways: { ...gateways, [gateway]: login } });
}

async function write(kept: KeptFile): Promise<void> {
  const directory = keptDirectory();
  const file = keptPath();
  const beside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    const handle = await open(beside, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(kept, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw unusable(file, error);
  }
}

function keptDirectory(): string {
  const configured = process.env.XDG_CONFIG_HOME;
  return join(configured === undefined || configured === '' ? join(homedir(), '.config') : configured, 'sallyport');
}

function keptPath(): string {
  return join(keptDirectory(), 'login.json');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Told as a file that is not what it should be.
  }
}

function unusable(file: string, cause: unknown): SallyportError {
  return new SallyportError('USAGE', `The file of log-ins ${file} cannot be used`, {
    remedy: 'see that it is yours, or remove it and log in again',
    cause,
  });
}
