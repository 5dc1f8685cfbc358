import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { DesktopError, messageOf } from '../base/desktop-error.ts';

const CONNECT_MILLIS = 10_000;
const DEFAULT_PORT = 7443;

/** A gateway's address, `https://HOST:PORT`, and the SHA-256 of the one certificate that it may show. */
export interface PinnedGateway {
  readonly origin: string;
  readonly fingerprint: string;
}

/** What a person may write for an address, as an origin. A name alone stands for the usual port. Throws USAGE. */
export function gatewayOrigin(address: string): string {
  const text = address.trim();
  const whole = text.includes('://') ? text : `https://${text}${/:\d+$/.test(text) ? '' : `:${DEFAULT_PORT}`}`;
  const url = URL.parse(whole);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search + url.hash !== '')
    throw new DesktopError('USAGE', `${text} is not the address of a gateway`, {
      remedy: `write it as https://bastion.example.com:${DEFAULT_PORT}`,
    });
  return url.origin;
}

/** Connects and lets anybody answer: for looking at a certificate, and for comparing it before a byte is said. */
export function connectToAnybody(origin: string): Promise<TLSSocket> {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port === '' ? 443 : port),
      // RFC 6066 section 3: an address is no name.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      // Authorities have no say: the pin is compared instead, by `connectPinned`.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      timeout: CONNECT_MILLIS,
    });
    const failed = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(unreachable(origin, why, cause));
    };
    const onTimeout = (): void => failed('does not answer');
    const onError = (error: NodeJS.ErrnoException): void => failed(`cannot be reached (${error.code ?? error.message})`, error);
    socket.once('timeout', onTimeout).once('error', onError);
    socket.once('secureConnect', () => {
      socket.off('timeout', onTimeout).off('error', onError);
      // Until somebody else listens: an error without a listener would end the process.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** Nothing is sent, least of all a token, before the certificate is known. Throws GATEWAY_MISMATCH when it is another one. */
export async function connectPinned({ origin, fingerprint }: PinnedGateway): Promise<TLSSocket> {
  const socket = await connectToAnybody(origin);
  const { fingerprint256 } = socket.getPeerCertificate();
  if (fingerprint256 !== undefined && fingerprint256 === fingerprint) return socket;
  socket.destroy();
  throw new DesktopError(
    'GATEWAY_MISMATCH',
    `${origin} shows another certificate than the one that you trusted: SHA-256 ${fingerprint256 ?? 'of none at all'}`,
    {
      remedy:
        'somebody may stand between, and nothing was sent; if the gateway has a new certificate (it prints its SHA-256 at its start), look at it in Settings and trust that one',
    },
  );
}

export function unreachable(origin: string, what: string, cause?: unknown): DesktopError {
  return new DesktopError('GATEWAY_UNREACHABLE', `The gateway ${origin} ${what}`, {
    remedy: 'see that it runs and that this is its address for HTTPS',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Whatever went wrong on a connection, as an error about this gateway. */
export function connectionFailure(origin: string, thrown: unknown): DesktopError {
  if (thrown instanceof DesktopError) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  return unreachable(origin, `ended the connection before it answered (${code ?? messageOf(thrown)})`, thrown);
}
