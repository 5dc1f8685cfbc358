import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';

export type CedarLibrary = typeof Cedar;

let loading: Promise<CedarLibrary> | undefined;

/** Cedar takes some 15 MiB and 20 ms, so it is loaded when there is a policy file and not before. */
export function loadCedar(): Promise<CedarLibrary> {
  loading ??= import('@cedar-policy/cedar-wasm/nodejs');
  return loading;
}
