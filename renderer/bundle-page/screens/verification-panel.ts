import { append, element, replace, setText } from '../../dom/element.ts';
import type { Finding, Step } from '../../evidence/step.ts';
import { counted, milliseconds } from '../interface/format.ts';
import type { PageState } from '../interface/page-state.ts';
import { printable } from '../interface/printable.ts';
import { address } from '../interface/route.ts';
import { overall, signs } from '../interface/status.ts';

/** The steps of the verification as they run, each with what it proves. */
export function verificationPanel(state: PageState): { node: HTMLElement; update(): void } {
  const rows = state.verification.list.map((step) => stepRow(step));
  const summary = element('p', { class: 'summary', role: 'status', 'aria-live': 'polite' });
  const node = element(
    'section',
    { class: 'verification', 'aria-labelledby': 'verification-heading' },
    element('h2', { id: 'verification-heading' }, 'Verification'),
    summary,
    element('ol', { class: 'steps' }, ...rows.map((row) => row.node)),
  );
  return {
    node,
    update: () => {
      setText(summary, summaryOf(state));
      for (const row of rows) row.update();
    },
  };
}

function summaryOf(state: PageState): string {
  const { state: word } = overall(state.verification);
  if (word === 'failed')
    return 'Something in this bundle is not as it was written. Each fault is named below; what is not named is intact.';
  if (word === 'limited') return 'Nothing wrong was found. What this browser could not check is named below.';
  if (word === 'passed')
    return 'Everything in this bundle is as the gateway’s ledger committed to it. Computed just now, in this browser, from the files beside this page.';
  return 'Your browser is computing this from the files beside this page. You can look around meanwhile.';
}

function stepRow(step: Step): { node: HTMLElement; update(): void } {
  const sign = element('span', { class: 'sign', 'aria-hidden': 'true' });
  const result = element('span', { class: 'result' });
  const took = element('span', { class: 'took mono' });
  const bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
  const findings = element('div', { class: 'findings' });
  const more = element(
    'details',
    { class: 'meaning' },
    element('summary', {}, 'What this proves, and what not'),
    element('p', {}, step.proves),
    element('p', { class: 'not' }, step.limits),
  );
  const node = element(
    'li',
    { 'data-step': step.id },
    sign,
    element('div', { class: 'words' }, element('strong', {}, step.title), result, bar, findings, more),
    took,
  );
  let drawnFindings = 0;
  return {
    node,
    update: () => {
      const { sign: shape, word } = signs[step.state];
      node.className = `step ${step.state}`;
      setText(sign, shape);
      setText(result, step.state === 'running' && step.progress > 0 ? `Running, ${Math.floor(step.progress * 100)} %` : step.result);
      node.setAttribute('aria-label', `${step.title}: ${word}. ${step.result}`);
      bar.style.setProperty('--done', String(step.state === 'running' ? step.progress : 0));
      setText(took, step.state === 'waiting' || step.state === 'running' ? '' : milliseconds(step.tookMs));
      if (step.findings.length !== drawnFindings) {
        drawnFindings = step.findings.length;
        replace(findings, findingsList(step));
      }
    },
  };
}

const SHOWN_AT_FIRST = 5;

export function findingsList(step: Step, all = false): HTMLElement {
  const shown = all ? step.findings : step.findings.slice(0, SHOWN_AT_FIRST);
  const list = element('ul', {}, ...shown.map((finding) => element('li', {}, findingLine(finding))));
  const rest = step.findings.length - shown.length + step.more;
  if (rest > 0) append(list, element('li', { class: 'rest' }, `and ${counted(rest, 'more fault')}${all ? '' : '; the report lists them'}`));
  return list;
}

function findingLine(finding: Finding): Node {
  const words = printable(finding.words);
  const to = addressOf(finding);
  return to === undefined ? document.createTextNode(words) : element('a', { href: to }, words);
}

function addressOf({ session, channel }: Finding): string | undefined {
  return session === undefined ? undefined : address.replay(session, channel);
}
