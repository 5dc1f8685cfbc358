import type { BundlePageSession } from '../../../contract/bundle-page.ts';
import { element, replace, setText } from '../../dom/element.ts';
import { counted, grouped } from '../interface/format.ts';
import type { PageState, Screen } from '../interface/page-state.ts';
import { address } from '../interface/route.ts';
import { VirtualRows } from '../interface/virtual-rows.ts';
import { compareSessions, filterFields, type SortKey, sessionFilter } from './session-filter.ts';
import { sessionRow } from './session-row.ts';

/** What the reader last looked for; kept while the page is open, so that coming back from a replay finds the same list. */
const kept: { query: string; sort: SortKey; down: boolean; current: string | undefined } = {
  query: '',
  sort: 'started',
  down: true,
  current: undefined,
};

const columns: [title: string, sort: SortKey | undefined][] = [
  ['Started, UTC', 'started'],
  ['Who', 'who'],
  ['Target', 'target'],
  ['Protocol', 'protocol'],
  ['Length', 'duration'],
  ['What', undefined],
  ['Notable', undefined],
  ['Evidence', undefined],
];

export function sessionsScreen(state: PageState): Screen {
  let found: BundlePageSession[] = [];
  const rows = new VirtualRows({
    label: 'Sessions',
    class: 'sessions-rows',
    rowHeight: 34,
    render: (index) => {
      const session = found[index];
      return session === undefined ? element('div') : sessionRow(state, session);
    },
    activate: (index) => {
      const session = found[index];
      if (session !== undefined) window.location.hash = address.replay(session.id);
    },
    selected: (index) => {
      kept.current = found[index]?.id;
    },
  });
  const field = element('input', {
    type: 'search',
    placeholder: 'Filter: deploy-bot  target:web-1  -state:closed',
    'aria-label': 'Filter sessions',
    title: `Words that all have to be found, or one of ${filterFields.map((name) => `${name}:`).join(' ')} with a minus before it for what must not be found`,
    spellcheck: 'false',
    autocomplete: 'off',
  });
  field.value = kept.query;
  const howMany = element('span', { class: 'muted', role: 'status' });
  const empty = element('div', { class: 'empty' });
  const heads = columns.map(([title, sort]) => columnHead(title, sort, () => list()));
  const table = element(
    'div',
    { class: 'table sessions' },
    element('div', { class: 'head session' }, ...heads.map((head) => head.node)),
    rows.node,
    empty,
  );

  const list = () => {
    kept.query = field.value;
    const fits = sessionFilter(kept.query);
    found = [...state.sessions.values()].filter((session) => fits(session)).sort(compareSessions[kept.sort]);
    if (kept.down) found.reverse();
    for (const head of heads) head.update();
    setText(
      howMany,
      found.length === state.sessions.size
        ? counted(found.length, 'session')
        : `${grouped(found.length)} of ${counted(state.sessions.size, 'session')}`,
    );
    empty.hidden = found.length > 0;
    rows.node.hidden = found.length === 0;
    if (found.length === 0) replace(empty, ...emptyWords(state, field, list));
    const at = found.findIndex(({ id }) => id === kept.current);
    rows.setCount(found.length);
    if (at > 0) rows.select(at, { reveal: true, centre: true });
  };
  field.addEventListener('input', list);
  field.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      rows.node.focus();
    }
  });
  const stop = state.watch(() => rows.refresh());
  return {
    node: element(
      'div',
      { class: 'screen' },
      element('div', { class: 'toolbar' }, element('h1', { class: 'hidden-label' }, 'Sessions'), field, howMany),
      table,
    ),
    title: 'Sessions',
    shown: () => {
      list();
      rows.node.focus({ preventScroll: true });
    },
    key: (event) => {
      if (event.key !== '/' || event.target === field) return false;
      field.focus();
      field.select();
      return true;
    },
    dispose: () => {
      stop();
      rows.dispose();
    },
  };
}

function columnHead(title: string, sort: SortKey | undefined, changed: () => void): { node: HTMLElement; update(): void } {
  if (sort === undefined) return { node: element('span', {}, title), update: () => undefined };
  const arrow = element('span', { class: 'arrow', 'aria-hidden': 'true' });
  const button = element('button', { type: 'button', class: sort === 'duration' ? 'right' : '' }, title, arrow);
  button.addEventListener('click', () => {
    kept.down = kept.sort === sort ? !kept.down : sort === 'started';
    kept.sort = sort;
    changed();
  });
  return {
    node: button,
    update: () => {
      const on = kept.sort === sort;
      setText(arrow, on ? (kept.down ? '↓' : '↑') : '');
      button.setAttribute('aria-label', `${title}${on ? `, sorted ${kept.down ? 'downwards' : 'upwards'}` : ', sort'}`);
    },
  };
}

function emptyWords(state: PageState, field: HTMLInputElement, list: () => void): HTMLElement[] {
  if (state.sessions.size === 0) {
    return [
      element('h2', {}, 'No sessions'),
      element(
        'p',
        {},
        'No session answers the question of this bundle. The overview says what was searched, and the records that belong to no session are under Records.',
      ),
    ];
  }
  const clear = element('button', { type: 'button' }, 'Show all sessions');
  clear.addEventListener('click', () => {
    field.value = '';
    list();
    field.focus();
  });
  return [
    element('h2', {}, 'Nothing fits the filter'),
    element('p', {}, 'Each word has to be found in a session: in its time, people, target, commands or id.'),
    clear,
  ];
}
