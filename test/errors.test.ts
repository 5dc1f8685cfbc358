import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../contract/error-codes.ts';

/** Takes docs/errors.md apart: one entry per second-level heading, with the text below it. */
function readEntries(document: string): Map<string, string> {
  const [, ...sections] = document.split(/^## /m);
  return new Map(
    sections.map((section) => {
      const end = section.indexOf('\n');
      return [section.slice(0, end).trim(), section.slice(end).trim()];
    }),
  );
}

const document = readFileSync(join(import.meta.dirname, '../docs/errors.md'), 'utf8');
const entries = readEntries(document);

describe('docs/errors.md', () => {
  it('explains every code, and no code that does not exist', () => {
    expect([...entries.keys()].toSorted()).toEqual([...errorCodes].toSorted());
  });

  it('explains each code once', () => {
    expect(document.match(/^## /gm)).toHaveLength(entries.size);
  });

  it.each([...entries])('says what causes %s and how to mend it', (_code, text) => {
    expect(text).toMatch(/^\*\*Cause\.\*\* \S.{20,}\n\n\*\*Mend\.\*\* \S.{20,}$/s);
  });
});

describe('the list of codes', () => {
  it('has no code twice', () => {
    expect(new Set(errorCodes).size).toBe(errorCodes.length);
  });

  it.each([...errorCodes])('%s is written like a constant', (code) => {
    expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
  });
});
