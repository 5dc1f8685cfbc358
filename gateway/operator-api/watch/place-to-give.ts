interface Held {
  readonly viewer: { readonly actor: { readonly principal: string } };
}

/**
 * Whose place somebody gets who comes when all are taken: the oldest of whoever has most of them, if that is more than the
 * newcomer has already. So nobody blinds the others, and no two take the last place from each other for ever.
 */
export function placeToGive<Place extends Held>(taken: readonly Place[], newcomer: string): Place | undefined {
  const byOperator = Map.groupBy(taken, ({ viewer }) => viewer.actor.principal);
  const most = [...byOperator.values()].reduce((before, own) => (own.length > before.length ? own : before), []);
  return most.length > (byOperator.get(newcomer)?.length ?? 0) + 1 ? most[0] : undefined;
}
