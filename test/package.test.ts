import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { version as versionInSource } from '../gateway/version.ts';

const root = join(import.meta.dirname, '..');
const versions = z.record(z.string(), z.string());

const manifest = z
  .object({
    version: z.string(),
    dependencies: versions,
    devDependencies: versions,
    optionalDependencies: versions,
    allowScripts: z.record(z.string(), z.boolean()),
  })
  .parse(read('package.json'));

const lock = z
  .object({
    packages: z.record(
      z.string(),
      z.object({ version: z.string().optional(), hasInstallScript: z.boolean().optional(), optionalDependencies: versions.optional() }),
    ),
  })
  .parse(read('package-lock.json'));

function read(file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}

/** `node_modules/a/node_modules/@b/c` is @b/c; the root is the empty string. */
function nameOf(place: string): string {
  return place.split('node_modules/').at(-1) ?? '';
}

describe('package.json', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;

  it.each(Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }))('pins %s to one version', (_name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
  });

  it('names every dependency with an install script, and allows none of them', () => {
    const withScript = Object.entries(lock.packages).filter(([place, { hasInstallScript }]) => place !== '' && hasInstallScript === true);
    const names = [...new Set(withScript.map(([place]) => nameOf(place)))];
    expect(manifest.allowScripts).toEqual(Object.fromEntries(names.map((name) => [name, false])));
  });

  it('brings one version of Node, the same for every platform, and the tests run on it', () => {
    const pinned = Object.entries(optionalDependencies).filter(([name]) => name.startsWith('node-'));
    const [version, ...others] = new Set(pinned.map(([, pinnedVersion]) => pinnedVersion));
    expect(others).toEqual([]);
    if (optionalDependencies[`node-${process.platform}-${process.arch}`] !== undefined) expect(process.versions.node).toBe(version);
  });

  it('tells the same version as the command line and the records', () => {
    const told = execFileSync(process.execPath, [join(root, 'gateway/main.ts'), '--version'], { encoding: 'utf8' });
    expect(told.trim()).toBe(manifest.version);
    expect(versionInSource).toBe(manifest.version);
  });
});

describe('package-lock.json', () => {
  it('names no registry, so that it works with any', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
  });

  it('locks the optional packages of every platform, without which `npm ci` refuses to work', () => {
    const locked = new Set(Object.keys(lock.packages).map(nameOf));
    const wanted = Object.values(lock.packages).flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}));
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });
});
