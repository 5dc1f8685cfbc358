import { element } from '../../dom/element.ts';

/** Follows the system until the reader chooses. */
type Choice = 'light' | 'dark';

const KEPT = 'sallyport-theme';

export function applyKeptTheme(): void {
  const kept = recall();
  if (kept !== undefined) document.documentElement.dataset.theme = kept;
}

export function themeSwitch(): HTMLElement {
  const button = element('button', { type: 'button', class: 'quiet theme' });
  const describe = () => {
    const dark = current() === 'dark';
    button.textContent = dark ? 'Light' : 'Dark';
    button.setAttribute('aria-label', dark ? 'Change to light colours' : 'Change to dark colours');
  };
  button.addEventListener('click', () => {
    const next: Choice = current() === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    remember(next);
    describe();
  });
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', describe);
  describe();
  return button;
}

function current(): Choice {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

function recall(): Choice | undefined {
  try {
    const kept = window.localStorage.getItem(KEPT);
    return kept === 'light' || kept === 'dark' ? kept : undefined;
  } catch {
    return undefined; // Some browsers give pages from the file system no storage; then the choice lasts as long as the page.
  }
}

function remember(choice: Choice): void {
  try {
    window.localStorage.setItem(KEPT, choice);
  } catch {
    // As above.
  }
}
