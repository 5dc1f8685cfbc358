import type { BundlePageSession } from '../../../contract/bundle-page.ts';
import { type Child, element } from '../../dom/element.ts';
import { counted, instant, protocolName, secondsBetween, span } from '../interface/format.ts';
import type { PageState } from '../interface/page-state.ts';
import { printable } from '../interface/printable.ts';

/** `deploy-bot for engineer@example.com` */
export function who(session: BundlePageSession): Child[] {
  // What records said of people goes with an erasure.
  if (session.principal === '') return [element('span', { class: 'faint' }, 'erased')];
  const principal = element('strong', {}, printable(session.principal));
  return session.onBehalfOf === null
    ? [principal]
    : [principal, element('span', { class: 'faint' }, ' for '), element('span', { class: 'muted' }, printable(session.onBehalfOf))];
}

export function protocolBadge(protocol: string): HTMLElement {
  const kind = ['ssh', 'postgres', 'mysql', 'mcp'].includes(protocol) ? protocol : 'other';
  return element('span', { class: `badge ${kind}` }, printable(protocolName(protocol)));
}

export function durationOf(session: BundlePageSession): string {
  const seconds = secondsBetween(session.started, session.ended);
  return seconds === undefined ? '–' : seconds < 1 ? '< 1 s' : span(seconds);
}

/** What the session was about, from its channels. */
export function whatOf({ recordings, state }: BundlePageSession): string {
  if (state === 'erased') return '';
  const command = recordings.find((channel) => channel.command !== null)?.command;
  if (recordings.length === 0) return 'no channel';
  if (recordings.length === 1) return command === null || command === undefined ? (recordings[0]?.kind ?? '') : command;
  return `${counted(recordings.length, 'channel')}: ${command ?? [...new Set(recordings.map(({ kind }) => kind))].join(', ')}`;
}

/** What is out of the ordinary about a session. */
export function flagsOf(session: BundlePageSession): { word: string; kind: 'notice' | 'damage'; title: string }[] {
  const flags: { word: string; kind: 'notice' | 'damage'; title: string }[] = [];
  if (session.state === 'recovered')
    flags.push({
      word: 'recovered',
      kind: 'notice',
      title: 'The gateway ended before the session did; what it had recorded was recovered at its next start',
    });
  if (session.state === 'live') flags.push({ word: 'live at export', kind: 'notice', title: 'It still ran when the bundle was written' });
  if (session.state === 'erased')
    flags.push({ word: 'erased', kind: 'notice', title: 'Its content was erased; the ledger still has the hashes of its records' });
  if (session.recordings.some(({ segments }) => segments.some(({ damage }) => damage !== null)))
    flags.push({ word: 'damaged', kind: 'damage', title: 'Part of its recording could not be read when the bundle was written' });
  return flags;
}

export function evidenceCell(state: PageState, session: BundlePageSession): HTMLElement {
  const faults = state.verification.faultsOf(session.id);
  if (faults === undefined) return element('span', { class: 'evidence waiting' }, '○ not yet');
  if (faults > 0) return element('span', { class: 'evidence failed' }, `✗ ${counted(faults, 'fault')}`);
  if (!state.verification.finished) return element('span', { class: 'evidence waiting' }, '◌ running');
  const { signature, tree, segments } = state.verification.steps;
  if (signature.state !== 'passed' || tree.state !== 'passed') return element('span', { class: 'evidence limited' }, '! ledger not proved');
  if (segments.state === 'limited') return element('span', { class: 'evidence limited' }, '! partly');
  return element('span', { class: 'evidence passed' }, '✓ verified');
}

export function sessionRow(state: PageState, session: BundlePageSession): HTMLElement {
  const label = `${instant(session.started)}, ${session.principal}${session.onBehalfOf === null ? '' : ` for ${session.onBehalfOf}`} at ${session.target}, ${protocolName(session.protocol)}, ${durationOf(session)}`;
  return element(
    'div',
    { class: 'session', 'aria-label': printable(label) },
    element('span', { class: 'mono muted' }, instant(session.started)),
    element('span', { class: 'cut' }, ...who(session)),
    element('span', { class: 'cut' }, printable(session.target)),
    element('span', {}, protocolBadge(session.protocol)),
    element('span', { class: 'mono right' }, durationOf(session)),
    element('span', { class: 'cut mono muted', title: printable(whatOf(session)) }, printable(whatOf(session))),
    element(
      'span',
      { class: 'cut' },
      ...flagsOf(session).map(({ word, kind, title }) => element('span', { class: `flag ${kind}`, title }, word)),
    ),
    evidenceCell(state, session),
  );
}
