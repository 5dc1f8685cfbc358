import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';

const root = join(import.meta.dirname, '../..');
const output = join(root, 'dist/bundle-page');

async function build(): Promise<void> {
  const built = await run(process.execPath, [join(root, '.ci/build-page.mjs')]);
  expect(built.status, built.stderr).toBe(0);
  expect(built.stdout.toString()).toBe('');
}

describe('the build of the page', () => {
  it('makes exactly what goes into a bundle: a page, one classic script and one style sheet', async () => {
    await build();
    const files = readdirSync(output, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name).toSorted()).toEqual(['app.css', 'app.js', 'index.html']);
    const script = readFileSync(join(output, 'page/app.js'), 'utf8');
    expect(script).not.toMatch(/^\s*(?:import|export)\s/m);
    expect(script).not.toMatch(/sourceMappingURL|\bimport\(/);
    expect(script, 'no path of the machine it was built on').not.toContain(root);
    expect(script).toMatch(
      /^\/\*!\nSallyport's bundle page\. Apache-2\.0\. It contains:\n\n@xterm\/headless \d.*Permission is hereby granted/s,
    );
    expect(readFileSync(join(output, 'page/app.css'), 'utf8')).not.toMatch(/url\(|@import/);
  });

  it('asks for nothing but the files beside it', async () => {
    await build();
    const page = readFileSync(join(output, 'index.html'), 'utf8');
    const asked = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path);
    expect(asked).toEqual(['page/app.css', 'page/app.js']);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/unsafe-|https?:|<script>/);
  });

  it('is left alone when nothing changed', async () => {
    await build();
    const script = join(output, 'page/app.js');
    const before = statSync(script).mtimeMs;
    await build();
    expect(statSync(script).mtimeMs).toBe(before);
  });
});
