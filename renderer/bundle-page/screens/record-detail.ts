import { type Child, element } from '../../dom/element.ts';
import { toHex } from '../../evidence/encodings.ts';
import { leafHash } from '../../evidence/merkle.ts';
import { type ReadRecord, textOr } from '../../evidence/record-facts.ts';
import { sha256 } from '../../evidence/sha256.ts';
import type { RecordProof } from '../../evidence/verification.ts';
import { grouped } from '../interface/format.ts';
import type { PageState } from '../interface/page-state.ts';
import { printable } from '../interface/printable.ts';
import { describeRecord } from './describe-record.ts';

export const proofWords: Readonly<Record<RecordProof, { sign: string; word: string; kind: string; meaning: string }>> = {
  proved: {
    sign: '✓',
    word: 'proved',
    kind: 'passed',
    meaning: 'Its hash stands at this place of the ledger, under the signed checkpoint.',
  },
  'not proved': {
    sign: '○',
    word: 'not proved',
    kind: 'limited',
    meaning: 'The ledger around it is not verified (yet); the overview says why.',
  },
  altered: { sign: '✗', word: 'altered', kind: 'failed', meaning: 'The ledger committed to other bytes than these.' },
};

/** One record in full: what it says, and what proves it. */
export function recordDetail(state: PageState, record: ReadRecord): Child[] {
  const entry = sha256(new TextEncoder().encode(record.text));
  const { sign, word, kind, meaning } = proofWords[state.verification.proofOf(record.index)];
  return [
    element('h2', {}, printable(describeRecord(record))),
    element(
      'dl',
      { class: 'facts' },
      ...fact('Index', grouped(record.index)),
      ...fact('Type', printable(record.type)),
      ...fact('Time', printable(record.time)),
      ...fact('Outcome', printable(record.outcome)),
      ...fact('By', printable(whoDid(record))),
      ...fact('Target', printable(textOr(record.target.name, '–'))),
      ...fact('SHA-256', toHex(entry)),
      ...fact('Leaf', toHex(leafHash(entry))),
      element('dt', {}, 'Proof'),
      element(
        'dd',
        {},
        element('span', { class: `evidence ${kind}` }, `${sign} ${word}`),
        element('span', { class: 'muted' }, ` ${meaning}`),
      ),
    ),
    element('h3', {}, 'What it says'),
    tree(record.body),
    element('h3', {}, 'Its exact bytes'),
    element('pre', { class: 'exact', tabindex: 0, 'aria-label': 'Exact bytes of the record' }, printable(record.text)),
  ];
}

function whoDid({ actor }: ReadRecord): string {
  const principal = textOr(actor.principal, '?');
  return typeof actor.onBehalfOf === 'string' ? `${principal} for ${actor.onBehalfOf}` : principal;
}

function fact(name: string, value: string): HTMLElement[] {
  return [element('dt', {}, name), element('dd', { class: 'mono wrap' }, value)];
}

const DEEPEST = 6;

/** JSON as names and values, without its signs. */
function tree(value: unknown, depth = 0): HTMLElement {
  if (typeof value !== 'object' || value === null || depth === DEEPEST)
    return element('span', { class: 'mono wrap' }, printable(typeof value === 'string' ? value : JSON.stringify(value)));
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((each: unknown, index) => [String(index + 1), each])
    : Object.entries(value);
  if (entries.length === 0) return element('span', { class: 'muted' }, 'none');
  return element(
    'dl',
    { class: 'tree' },
    ...entries.flatMap(([name, member]) => [element('dt', {}, printable(name)), element('dd', {}, tree(member, depth + 1))]),
  );
}
