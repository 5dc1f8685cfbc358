import { readFile } from 'node:fs/promises';
import type { BundleCompleteness } from '../../../contract/bundle-page.ts';

/** The script and the page that stand in every bundle; they are files of their own beside this one. */
export function verifyScript(): Promise<Buffer> {
  return readFile(new URL('./verify.sh', import.meta.url));
}

export interface BundleStatement {
  created: string;
  gateway: { name: string; version: string };
  question: { words: string };
  completeness: BundleCompleteness;
  checkpoint: { origin: string; size: number; root: string };
  notes: string[];
  signed: boolean;
}

/** VERIFY.md of one bundle: what it says of itself, then the steps. */
export async function stepsForPeople(statement: BundleStatement): Promise<string> {
  const steps = await readFile(new URL('./VERIFY.md', import.meta.url), 'utf8');
  const { completeness, checkpoint } = statement;
  const facts: [string, string][] = [
    ['Written', `${statement.created} by the gateway ${statement.gateway.name}, Sallyport ${statement.gateway.version}`],
    ['Question', statement.question.words],
    ['Sessions', `${completeness.sessions} included, ${completeness.leftOut.length} left out or erased`],
    [
      'Records',
      completeness.range === 0
        ? 'none in the range of the question'
        : `${completeness.included} of the ${completeness.range} with index ${completeness.first} to ${completeness.last}; ${completeness.elsewhere} belong to other sessions, or came after these`,
    ],
    ['Checkpoint', `${checkpoint.origin}, ${checkpoint.size} entries, root ${checkpoint.root}`],
    ['Signed as a whole', statement.signed ? 'yes, see attestation.dsse.json' : 'no'],
  ];
  const rows = facts.map(([name, value]) => `| ${name} | ${cell(value)} |\n`).join('');
  const notes = statement.notes.map((note) => `- ${cell(note)}\n`).join('');
  return steps.replace(
    '<!-- this bundle -->\n',
    () => `| | |\n| --- | --- |\n${rows}\n${notes === '' ? '' : `To be known before relying on it:\n\n${notes}\n`}`,
  );
}

/** Text from outside in a table of Markdown: it cannot end its cell, bring a link, or hide. */
function cell(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').replace(/[\\`*_{}[\]<>|#!]/g, (character) => `\\${character}`);
}
