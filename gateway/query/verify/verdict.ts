import type { Finding, Place } from './finding.ts';
import type { Outcome } from './outcome.ts';

/** One finding as a line: what, where, in words. Texts in it may come from the evidence, so the caller makes it printable. */
export function findingLine({ severity, code, where, words }: Finding): string {
  const place = placeWords(where);
  return `${severity === 'fault' ? 'FAULT ' : 'note  '} ${code.padEnd(12)} ${place === '' ? '' : `${place}: `}${words}.`;
}

export function placeWords({ index, last, session, channel, segment, file }: Place): string {
  const words: string[] = [];
  if (index !== undefined) words.push(last === undefined ? `record ${index}` : `records ${index} to ${last}`);
  if (session !== undefined) words.push(`session ${session}`);
  if (channel !== undefined) words.push(`channel ${channel}`);
  if (segment !== undefined) words.push(`segment ${segment}`);
  if (file !== undefined) words.push(file);
  return words.join(', ');
}

/** What was checked, what follows from it and what does not, for somebody who has to sign for it. */
export function verdictLines(outcome: Outcome, faults: number, notices: number): string[] {
  const { records, ledger, key } = outcome;
  const { erased } = records;
  const period = records.first === undefined ? '' : `, ${records.first} to ${records.last}`;
  const facts: [string, string][] = [
    ['checked', `${outcome.kind} ${outcome.where}`],
    ['records', `${count(records.records)}${period}`],
    ['sessions', `${count(records.sessions)}, with ${some(records.channels, 'channel')} and ${some(records.segments, 'sealed segment')}`],
    ['files', `${some(outcome.files, 'file')} of recordings, ${some(outcome.bytes, 'byte')}, each against its seal`],
  ];
  if (erased.records > 0 || erased.sessions > 0)
    facts.push(['erased', `${some(erased.sessions, 'session')}, ${some(erased.records, 'record')}, ${some(erased.files, 'file')}`]);
  facts.push(...approvalFacts(records));
  if (ledger !== undefined) {
    facts.push(['ledger', `${ledger.origin}, ${some(ledger.size, 'record')}, ${some(ledger.tiles, 'tile')}`]);
    facts.push([
      'root',
      `${Buffer.from(ledger.root).toString('base64')}: ${ledger.agrees ? 'rebuilt, and the same' : 'NOT what is rebuilt'}`,
    ]);
    facts.push([
      'signature',
      key === undefined ? 'no key to check it with' : `${ledger.signed ? 'good' : 'NOT GOOD'}, with ${keyWords(key, outcome.kind)}`,
    ]);
  } else facts.push(['ledger', 'none: nothing here is signed']);
  if (outcome.compared !== undefined)
    facts.push(['compared', `with the checkpoint over ${some(outcome.compared.size, 'record')} in ${outcome.compared.file}`]);
  return [
    ...facts.map(([name, value]) => `${name.padEnd(10)} ${value}`),
    '',
    `verdict    ${faults === 0 ? 'INTACT' : `NOT INTACT: ${some(faults, 'fault')}`}${notices === 0 ? '' : `, ${some(notices, 'note')}`}`,
    '',
    ...proofLines(outcome, faults),
  ];
}

const MOST_REVIEWERS = 50;

/** Reviewers with their keys, so that somebody can compare them. */
function approvalFacts({ approvals, signOffs }: Outcome['records']): [string, string][] {
  const { asked, decided, reviewers } = approvals;
  const facts: [string, string][] = [];
  if (asked > 0 || decided > 0)
    facts.push(['approvals', `${count(asked)} asked for, with ${some(decided, 'signed decision')}, each against what was asked`]);
  if (signOffs > 0) facts.push(['sign-offs', `${count(signOffs)} of whole sessions, each against what was sealed of it`]);
  for (const { reviewer, fingerprint, decisions, first, last } of reviewers.slice(0, MOST_REVIEWERS))
    facts.push(['reviewer', `${reviewer} signed ${count(decisions)} with ${fingerprint}, ${first.slice(0, 10)} to ${last.slice(0, 10)}`]);
  if (reviewers.length > MOST_REVIEWERS) facts.push(['reviewer', `and ${count(reviewers.length - MOST_REVIEWERS)} more`]);
  return facts;
}

function proofLines({ kind, ledger, key, compared, records }: Outcome, faults: number): string[] {
  const lines: string[] = [];
  if (ledger === undefined) lines.push('Nothing is proven: as far as the evidence fits together, it does so without a signature.');
  else if (!ledger.agrees || !ledger.signed) lines.push('Nothing is proven by the signature: see the faults.');
  else {
    lines.push(
      `This proves that ${faults === 0 ? '' : 'what no fault names of '}the records, and the recordings that they seal, ${faults === 0 ? 'are' : 'is'} what the holder of the key signed:`,
      kind === 'bundle'
        ? `each record here is one of the ${count(ledger.size)} in the log, at its index, and was not changed. Of the records that are not here, only hashes are.`
        : `among the first ${count(ledger.size)} records nothing ${faults === 0 ? '' : 'else '}was changed, removed, added or moved by anybody without the key.`,
    );
  }
  lines.push('');
  if (key?.source === 'beside')
    lines.push(
      `The key was taken from ${BESIDE[kind]}: whoever could rewrite all of it could have put another key there. Give the key that you got another way with --key.`,
    );
  if (key?.source === 'records')
    lines.push(
      'The key was taken from the records themselves: they vouch for their own signature. Give the key that you got another way with --key.',
    );
  if (records.approvals.reviewers.length > 0)
    lines.push(
      'Each good signature of a reviewer shows that a holder of that key signed exactly this request and this answer; the gateway has no such key. That the key is the named reviewer’s own, no record says: compare the fingerprints with what the reviewers tell you.',
    );
  if (compared === undefined)
    lines.push(
      'That the log is complete up to now, that it was not rewritten by a holder of the key or put back to an older state: only a checkpoint that was kept outside can show that. Give it with --checkpoint.',
    );
  else if (compared.continued)
    lines.push(
      `The log is the one that the given checkpoint was signed over, and continues it. What was recorded after that checkpoint's ${count(compared.size)} records could still be missing at the end.`,
    );
  const { records: emptied } = records.erased;
  if (emptied > 0)
    lines.push(
      `What ${count(emptied)} erased ${emptied === 1 ? 'record' : 'records'} said cannot be told any more: only that ${emptied === 1 ? 'it was' : 'they were'} recorded, and when and why ${emptied === 1 ? 'it was' : 'they were'} erased.`,
    );
  return lines;
}

const BESIDE = { 'data directory': 'keys/ledger.pub beside the evidence', bundle: 'the bundle itself' } as const;

function keyWords({ vkey, source }: NonNullable<Outcome['key']>, kind: Outcome['kind']): string {
  const from = { given: 'the key that was given', beside: `from ${BESIDE[kind]}`, records: 'from the records' };
  return `${vkey} (${from[source]})`;
}

export function some(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function count(number: number): string {
  return number.toLocaleString('en');
}
