import type { BundlePageChannel, BundlePageSession } from '../../../contract/bundle-page.ts';
import { type Child, element, replace } from '../../dom/element.ts';
import type { SegmentVerdict } from '../../evidence/check-segment.ts';
import { factsOf, textOr } from '../../evidence/record-facts.ts';
import { bytes, counted, grouped, instant, shortHash, span } from '../interface/format.ts';
import type { PageState } from '../interface/page-state.ts';
import { printable } from '../interface/printable.ts';
import { address } from '../interface/route.ts';
import { durationOf } from '../screens/session-row.ts';

/** Who, what was decided, and the evidence for it. */
export function detailsPanel(
  state: PageState,
  session: BundlePageSession,
  channel: BundlePageChannel | undefined,
): { node: HTMLElement; dispose(): void } {
  const node = element('div', { class: 'details' });
  const draw = () => replace(node, ...access(state, session), ...segments(state, session, channel), ...ledger(state, session));
  draw();
  const stop = state.watch(draw);
  return { node, dispose: stop };
}

function access(state: PageState, session: BundlePageSession): Child[] {
  const open = state.verification.sessions.get(session.id)?.open;
  const authentication = factsOf(open?.actor.authentication);
  const decision = factsOf(open?.body.decision);
  const policies = Array.isArray(decision.policies) ? decision.policies.filter((policy) => typeof policy === 'string') : [];
  const how = [textOr(authentication.method, ''), textOr(authentication.key, '')].filter((part) => part !== '').join(' ');
  return [
    element('h2', {}, 'Access'),
    element(
      'dl',
      { class: 'facts' },
      ...fact('Principal', printable(session.principal), session.principalKind),
      ...fact('On behalf of', session.onBehalfOf === null ? '–' : printable(session.onBehalfOf)),
      ...fact('Signed in with', how === '' ? '–' : printable(how), undefined, true),
      ...fact('From', printable(session.source), undefined, true),
      ...fact('Client', printable(textOr(open?.body.client, '–')), undefined, true),
      ...fact('Target', printable(session.target), printable(textOr(open?.target.address, ''))),
      ...fact(
        'Verdict',
        open === undefined ? '–' : printable(textOr(decision.verdict, '–')),
        policies.length === 0 ? undefined : `by ${printable(policies.join(', '))}`,
      ),
      ...fact('Policy in force', printable(shortHash(textOr(decision.policySet, '–'))), undefined, true, textOr(decision.policySet, '')),
      ...fact('Began', `${instant(session.started)} UTC`, undefined, true),
      ...fact('Ended', session.ended === null ? 'not recorded' : `${instant(session.ended)} UTC`, durationOf(session), true),
      ...fact('Why it ended', printable(session.reason ?? '–')),
      ...fact('Bytes', `${bytes(session.bytesIn)} in, ${bytes(session.bytesOut)} out`),
    ),
  ];
}

function segments(state: PageState, session: BundlePageSession, channel: BundlePageChannel | undefined): Child[] {
  if (channel === undefined) return [];
  const rows = channel.segments.map((segment) => {
    const verdict = state.verification.verdict(session.id, channel.channel, segment.segment);
    const seal = state.verification.seal(session.id, channel.channel, segment.segment);
    const digest = seal?.text?.sha256 ?? segment.text?.sha256;
    const { sign, word, kind } = verdictWords(verdict);
    return element(
      'tr',
      {},
      element('td', { class: 'mono' }, segment.segment),
      element('td', { class: 'mono' }, `${span(segment.from / 1e9)}–${span(segment.to / 1e9)}`),
      element('td', { class: 'mono', title: digest }, digest === undefined ? '–' : shortHash(printable(digest))),
      element(
        'td',
        { class: `evidence ${kind}`, title: verdict !== undefined && 'words' in verdict ? printable(verdict.words) : undefined },
        `${sign} ${word}`,
      ),
    );
  });
  return [
    element('h2', {}, `Recording of channel ${channel.channel}`),
    rows.length === 0
      ? element('p', { class: 'muted' }, 'Nothing was recorded in this channel.')
      : element(
          'table',
          { class: 'small' },
          element(
            'thead',
            {},
            element(
              'tr',
              {},
              ...['Part', 'Time', 'SHA-256 of the text', 'Against its seal'].map((title) => element('th', { scope: 'col' }, title)),
            ),
          ),
          element('tbody', {}, ...rows),
        ),
  ];
}

export function verdictWords(verdict: SegmentVerdict | undefined): { sign: string; word: string; kind: string } {
  switch (verdict?.state) {
    case 'intact':
      return { sign: '✓', word: 'intact', kind: 'passed' };
    case 'unchecked':
      return { sign: '!', word: 'by verify.sh', kind: 'limited' };
    case 'altered':
      return { sign: '✗', word: 'altered', kind: 'failed' };
    case 'missing':
      return { sign: '✗', word: 'missing', kind: 'failed' };
    case 'unsealed':
      return { sign: '✗', word: 'not sealed', kind: 'failed' };
    default:
      return { sign: '○', word: 'not yet', kind: 'waiting' };
  }
}

function ledger(state: PageState, session: BundlePageSession): Child[] {
  const records = state.verification.sessions.get(session.id)?.records ?? [];
  const first = records[0]?.index;
  const last = records.at(-1)?.index;
  return [
    element('h2', {}, 'Ledger'),
    element(
      'dl',
      { class: 'facts' },
      ...fact('Session', session.id, undefined, true),
      ...fact('Entries', first === undefined || last === undefined ? '–' : `${grouped(first)} to ${grouped(last)}`, undefined, true),
      ...fact(
        'Checkpoint',
        state.verification.checkpoint === undefined ? '–' : `${grouped(state.verification.checkpoint.size)} entries`,
        undefined,
        true,
      ),
    ),
    records.length > 0 &&
      element(
        'p',
        {},
        element('a', { href: address.sessionRecords(session.id) }, `All ${counted(records.length, 'record')} of this session`),
      ),
  ];
}

function fact(name: string, value: string, beside?: string, mono = false, title?: string): Child[] {
  return [
    element('dt', {}, name),
    element(
      'dd',
      { class: mono ? 'mono wrap' : 'wrap', title },
      value,
      beside !== undefined && beside !== '' && element('span', { class: 'muted' }, ` ${beside}`),
    ),
  ];
}
