/** Shows on the screen where the words stand. By the browser's own highlights: nothing of what is drawn is touched. */
export function highlightFound(screen: HTMLElement, words: string): void {
  if (typeof Highlight === 'undefined') return;
  const wanted = words.replaceAll(/["*]/g, '').trim().toLowerCase();
  if (wanted === '') {
    CSS.highlights.delete('found');
    return;
  }
  const ranges: Range[] = [];
  for (const line of screen.querySelectorAll('.line')) {
    const text = line.textContent.toLowerCase();
    for (let from = text.indexOf(wanted); from !== -1 && ranges.length < MOST; from = text.indexOf(wanted, from + wanted.length)) {
      const [begin, end] = [placeIn(line, from), placeIn(line, from + wanted.length)];
      if (begin === undefined || end === undefined) break;
      const range = new Range();
      range.setStart(...begin);
      range.setEnd(...end);
      ranges.push(range);
    }
  }
  CSS.highlights.set('found', new Highlight(...ranges));
}

const MOST = 500;

/** The text node, and the place in it, of a character of a line. */
function placeIn(line: Node, at: number): [Node, number] | undefined {
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  let before = 0;
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const { length } = node.textContent ?? '';
    if (at <= before + length) return [node, at - before];
    before += length;
  }
  return undefined;
}
