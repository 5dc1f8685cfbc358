/** How well what was typed fits a text: the higher the better; undefined when it does not. Letters in order, words' beginnings first. */
export function matchOf(typed: string, text: string): number | undefined {
  const wanted = typed.toLowerCase().replaceAll(/\s+/g, '');
  const lower = text.toLowerCase();
  if (wanted === '') return 0;
  const whole = lower.indexOf(typed.trim().toLowerCase());
  if (whole !== -1) return 1000 - whole - lower.length / 1000 + (whole === 0 || lower[whole - 1] === ' ' ? 200 : 0);
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = lower.indexOf(letter, at + 1);
    if (next === -1) return undefined;
    if (next === at + 1) score += 6;
    if (next === 0 || /[\s\-/.@]/.test(lower[next - 1] ?? '')) score += 9;
    score -= next - at;
    at = next;
  }
  return score - lower.length / 100;
}

/** The best of them, best first; as they come where they fit alike. */
export function best<T>(typed: string, items: readonly T[], text: (item: T) => string, most: number): T[] {
  return items
    .map((item, place) => ({ item, place, score: matchOf(typed, text(item)) }))
    .filter((each): each is typeof each & { score: number } => each.score !== undefined)
    .toSorted((a, b) => b.score - a.score || a.place - b.place)
    .slice(0, most)
    .map(({ item }) => item);
}
