import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answeredHow, questions } from '../gateway/query/audit/questions.ts';

const document = readFileSync(join(import.meta.dirname, '../docs/operating.md'), 'utf8');

interface Mapped {
  question: string;
  answered: string;
  soc: string[];
  iso: string[];
  pci: string[];
  words: string;
}

/** The table that maps questions to criteria, taken apart. */
const mapped: Mapped[] = document
  .split('\n')
  .filter((line) => /^\| `[a-z-]+` \|/.test(line))
  .map((line) => {
    const [, question = '', answered = '', soc = '', iso = '', pci = '', words = ''] = line.split('|').map((cell) => cell.trim());
    return { question: question.replaceAll('`', ''), answered, soc: soc.split(', '), iso: iso.split(', '), pci: pci.split(', '), words };
  });

describe('docs/operating.md', () => {
  it('maps every question, and no question that does not exist, each once and in the same order', () => {
    expect(mapped.map(({ question }) => question)).toEqual(questions.map(({ name }) => name));
  });

  it('says of every question whether it is answered, as the command does', () => {
    const words = { fully: 'fully', partly: 'partly', no: 'not yet' } as const;
    expect(mapped.map(({ question, answered }) => `${question} ${answered}`)).toEqual(
      questions.map((question) => `${question.name} ${words[answeredHow(question)]}`),
    );
  });

  it('names criteria that exist, and leaves out none of those it is about', () => {
    const soc = ['CC6.1', 'CC6.2', 'CC6.3', 'CC6.6', 'CC7.2', 'CC7.3', 'CC8.1'];
    expect([...new Set(mapped.flatMap((row) => row.soc))].toSorted()).toEqual(soc);
    expect(
      mapped
        .flatMap((row) => row.iso)
        .filter((control) => !/^A\.(5\.([1-9]|[12]\d|3[0-7])|6\.[1-8]|8\.([1-9]|[12]\d|3[0-4]))$/.test(control)),
    ).toEqual([]);
    expect(mapped.flatMap((row) => row.iso)).toContain('A.8.15');
    expect(mapped.flatMap((row) => row.pci).filter((requirement) => !/^(4|7|8|10)(\.\d+){2,3}$/.test(requirement))).toEqual([]);
    for (const area of ['10.2', '10.3', '10.4', '10.5', '10.6', '10.7'])
      expect(
        mapped.some((row) => row.pci.some((one) => one.startsWith(area))),
        area,
      ).toBe(true);
  });

  it('says what an answer in part does not show', () => {
    for (const row of mapped.filter(({ answered }) => answered === 'partly')) expect(row.words, row.question).toMatch(/\bnot\b/);
  });

  it('calls its table a reading and no certificate', () => {
    expect(document).toMatch(/Our reading.*It is not a certificate/s);
  });

  it('has every heading that its list of contents points to', () => {
    const headings = [...document.matchAll(/^## (.+)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(',', '').replaceAll(' ', '-'),
    );
    const linked = [...document.matchAll(/^- \[.+\]\(#(.+)\)$/gm)].map(([, anchor]) => anchor);
    expect(linked).toEqual(headings);
  });
});
