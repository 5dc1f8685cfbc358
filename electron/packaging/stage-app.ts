import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root, stagedApp } from './configuration.ts';

/** Puts together what goes into the archive, from what was built. */
export async function stageApp(): Promise<string> {
  const app = join(root, stagedApp);
  await rm(app, { recursive: true, force: true });
  await mkdir(app, { recursive: true });
  const { version, description, license } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, string>;
  const manifest = {
    name: 'sallyport-desktop',
    productName: 'Sallyport',
    version,
    description,
    license,
    author: 'Sallyport',
    // Packages of Debian want one.
    homepage: 'https://sallyport.example',
    type: 'module',
    main: 'electron/main.js',
  };
  await writeFile(join(app, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const part of ['electron', 'renderer']) await cp(join(root, 'dist', part), join(app, part), { recursive: true });
  await cp(join(root, 'LICENSE'), join(app, 'LICENSE'));
  return app;
}
