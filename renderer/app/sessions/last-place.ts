export interface TablePlace {
  /** The row that keys act on. */
  readonly current: number;
  /** Pixels that are scrolled away. */
  readonly offset: number;
}

const top: TablePlace = { current: 0, offset: 0 };
const places = new Map<string, TablePlace>();

/** Where somebody was in the table of a query, who has looked at a session since and comes back. */
export function lastPlace(query: string): TablePlace {
  return places.get(query) ?? top;
}

/** The last of them are remembered, for as long as the window is open. */
export function rememberPlace(query: string, place: TablePlace): void {
  places.delete(query);
  places.set(query, place);
  const [oldest] = places.keys();
  if (places.size > MOST_PLACES && oldest !== undefined) places.delete(oldest);
}

const MOST_PLACES = 20;
