import { type Child, element, replace } from '../../dom/element.ts';
import { toBase64, toHex } from '../../evidence/encodings.ts';
import { sha256 } from '../../evidence/sha256.ts';
import { counted, grouped, instant } from '../interface/format.ts';
import type { PageState, Screen } from '../interface/page-state.ts';
import { printable } from '../interface/printable.ts';
import { address } from '../interface/route.ts';
import { checkpointForm } from './checkpoint-form.ts';
import { completenessWords } from './completeness.ts';
import { verificationPanel } from './verification-panel.ts';

export function overviewScreen(state: PageState): Screen {
  const { bundle } = state;
  const panel = verificationPanel(state);
  const log = element('dl', { class: 'facts' });
  let logDrawn = false;
  const update = () => {
    panel.update();
    if (logDrawn || state.verification.key === undefined) return;
    logDrawn = true;
    replace(log, ...logFacts(state));
  };
  const stop = state.watch(update);
  replace(log, ...logFacts(state));
  update();
  const node = element(
    'div',
    { class: 'overview' },
    element(
      'div',
      { class: 'column' },
      element(
        'header',
        { class: 'question' },
        element('p', { class: 'eyebrow' }, 'Audit bundle'),
        element('h1', {}, printable(bundle.question.words)),
        element(
          'p',
          { class: 'muted' },
          `Written ${instant(bundle.created)} UTC by ${printable(bundle.gateway.name)}, Sallyport ${printable(bundle.gateway.version)}`,
        ),
      ),
      element('section', { class: 'figures', 'aria-label': 'In this bundle' }, ...figures(state)),
      element(
        'section',
        { 'aria-labelledby': 'completeness-heading' },
        element('h2', { id: 'completeness-heading' }, 'How complete this is'),
        ...completenessWords(bundle).map((words) => element('p', {}, words)),
        leftOut(state),
        parameters(state),
      ),
      notes(bundle.notes),
      element('section', { 'aria-labelledby': 'log-heading' }, element('h2', { id: 'log-heading' }, 'The ledger'), log),
      withoutThisPage(),
    ),
    element('div', { class: 'column' }, panel.node, checkpointForm(state)),
  );
  return { node, title: 'Overview', dispose: stop };
}

function figures({ bundle, sessions }: PageState): HTMLElement[] {
  const named = [...sessions.values()].map((session) => session.onBehalfOf ?? session.principal).filter((name) => name !== '');
  const people = new Set(named).size;
  const targets = new Set([...sessions.values()].map((session) => session.target)).size;
  const figure = (count: number, words: string, to: string) =>
    element('a', { class: 'figure', href: to }, element('strong', {}, grouped(count)), element('span', {}, words));
  return [
    figure(sessions.size, sessions.size === 1 ? 'session' : 'sessions', address.sessions),
    figure(people, people === 1 ? 'person' : 'people', address.sessions),
    figure(targets, targets === 1 ? 'target' : 'targets', address.sessions),
    figure(bundle.records.count, bundle.records.count === 1 ? 'record' : 'records', address.records()),
  ];
}

function leftOut({ bundle }: PageState): HTMLElement | undefined {
  const list = bundle.completeness.leftOut;
  if (list.length === 0) return undefined;
  const shown = list.slice(0, 50);
  return element(
    'details',
    { open: list.length <= 5 },
    element('summary', {}, counted(list.length, 'session left out or erased', 'sessions left out or erased')),
    element(
      'ul',
      { class: 'plain' },
      ...shown.map(({ session, reason }) =>
        element('li', {}, element('span', { class: 'mono' }, printable(session)), ` ${printable(reason)}`),
      ),
      list.length > shown.length &&
        element('li', {}, `and ${counted(list.length - shown.length, 'more', 'more')}; data/query.json lists them all`),
    ),
  );
}

function parameters({ bundle }: PageState): HTMLElement | undefined {
  const entries = Object.entries(bundle.question.parameters);
  if (entries.length === 0) return undefined;
  return element(
    'details',
    {},
    element('summary', {}, 'The question’s parameters'),
    element(
      'dl',
      { class: 'facts' },
      ...entries.flatMap(([name, value]) => [
        element('dt', {}, printable(name)),
        element('dd', { class: 'mono' }, printable(typeof value === 'string' ? value : JSON.stringify(value))),
      ]),
    ),
  );
}

function notes(list: readonly string[]): HTMLElement | undefined {
  if (list.length === 0) return undefined;
  return element(
    'section',
    { 'aria-labelledby': 'notes-heading' },
    element('h2', { id: 'notes-heading' }, 'What you have to know'),
    element('ul', {}, ...list.map((note) => element('li', {}, printable(note)))),
  );
}

function logFacts({ bundle, verification }: PageState): Child[] {
  const { checkpoint, key } = verification;
  const fact = (name: string, value: string, title?: string) => [
    element('dt', {}, name),
    element('dd', { class: 'mono wrap', title }, value),
  ];
  return [
    ...fact('Log', printable(bundle.ledger.origin)),
    ...fact('Entries', checkpoint === undefined ? '–' : grouped(checkpoint.size)),
    ...fact('Root', checkpoint === undefined ? '–' : toBase64(checkpoint.root), 'As in the checkpoint, base64 of SHA-256'),
    ...fact('Key', printable(bundle.ledger.verifierKey)),
    ...fact('Fingerprint', key === undefined ? '–' : toHex(sha256(key.publicKey)), 'SHA-256 of the 32 bytes of the public key'),
  ];
}

function withoutThisPage(): HTMLElement {
  return element(
    'section',
    { 'aria-labelledby': 'without-heading' },
    element('h2', { id: 'without-heading' }, 'Without trusting this page'),
    element(
      'p',
      {},
      'This page came with the bundle. The same steps, with nothing but ',
      element('code', {}, 'sha256sum'),
      ' and ',
      element('code', {}, 'openssl'),
      ', are in ',
      element('code', {}, 'data/VERIFY.md'),
      '; one command runs them all:',
    ),
    element('pre', { class: 'command-line' }, 'sh data/verify.sh'),
  );
}
