import { element, replace } from '../../dom/element.ts';
import { toHex } from '../../evidence/encodings.ts';
import { sha256 } from '../../evidence/sha256.ts';
import { counted, instant, milliseconds, protocolName } from '../interface/format.ts';
import type { PageState, Screen } from '../interface/page-state.ts';
import { printable } from '../interface/printable.ts';
import { overall, signs } from '../interface/status.ts';
import { completenessWords } from './completeness.ts';
import { durationOf, evidenceCell, flagsOf, whatOf, who } from './session-row.ts';
import { findingsList } from './verification-panel.ts';

/** Everything an auditor files, on paper: the question, how complete the answer is, what was verified, the sessions. */
export function reportScreen(state: PageState): Screen {
  const { bundle } = state;
  const verified = element('section', {});
  const log = element('section', {});
  const list = element('section', {});
  let drawnFinished = false;
  const draw = () => {
    replace(verified, ...verificationPart(state));
    replace(log, ...ledgerPart(state));
    // The table can have thousands of rows: it is made once, and again when the evidence column is known.
    if (list.childElementCount > 0 && (drawnFinished || !state.verification.finished)) return;
    drawnFinished = state.verification.finished;
    replace(list, ...sessionsPart(state));
  };
  draw();
  const stop = state.watch(draw);
  const node = element(
    'div',
    { class: 'report-screen' },
    element(
      'div',
      { class: 'toolbar no-print' },
      element('h1', {}, 'Report'),
      element('span', { class: 'muted' }, 'As it prints. Wait for the verification to finish before you print it.'),
      element('span', { class: 'grow' }),
      element('button', { type: 'button', class: 'primary', on: { click: () => window.print() } }, 'Print'),
    ),
    element(
      'article',
      { class: 'report', tabindex: 0, 'aria-label': 'Report' },
      element(
        'header',
        {},
        element('p', { class: 'eyebrow' }, 'Sallyport audit bundle'),
        element('h1', {}, printable(bundle.question.words)),
        element(
          'p',
          { class: 'muted' },
          `Written ${instant(bundle.created)} UTC by ${printable(bundle.gateway.name)}, Sallyport ${printable(bundle.gateway.version)}`,
        ),
      ),
      element('section', {}, element('h2', {}, 'Completeness'), ...completenessWords(bundle).map((words) => element('p', {}, words))),
      bundle.notes.length > 0 &&
        element(
          'section',
          {},
          element('h2', {}, 'Notes'),
          element('ul', {}, ...bundle.notes.map((note) => element('li', {}, printable(note)))),
        ),
      verified,
      log,
      list,
      leftOutPart(state),
      element(
        'footer',
        {},
        element(
          'p',
          {},
          'This report was made by the page in the bundle, in the reader’s browser. The same can be checked without it: sh data/verify.sh.',
        ),
      ),
    ),
  );
  return { node, title: 'Report', dispose: stop };
}

function verificationPart(state: PageState): HTMLElement[] {
  const { state: word } = overall(state.verification);
  const sentence = {
    waiting: 'The verification has not begun.',
    running: 'The verification is still running.',
    passed: 'Every step passed.',
    failed: 'Faults were found. They are listed under their steps.',
    limited: 'No fault was found; some steps could not be done in this browser.',
  }[word];
  return [
    element('h2', {}, 'Verification'),
    element('p', {}, `${sentence} Computed in this browser on ${instant(new Date().toISOString())} UTC.`),
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element('tr', {}, ...['', 'Step', 'Result', 'What it proves', 'Time'].map((title) => element('th', { scope: 'col' }, title))),
      ),
      element(
        'tbody',
        {},
        ...state.verification.list.map((step) =>
          element(
            'tr',
            {},
            element('td', { class: `evidence ${step.state}` }, signs[step.state].sign),
            element('td', {}, step.title),
            element('td', {}, step.result, step.findings.length > 0 && findingsList(step, true)),
            element('td', { class: 'muted' }, step.proves),
            element('td', { class: 'mono nowrap' }, step.state === 'waiting' || step.state === 'running' ? '' : milliseconds(step.tookMs)),
          ),
        ),
      ),
    ),
    element(
      'p',
      {},
      'Completeness rests on a checkpoint obtained another way: compare one on the overview, and compare the key’s fingerprint with one that you know.',
    ),
  ];
}

function ledgerPart({ bundle, verification }: PageState): HTMLElement[] {
  return [
    element('h2', {}, 'Checkpoint and key'),
    element('pre', { class: 'exact' }, printableLines(bundle.ledger.checkpoint)),
    element('pre', { class: 'exact' }, printable(bundle.ledger.verifierKey)),
    element(
      'p',
      {},
      'Fingerprint of the key, SHA-256: ',
      element('span', { class: 'mono wrap' }, verification.key === undefined ? 'not known' : toHex(sha256(verification.key.publicKey))),
    ),
  ];
}

function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n').trimEnd();
}

function sessionsPart(state: PageState): HTMLElement[] {
  const sessions = [...state.sessions.values()].sort((a, b) => (a.started < b.started ? -1 : 1));
  return [
    element('h2', {}, counted(sessions.length, 'session')),
    element(
      'table',
      { class: 'sessions-table' },
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          ...['Started, UTC', 'Who', 'Target', 'Protocol', 'Length', 'What', 'Notable', 'Evidence'].map((title) =>
            element('th', { scope: 'col' }, title),
          ),
        ),
      ),
      element(
        'tbody',
        {},
        ...sessions.map((session) =>
          element(
            'tr',
            {},
            element('td', { class: 'mono' }, instant(session.started)),
            element('td', {}, ...who(session)),
            element('td', {}, printable(session.target)),
            element('td', {}, printable(protocolName(session.protocol))),
            element('td', { class: 'mono nowrap' }, durationOf(session)),
            element('td', { class: 'mono' }, printable(whatOf(session)).slice(0, 300)),
            element(
              'td',
              {},
              flagsOf(session)
                .map(({ word }) => word)
                .join(', '),
            ),
            element('td', {}, evidenceCell(state, session)),
          ),
        ),
      ),
    ),
  ];
}

function leftOutPart({ bundle }: PageState): HTMLElement | undefined {
  const list = bundle.completeness.leftOut;
  if (list.length === 0) return undefined;
  return element(
    'section',
    {},
    element('h2', {}, 'Left out or erased'),
    element(
      'table',
      {},
      element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'Session'), element('th', { scope: 'col' }, 'Reason'))),
      element(
        'tbody',
        {},
        ...list.map(({ session, reason }) =>
          element('tr', {}, element('td', { class: 'mono' }, printable(session)), element('td', {}, printable(reason))),
        ),
      ),
    ),
  );
}
