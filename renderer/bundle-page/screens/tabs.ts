import { element } from '../../dom/element.ts';

/** Panels of which one is shown, as WAI-ARIA describes tabs: arrow keys move between them. */
export function tabs(label: string, list: readonly { id: string; title: string; panel: HTMLElement }[]): HTMLElement {
  const buttons = list.map(({ id, title }) =>
    element('button', { type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': `panel-${id}` }, title),
  );
  const show = (chosen: number, focus: boolean) => {
    for (const [at, button] of buttons.entries()) {
      button.setAttribute('aria-selected', String(at === chosen));
      button.tabIndex = at === chosen ? 0 : -1;
      const panel = list[at]?.panel;
      if (panel !== undefined) panel.hidden = at !== chosen;
    }
    if (focus) buttons[chosen]?.focus();
  };
  for (const [at, button] of buttons.entries()) {
    button.addEventListener('click', () => show(at, false));
    button.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
      event.preventDefault();
      event.stopPropagation();
      show((at + (event.key === 'ArrowRight' ? 1 : list.length - 1)) % list.length, true);
    });
  }
  for (const { id, panel } of list) {
    panel.id = `panel-${id}`;
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', `tab-${id}`);
  }
  show(0, false);
  return element(
    'div',
    { class: 'tabs' },
    element('div', { class: 'tab-list', role: 'tablist', 'aria-label': label }, ...buttons),
    ...list.map(({ panel }) => panel),
  );
}
