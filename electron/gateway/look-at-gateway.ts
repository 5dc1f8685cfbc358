import type { PeerCertificate } from 'node:tls';
import type { ShownCertificate } from '../../contract/desktop-bridge.ts';
import { connectToAnybody, unreachable } from './pinned-connection.ts';

/** More names than these help nobody who looks at them. */
const MOST_NAMES = 50;
const LONGEST_NAME = 255;

export type SeenCertificate = Omit<ShownCertificate, 'pinned'>;

/** What a server shows of itself, for a person to compare. Nothing is sent. */
export async function lookAtGateway(origin: string): Promise<SeenCertificate> {
  const socket = await connectToAnybody(origin);
  const certificate = socket.getPeerCertificate(true);
  const vouchedFor = socket.authorized;
  socket.destroy();
  const { fingerprint256, subject, issuer, subjectaltname, valid_from, valid_to } = certificate;
  if (fingerprint256 === undefined) throw unreachable(origin, 'shows no certificate');
  return {
    origin,
    fingerprint: fingerprint256,
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    names: namesIn(subjectaltname),
    validFrom: new Date(valid_from).toISOString(),
    validTo: new Date(valid_to).toISOString(),
    selfSigned: certificate.issuerCertificate.fingerprint256 === fingerprint256,
    vouchedFor,
  };
}

function nameOf({ CN, O: organisation }: PeerCertificate['subject']): string {
  // A certificate of a stranger: members may come several times, and are lists then.
  return [CN, organisation].flat().filter(Boolean).join(', ').slice(0, LONGEST_NAME);
}

function namesIn(alternatives: string | undefined): string[] {
  const names = (alternatives ?? '').split(', ').filter((name) => name !== '');
  return names.slice(0, MOST_NAMES).map((name) => name.replace(/^(DNS|IP Address):/, '').slice(0, LONGEST_NAME));
}
