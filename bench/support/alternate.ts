/** One measured run of one side. `round` counts from 0 in each side. */
export type Run<T> = (round: number) => Promise<T>;

/**
 * Runs A B A B …, because a noisy machine drifts: what is compared must have been measured in the same minutes. Every
 * second pair is swapped (A B, B A, A B …), so that neither side always has the warmer or the quieter place.
 */
export async function alternate<A, B>(rounds: number, sides: { ours: Run<A>; peer: Run<B> }): Promise<{ ours: A[]; peer: B[] }> {
  const ours: A[] = [];
  const peer: B[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) {
      ours.push(await sides.ours(round));
      peer.push(await sides.peer(round));
    } else {
      peer.push(await sides.peer(round));
      ours.push(await sides.ours(round));
    }
  }
  return { ours, peer };
}
