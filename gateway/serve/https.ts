import { X509Certificate } from 'node:crypto';
import { asSallyportError, SallyportError } from '../base/errors.ts';
import { readServerCertificate } from '../config/server-certificate.ts';
import type { Config, ListenAddress } from '../config/types.ts';
import type { HttpsListener } from '../operator-api/https-listener.ts';
import type { OperatorApiParts } from '../operator-api/operator-app.ts';
import type { ServerCertificate } from '../operator-api/own-certificate.ts';

const LOOK_AFTER_CERTIFICATE_MILLIS = 12 * 3600 * 1000;
const WARN_BEFORE_MILLIS = 14 * 86_400_000;

export interface HttpsServing {
  readonly listener: HttpsListener;
  /**
   * Shows the certificate that there is now: a renewed one, or one that the gateway has to make anew by now. Never
   * rejects; when there is none that could be shown, that is logged, and the one before stays.
   */
  renew(): Promise<void>;
}

/**
 * The HTTPS listener. What it needs is loaded here and not before, so that a gateway without one neither waits for it
 * nor has it in memory.
 */
export async function listenForHttps(
  listen: ListenAddress,
  current: () => Config,
  dataDirectory: string,
  parts: OperatorApiParts,
): Promise<HttpsServing> {
  const [{ listenHttps }, { loadOrMakeCertificate, namesOf }, { readConsoleFiles }] = await Promise.all([
    import('../operator-api/https-listener.ts'),
    import('../operator-api/own-certificate.ts'),
    import('../operator-api/console/console-files.ts'),
  ]);
  const certificate = async (): Promise<ServerCertificate> => {
    const configured = current().gateway.certificate;
    if (configured === undefined) return loadOrMakeCertificate(dataDirectory, namesOf(listen.host), new Date());
    const read = readServerCertificate(configured);
    if ('certificate' in read) return read.certificate;
    const [fault] = read.faults;
    throw new SallyportError('CONFIG_INVALID', `the certificate for HTTPS cannot be used: ${fault?.problem}`, {
      remedy: fault?.mend ?? '',
    });
  };
  const shown = await certificate();
  warnOfItsEnd(shown, parts);
  const listener = await listenHttps(listen, shown, { ...parts, consoleFiles: await readConsoleFiles(parts.log) });
  const renew = async (): Promise<void> => {
    try {
      const next = await certificate();
      warnOfItsEnd(next, parts);
      const before = listener.fingerprint;
      listener.show(next);
      if (listener.fingerprint !== before) parts.log.info({ fingerprint: listener.fingerprint }, 'another certificate is shown over HTTPS');
    } catch (thrown) {
      const { code, message } = asSallyportError(thrown);
      parts.log.error({ code }, `the certificate for HTTPS could not be renewed, the one before stays: ${message}`);
    }
  };
  const timer = setInterval(() => void renew(), LOOK_AFTER_CERTIFICATE_MILLIS);
  timer.unref();
  return {
    listener: {
      ...listener,
      get fingerprint() {
        return listener.fingerprint;
      },
      close: () => {
        clearInterval(timer);
        return listener.close();
      },
    },
    renew,
  };
}

/** An expired certificate does not keep the gateway from starting: its clients will say so, and SSH has nothing to do with it. */
function warnOfItsEnd({ chain }: ServerCertificate, { log }: Pick<OperatorApiParts, 'log'>): void {
  const { validToDate } = new X509Certificate(chain);
  const left = validToDate.getTime() - Date.now();
  if (left < WARN_BEFORE_MILLIS)
    log.warn({ expires: validToDate.toISOString() }, `the certificate for HTTPS ${left < 0 ? 'has expired' : 'is about to expire'}`);
}
