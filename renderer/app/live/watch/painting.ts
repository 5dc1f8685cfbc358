/** When something that was drawn onto is painted. Returns how to not do it after all. */
export type Painting = (paint: () => void) => () => void;

/** With the next frame: a key that was pressed at the other end is seen at once. */
export const atNextFrame: Painting = (paint) => {
  const frame = requestAnimationFrame(paint);
  return () => cancelAnimationFrame(frame);
};

/** Tiles are for a glance, and a dozen of them must not cost what one screen does. */
const TILE_MILLIS = 125;
const waiting = new Set<() => void>();
let isDue = false;

/** A few times a second, all of them together. */
export const inTurn: Painting = (paint) => {
  waiting.add(paint);
  if (!isDue) {
    isDue = true;
    window.setTimeout(() => requestAnimationFrame(paintAll), TILE_MILLIS);
  }
  return () => waiting.delete(paint);
};

function paintAll(): void {
  isDue = false;
  const due = [...waiting];
  waiting.clear();
  for (const paint of due) paint();
}
