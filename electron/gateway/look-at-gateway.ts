import type { ShownCertificate } from '../../contract/desktop-bridge.ts';
import { connectToAnybody, unreachable } from './pinned-connection.ts';

/** More names than these help nobody who looks at them. */
const MOST_NAMES = 50;
const LONGEST_NAME = 255;

export type SeenCertificate = Omit<ShownCertificate, 'pinned'>;

/** What a server shows of itself, for a person to compare. Nothing is sent. */
export async function lookAtGateway(origin: string): Promise<SeenCertificate> {
  const socket = await connectToAnybody(origin);
  const certificate = socket.getPeerX509Certificate();
  const vouchedFor = socket.authorized;
  socket.destroy();
  if (certificate === undefined) throw unreachable(origin, 'shows no certificate');
  return {
    origin,
    fingerprint: certificate.fingerprint256,
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: namesIn(certificate.subjectAltName),
    validFrom: certificate.validFromDate.toISOString(),
    validTo: certificate.validToDate.toISOString(),
    selfSigned: certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey),
    vouchedFor,
  };
}

/** Of a stranger: a name may have many parts, and anything in them. */
function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ').replace(/\p{C}/gu, '?').slice(0, LONGEST_NAME);
}

function namesIn(alternatives: string | undefined): string[] {
  const names = (alternatives ?? '').split(', ').filter((name) => name !== '');
  return names.slice(0, MOST_NAMES).map((name) => oneLine(name.replace(/^(DNS|IP Address):/, '')));
}
