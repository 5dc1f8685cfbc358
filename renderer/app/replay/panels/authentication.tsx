import { printable } from '../../../bundle-page/interface/printable.ts';
import { type Facts, factsOf, textOr } from '../../../evidence/record-facts.ts';
import { shortDateTime, utc } from '../../design/format.ts';
import { Shortened } from '../../design/labels.tsx';

/** How whoever it was has shown that they are. */
export function Authentication({ actor }: { actor: Facts }) {
  const { method, key, certificate, provider } = factsOf(actor.authentication);
  const { id, serial, validTo } = factsOf(certificate);
  const { issuer, subject } = factsOf(provider);
  if (typeof method !== 'string') return <span className="faint">nothing that is recorded</span>;
  return (
    <>
      {methods[method] ?? printable(method)}
      {typeof id === 'string' && (
        <>
          {' '}
          “{printable(id)}” <span className="faint">number {printable(textOr(serial, '?'))}</span>
          {typeof validTo === 'string' && <span title={utc(validTo)}>, good until {shortDateTime(validTo)}</span>}
        </>
      )}
      {typeof issuer === 'string' && (
        <>
          {' '}
          {printable(issuer)} <span className="faint">as {printable(textOr(subject, '?'))}</span>
        </>
      )}
      {typeof key === 'string' && (
        <>
          {' '}
          <Shortened text={printable(key)} mono />
        </>
      )}
    </>
  );
}

const methods: Readonly<Record<string, string>> = {
  publickey: 'an SSH key',
  certificate: 'an SSH certificate',
  'publickey-certificate': 'an SSH certificate',
  oidc: 'an identity provider',
};
