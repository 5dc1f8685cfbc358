import type { RecordingIndex, TranscriptItem } from '../../../contract/replay/recording-index.ts';
import { element, replace, setText } from '../../dom/element.ts';
import { counted, moment } from '../interface/format.ts';
import { printable } from '../interface/printable.ts';
import { VirtualRows } from '../interface/virtual-rows.ts';

/** What stands before a line, so that its kind is not told by colour alone. */
const signs: Readonly<Record<TranscriptItem['kind'], string>> = {
  text: '',
  entered: '›',
  error: '2›',
  input: '‹',
  note: '·',
  command: '$',
  damage: '!',
};

/** The recording as lines; a click plays from there. */
export class TranscriptPanel {
  readonly node: HTMLElement;
  readonly #items: readonly TranscriptItem[];
  readonly #duration: number;
  readonly #rows: VirtualRows;
  readonly #howMany = element('span', { class: 'muted', role: 'status' });
  readonly #empty = element('p', { class: 'muted pad' });
  readonly #field = element('input', {
    type: 'search',
    placeholder: 'Find in the transcript',
    'aria-label': 'Find in the transcript',
    spellcheck: 'false',
    autocomplete: 'off',
  });
  readonly #brief = element('input', { type: 'checkbox' });
  #found: readonly TranscriptItem[] = [];
  #following = -1;

  constructor(index: RecordingIndex, seek: (at: number) => void) {
    this.#items = index.transcript;
    this.#duration = index.duration;
    this.#rows = new VirtualRows({
      label: 'Transcript',
      class: 'transcript-rows',
      rowHeight: 26,
      render: (at) => this.#row(this.#found[at]),
      activate: (at) => {
        const item = this.#found[at];
        if (item !== undefined) seek(item.at);
      },
    });
    const brief = this.#items.some(({ kind }) => isEvent(kind)) && this.#items.some(({ kind }) => !isEvent(kind));
    this.node = element(
      'div',
      { class: 'transcript' },
      element(
        'div',
        { class: 'panel-tools' },
        this.#field,
        brief &&
          element(
            'label',
            { class: 'check', title: 'Commands, lines that were entered, file operations and what the gateway noted' },
            this.#brief,
            'Events only',
          ),
        this.#howMany,
      ),
      this.#rows.node,
      this.#empty,
    );
    this.#field.addEventListener('input', () => this.#list());
    this.#brief.addEventListener('change', () => this.#list());
  }

  shown(): void {
    this.#list();
  }

  focusFind(): void {
    this.#field.focus();
    this.#field.select();
  }

  /** Marks the last line that was complete at this moment. */
  follow(position: number): void {
    let low = 0;
    let high = this.#found.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#found[middle]?.at ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    if (low - 1 === this.#following) return;
    this.#following = low - 1;
    if (low > 0) this.#rows.select(low - 1, { reveal: true });
  }

  dispose(): void {
    this.#rows.dispose();
  }

  #list(): void {
    const wanted = this.#field.value.toLowerCase();
    const brief = this.#brief.checked;
    this.#found = this.#items.filter(
      ({ kind, text }) => (!brief || isEvent(kind)) && (wanted === '' || text.toLowerCase().includes(wanted)),
    );
    this.#rows.node.hidden = this.#found.length === 0;
    this.#empty.hidden = this.#found.length > 0;
    replace(this.#empty, this.#items.length === 0 ? 'Nothing in this channel can be read as lines.' : 'No line has these words.');
    setText(this.#howMany, wanted === '' ? '' : counted(this.#found.length, 'line'));
    this.#rows.setCount(this.#found.length);
    this.#following = -1;
  }

  #row(item: TranscriptItem | undefined): HTMLElement {
    if (item === undefined) return element('div');
    const text = printable(item.text);
    return element(
      'div',
      { class: `said ${item.kind}` },
      element('span', { class: 'at mono' }, moment(item.at, this.#duration)),
      element('span', { class: 'kind mono', 'aria-label': item.kind }, signs[item.kind]),
      element(
        'span',
        { class: item.kind === 'note' || item.kind === 'damage' ? 'cut' : 'cut mono', title: text.length > 40 ? text : undefined },
        text === '' ? ' ' : text,
      ),
    );
  }
}

function isEvent(kind: TranscriptItem['kind']): boolean {
  return kind !== 'text' && kind !== 'error' && kind !== 'input';
}
