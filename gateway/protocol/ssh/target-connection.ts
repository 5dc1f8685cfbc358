import { createHash } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import { asSallyportError, SallyportError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { algorithmOffer, hostKeyKinds } from './algorithms.ts';
import type { SshTargetSettings } from './ssh-target.ts';
import { Ssh2Transport, type TransportLimits } from './ssh2-transport.ts';

export interface TargetLogin {
  readonly password?: Secret;
  readonly privateKey?: Secret;
  readonly passphrase?: Secret;
}

export interface TargetConnectOptions extends TransportLimits {
  /** Seconds to reach the target and log in there. */
  readonly connect: number;
  readonly weakAlgorithms: readonly string[];
  readonly ident: string;
  /** Breaks the attempt off; its reason is what is thrown. */
  readonly signal?: AbortSignal;
}

/** Characters of a target's banner that are shown to the client. */
const MAX_BANNER = 8192;

/** Which kind of host key matched the pinned fingerprint last time, by fingerprint: the next connection asks for it first. */
const knownKind = new Map<string, readonly string[]>();

/**
 * Reaches an SSH target and logs in. The TCP connection is made at once; the first byte goes out when `durable` has
 * resolved. A target has host keys of several kinds, the configuration pins one of them and a fingerprint does not say
 * its kind, so a mismatch is believed only when no kind matches.
 */
export async function connectToTarget(
  target: SshTargetSettings,
  login: TargetLogin,
  options: TargetConnectOptions,
  durable: Promise<unknown>,
): Promise<Ssh2Transport> {
  const first = knownKind.get(target.hostKey);
  const others = hostKeyKinds(options.weakAlgorithms).filter((kind) => kind.join() !== first?.join());
  const deadline = performance.now() + options.connect * 1000;
  const offered: string[] = [];
  // Without knowledge, the first try lets the target choose: mostly it is the pinned one.
  for (const kind of [first, ...others]) {
    const outcome = await tryToConnect(target, login, options, durable, kind, deadline);
    if (outcome instanceof Ssh2Transport) return outcome;
    if (outcome.offered !== undefined && !offered.includes(outcome.offered)) offered.push(outcome.offered);
  }
  throw new SallyportError(
    'TARGET_HOST_KEY_CHANGED',
    `the host key of ${target.name} is not the pinned one: pinned ${target.hostKey}, offered ${offered.join(', ') || 'none of a kind that is accepted'}; nothing was sent to it`,
    {
      remedy: `if the change is legitimate, put the new fingerprint into host-key of the target; if not, somebody may be impersonating ${where(target)}`,
    },
  );
}

interface HostKeyMismatch {
  readonly offered: string | undefined;
}

async function tryToConnect(
  target: SshTargetSettings,
  login: TargetLogin,
  options: TargetConnectOptions,
  durable: Promise<unknown>,
  kind: readonly string[] | undefined,
  deadline: number,
): Promise<Ssh2Transport | HostKeyMismatch> {
  options.signal?.throwIfAborted();
  const remaining = deadline - performance.now();
  if (remaining <= 0) throw timedOut(target, options);
  const socket = await openSocket(target, options, remaining, durable);
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    let offered: { fingerprint: string; kind: string } | undefined;
    let matches = false;
    const giveUp = (error: SallyportError) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => giveUp(timedOut(target, options)), Math.max(1, deadline - performance.now()));
    options.signal?.addEventListener('abort', () => giveUp(asSallyportError(options.signal?.reason)));
    const failed = (error: Error & { level?: string }) => {
      if (offered !== undefined && !matches) {
        clearTimeout(timer);
        socket.destroy();
        resolve({ offered: offered.fingerprint });
      } else if (kind !== undefined && error.level === 'handshake' && /host key/i.test(error.message)) {
        clearTimeout(timer);
        socket.destroy();
        resolve({ offered: undefined });
      } else {
        giveUp(explain(error, target));
      }
    };
    const closed = () => giveUp(new SallyportError('TARGET_LOST', `${where(target)} closed the connection before the log-in was finished`));
    client.on('error', failed);
    client.on('close', closed);
    // ssh2 asks only when keyboard-interactive is all the target offers; the password is the answer to a single question.
    client.on('keyboard-interactive', (_name, _instructions, _language, prompts, answer) => {
      answer(prompts.map(() => login.password?.reveal() ?? ''));
    });
    try {
      client.connect({
        sock: socket,
        username: target.login,
        ...(login.password === undefined ? {} : { password: login.password.reveal(), tryKeyboard: true }),
        ...(login.privateKey === undefined ? {} : { privateKey: login.privateKey.reveal() }),
        ...(login.passphrase === undefined ? {} : { passphrase: login.passphrase.reveal() }),
        ident: options.ident,
        readyTimeout: 0,
        algorithms: algorithmOffer(options.weakAlgorithms, kind),
        hostVerifier: (key: Buffer) => {
          offered = { fingerprint: fingerprintOf(key), kind: key.toString('latin1', 4, 4 + key.readUInt32BE(0)) };
          matches = offered.fingerprint === target.hostKey;
          return matches;
        },
      });
    } catch (error) {
      giveUp(
        new SallyportError('TARGET_CREDENTIAL_MISSING', `the credential of ${target.name} can't be used: ${(error as Error).message}`, {
          cause: error,
          remedy: 'give an OpenSSH or PEM private key, with its passphrase if it has one',
        }),
      );
      return;
    }
    const transport = new Ssh2Transport(client, socket, options);
    client.on('banner', (text) => {
      if (transport.banner.length + text.length <= MAX_BANNER) transport.banner += text;
    });
    client.once('ready', () => {
      clearTimeout(timer);
      // The transport listens too: only what belonged to the log-in goes.
      client.off('close', closed);
      client.off('error', failed);
      client.on('error', () => socket.destroy());
      transport.activate();
      if (offered !== undefined) knownKind.set(target.hostKey, kindsLike(offered.kind, options.weakAlgorithms));
      resolve(transport);
    });
  });
}

