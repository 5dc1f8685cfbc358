import type { Step } from '../../renderer/evidence/step.ts';
import { type ByteSource, NotABundle } from '../../renderer/evidence/zip/zip-directory.ts';
import { ZipVerification } from '../../renderer/evidence/zip/zip-verification.ts';

export function sourceOf(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: async (at, length) => Uint8Array.from(bytes.subarray(at, at + length)) };
}

/** Opened and verified to the end. */
export async function verified(bytes: Uint8Array): Promise<ZipVerification> {
  const opened = await ZipVerification.open(sourceOf(bytes), () => undefined);
  await opened.run();
  return opened;
}

/** What is wrong with a file in words, by step; that it is no bundle at all is one of them. */
export async function faultsOf(bytes: Uint8Array): Promise<string[]> {
  try {
    return faultsIn((await verified(bytes)).steps);
  } catch (thrown) {
    if (thrown instanceof NotABundle) return [`no bundle: ${thrown.message}`];
    throw thrown;
  }
}

export function faultsIn(steps: readonly Step[]): string[] {
  return steps.flatMap(({ id, findings }) => findings.map(({ words }) => `${id}: ${words}`));
}
