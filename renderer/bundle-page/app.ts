import type { BundlePage } from '../../contract/bundle-page.ts';
import { element, replace, setText } from '../dom/element.ts';
import type { BundleData } from '../evidence/bundle-data.ts';
import { Verification } from '../evidence/verification.ts';
import { day } from './interface/format.ts';
import type { PageState, Screen } from './interface/page-state.ts';
import { printable } from './interface/printable.ts';
import { address, parseRoute, type Route } from './interface/route.ts';
import { overall, signs } from './interface/status.ts';
import { themeSwitch } from './interface/theme.ts';
import { overviewScreen } from './screens/overview.ts';
import { recordsScreen } from './screens/records.ts';
import { replayScreen } from './screens/replay.ts';
import { reportScreen } from './screens/report.ts';
import { sessionsScreen } from './screens/sessions.ts';

/** The frame around the screens: where one is, what the verification says, and the keys. */
export function startApp(bundle: BundlePage, data: BundleData): void {
  const watchers = new Set<() => void>();
  let scheduled = false;
  const changed = () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      for (const watcher of watchers) watcher();
    });
  };
  const verification = new Verification(bundle, data, changed);
  const state: PageState = {
    bundle,
    data,
    verification,
    sessions: new Map(bundle.sessions.map((session) => [session.id, session])),
    watch: (listener) => {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
  };

  const links = [
    { to: address.overview, title: 'Overview', screens: ['overview'] },
    { to: address.sessions, title: 'Sessions', screens: ['sessions', 'replay', 'session-records'] },
    { to: address.records(), title: 'Records', screens: ['records'] },
    { to: address.report, title: 'Report', screens: ['report'] },
  ].map((link) => ({ ...link, node: element('a', { href: link.to }, link.title) }));
  const main = element('main', { id: 'main', tabindex: -1 });
  const pill = element('a', { class: 'pill', href: address.overview });
  const drawPill = () => {
    const { state: word, words } = overall(verification);
    pill.className = `pill ${word}`;
    setText(pill, `${signs[word].sign} ${words}`);
  };
  watchers.add(drawPill);
  drawPill();

  document.body.replaceChildren(
    element(
      'a',
      {
        class: 'skip',
        href: '#main',
        on: {
          click: (event) => {
            event.preventDefault();
            main.focus();
          },
        },
      },
      'To the content',
    ),
    element(
      'header',
      { class: 'top' },
      element('span', { class: 'brand' }, brandSign(), 'Sallyport'),
      element('nav', { class: 'main-nav', 'aria-label': 'Screens' }, ...links.map(({ node }) => node)),
      element('span', { class: 'grow' }),
      element('span', { class: 'muted about' }, `${printable(bundle.gateway.name)} · ${day(bundle.created)}`),
      pill,
      themeSwitch(),
    ),
    main,
  );

  let screen: Screen | undefined;
  const go = () => {
    const route = parseRoute(window.location.hash);
    if (route !== undefined && screen?.follow?.(route) === true) return;
    screen?.dispose?.();
    const next = screenFor(state, route);
    screen = next;
    for (const { node, screens } of links) {
      if (route !== undefined && screens.includes(route.screen)) node.setAttribute('aria-current', 'page');
      else node.removeAttribute('aria-current');
    }
    document.title = `${printable(next.title)} · Sallyport`;
    replace(main, next.node);
    main.scrollTop = 0;
    next.shown?.();
  };
  window.addEventListener('hashchange', go);
  document.addEventListener('keydown', (event) => {
    if (takesKeys(event.target, event.key)) return;
    if (screen?.key?.(event) === true) event.preventDefault();
  });
  go();
  void verification.run();
}

function screenFor(state: PageState, route: Route | undefined): Screen {
  switch (route?.screen) {
    case 'overview':
      return overviewScreen(state);
    case 'sessions':
      return sessionsScreen(state);
    case 'records':
      return recordsScreen(state, undefined, route.index);
    case 'report':
      return reportScreen(state);
    case 'replay':
    case 'session-records': {
      const session = state.sessions.get(route.session);
      if (session === undefined) return nowhere('This session is not in the bundle', route.session);
      return route.screen === 'replay' ? replayScreen(state, session, route) : recordsScreen(state, session, route.index);
    }
    default:
      return nowhere('There is nothing at this address', window.location.hash);
  }
}

function nowhere(title: string, what: string): Screen {
  const node = element(
    'div',
    { class: 'empty' },
    element('h1', {}, title),
    element('p', { class: 'mono' }, printable(what.slice(0, 200))),
    element('p', {}, element('a', { href: address.sessions }, 'All sessions')),
  );
  return { node, title };
}

/** Whether what has the focus needs the key for itself. */
function takesKeys(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  if (target instanceof HTMLInputElement) return target.type !== 'checkbox' || key === ' ';
  return (
    (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement || target.tagName === 'SUMMARY') &&
    (key === ' ' || key === 'Enter')
  );
}

/** A gate with a door in it. */
function brandSign(): HTMLElement {
  return element('i', { class: 'brand-sign', 'aria-hidden': 'true' });
}