/** A TCP connection on which nothing has been sent, once `durable` has resolved. */
function openSocket(
  target: SshTargetSettings,
  options: TargetConnectOptions,
  milliseconds: number,
  durable: Promise<unknown>,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: target.address.host, port: target.address.port, noDelay: true });
    const giveUp = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => giveUp(timedOut(target, options)), milliseconds);
    options.signal?.addEventListener('abort', () => giveUp(asSallyportError(options.signal?.reason)));
    const failed = (error: NodeJS.ErrnoException) => giveUp(explain(error, target));
    socket.once('error', failed);
    socket.once('connect', () => {
      durable.then(() => {
        clearTimeout(timer);
        socket.off('error', failed);
        resolve(socket);
      }, giveUp);
    });
  });
}

function kindsLike(kind: string, weak: readonly string[]): readonly string[] {
  const family = kind === 'ssh-rsa' ? 'rsa-sha2-512' : kind;
  return hostKeyKinds(weak).find((kinds) => kinds.includes(family)) ?? [kind];
}

/** As OpenSSH prints it. */
export function fingerprintOf(keyBlob: Buffer): string {
  return `SHA256:${createHash('sha256').update(keyBlob).digest('base64').replace(/=+$/, '')}`;
}

function where(target: SshTargetSettings): string {
  const { host, port } = target.address;
  return `${target.name} (${host.includes(':') ? `[${host}]` : host}:${port})`;
}

function timedOut(target: SshTargetSettings, options: TargetConnectOptions): SallyportError {
  return new SallyportError('TARGET_TIMEOUT', `${where(target)} did not answer and log us in within ${options.connect} s`, {
    remedy: 'see that it is up and reachable from the gateway',
  });
}

function explain(error: NodeJS.ErrnoException & { level?: string }, target: SshTargetSettings): SallyportError {
  if (error.level === 'client-authentication') {
    return new SallyportError('TARGET_LOGIN_REFUSED', `${where(target)} refused the gateway's log-in as ${target.login}`, {
      cause: error,
      remedy: "see the target's credential in the configuration, and authorized_keys or the password there",
    });
  }
  if (error.level === 'handshake' || error.level === 'protocol') {
    return new SallyportError('TARGET_LOST', `no SSH session with ${where(target)}: ${error.message}`, {
      cause: error,
      remedy: 'see that an SSH server with current algorithms answers there; weak ones are on by name only (ssh.weak-algorithms)',
    });
  }
  return new SallyportError('TARGET_UNREACHABLE', `${where(target)} can't be reached: ${error.code ?? error.message}`, {
    cause: error,
    remedy: 'see that it is up and reachable from the gateway',
  });
}
