import { type Facts, factsOf, textOr } from '../../../evidence/record-facts.ts';
import { printable } from '../../../bundle-page/interface/printable.ts';

/** How whoever it was has shown that they are. */
export function authenticationWords(actor: Facts): string {
  const { method, key, certificate, provider } = factsOf(actor.authentication);
  const { id, serial, validTo } = factsOf(certificate);
  const { issuer, subject } = factsOf(provider);
  const words = [textOr(method, 'nothing that is recorded')];
  if (typeof id === 'string') words.push(`certificate “${id}” number ${textOr(serial, '?')}, good until ${textOr(validTo, '?')}`);
  if (typeof key === 'string') words.push(`key ${key}`);
  if (typeof issuer === 'string') words.push(`identity provider ${issuer}, as ${textOr(subject, '?')}`);
  return printable(words.join(', '));
}
