import type { SecretReference } from '../identity/secret-reference.ts';
import { leaf, section, textLike } from './leaves.ts';
import { readReference, referenceSchema } from './target-schema.ts';
import type { Read } from './units.ts';

export const ledgerSchema = section(
  {
    origin: textLike(
      /^[A-Za-z0-9][A-Za-z0-9._~:/-]{0,254}$/,
      'It is up to 255 letters, digits and . _ ~ : / - and begins with a letter or a digit, for example origin: bastion.example.com/ledger.',
    ).optional(),
    key: referenceSchema.optional(),
    'former-key': leaf(
      'Name where the former key is, for example former-key: { file: keys/ledger-2025.key }, or write lost when nobody has it any more.',
      (value): Read<'lost' | SecretReference> => (value === 'lost' ? { value } : readReference(value)),
    ).optional(),
  },
  'Write a section, for example ledger: { origin: bastion.example.com/ledger, key: { file: keys/ledger.key } }.',
);
