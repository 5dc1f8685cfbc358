/** Words as a person types them into a find field, in the language of docs/searching.md: found anywhere, also within words. */
export function queryOf(words: string): string | undefined {
  const typed = words.trim().replaceAll(/\s+/g, ' ');
  if (typed === '') return undefined;
  // Whoever writes the language means it.
  if (/["*\\]/.test(typed)) return typed;
  // With a star, three characters in a row have to be there.
  if (/[^\s]{3,}/.test(typed) && !typed.includes(' ')) return `*${typed}*`;
  return typed.includes(' ') ? `"${typed}"` : typed;
}
