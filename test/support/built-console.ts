import { buildConsole } from '../../.ci/build-renderer.mjs';

/** Before any test: what gateways serve and browsers show is the source as it is. */
export async function setup(): Promise<void> {
  await buildConsole();
}
