import type { BundlePageSession } from '../../../contract/bundle-page.ts';
import { element, replace } from '../../dom/element.ts';
import { instant } from '../interface/format.ts';
import type { PageState } from '../interface/page-state.ts';
import { printable } from '../interface/printable.ts';
import { address } from '../interface/route.ts';
import { durationOf, evidenceCell, flagsOf, protocolBadge, who } from './session-row.ts';

function whoInWords({ principal, onBehalfOf, target }: BundlePageSession): string {
  if (principal === '') return `Erased session at ${target}`;
  return `${principal}${onBehalfOf === null ? '' : ` for ${onBehalfOf}`} at ${target}`;
}

/** The line over a session's screens: which one it is, and its two views. */
export function sessionHead(state: PageState, session: BundlePageSession, view: 'replay' | 'records'): HTMLElement {
  const evidence = element('span', { class: 'session-evidence' });
  const stop = state.watch(() => {
    if (evidence.isConnected) replace(evidence, evidenceCell(state, session));
    else stop();
  });
  replace(evidence, evidenceCell(state, session));
  const link = (to: string, name: string, on: boolean) => element('a', { href: to, 'aria-current': on ? 'page' : undefined }, name);
  return element(
    'div',
    { class: 'toolbar session-head' },
    element('a', { class: 'muted', href: address.sessions }, 'Sessions'),
    element('span', { class: 'faint', 'aria-hidden': 'true' }, '›'),
    element(
      'h1',
      { title: printable(whoInWords(session)) },
      ...who(session),
      element('span', { class: 'faint' }, ' at '),
      printable(session.target),
    ),
    protocolBadge(session.protocol),
    element('span', { class: 'mono muted nowrap' }, `${instant(session.started)} · ${durationOf(session)}`),
    ...flagsOf(session).map(({ word, kind, title }) => element('span', { class: `flag ${kind}`, title }, word)),
    element('span', { class: 'grow' }),
    evidence,
    element(
      'nav',
      { class: 'views', 'aria-label': 'Views of this session' },
      link(address.replay(session.id), 'Replay', view === 'replay'),
      link(address.sessionRecords(session.id), 'Records', view === 'records'),
    ),
  );
}
