/** Where a secret is kept. The configuration holds only this; a file's path is absolute once loaded. */
export type SecretReference = { readonly env: string } | { readonly file: string };

/**
 * How the gateway logs in at a target. A bare reference is a private key when what it names holds one, and a password
 * otherwise; `password` and `key` say which it has to be.
 */
export type CredentialReference = SecretReference | { readonly password: SecretReference } | { readonly key: SecretReference };

/** Names the reference for people; never the value. */
export function describeReference(reference: SecretReference): string {
  return 'env' in reference ? `the environment variable ${reference.env}` : `the file ${reference.file}`;
}
