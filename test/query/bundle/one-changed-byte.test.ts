import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BundleReader } from '../../../gateway/query/bundle/bundle-reader.ts';
import { END_BYTES, SEAL_BYTES } from '../../../gateway/query/bundle/zip-format.ts';
import type { Finding } from '../../../gateway/query/verify/finding.ts';
import { verifyBundle } from '../../../gateway/query/verify/verify-bundle.ts';
import { ssh } from '../../support/clients.ts';
import { sallyport } from '../../support/gateway.ts';
import { endedSessions } from '../../support/recordings.ts';
import { Belongings } from '../../support/temp.ts';
import { openWorld, webTarget } from '../../support/world.ts';
import { exported } from './recorded-world.ts';

const belongings = new Belongings();
let bundle: string;
let whole: Buffer;
/** Where a changed one is put for each that looks at it. */
let path: string;
beforeAll(async () => {
  const world = await openWorld(belongings, {
    agents: 2,
    targets: (host) => [{ ...webTarget(host, 'whole'), recording: { content: 'whole' } }],
  });
  const data = world.gateway.data;
  const route = world.agent();
  await ssh(route, 'echo out; echo err >&2; exit 3');
  await ssh(route, undefined, { flags: ['-tt'], input: 'ls /; exit\n' });
  await ssh({ ...route, user: 'nowhere' }, 'true');
  const other = world.agent('whole');
  await ssh(other, 'head -c 200000 /dev/zero');
  await endedSessions(data, route.principal, 2);
  await endedSessions(data, other.principal);
  bundle = await exported(belongings, data);
  whole = readFileSync(bundle);
  path = join(belongings.directory('changed'), 'bundle.zip');
}, 240_000);
afterAll(() => belongings.release());

/** The faults that are found in a bundle of these bytes; that it is none at all is one of them. */
async function faultsOf(bytes: Buffer): Promise<string[]> {
  writeFileSync(path, bytes);
  const findings: Finding[] = [];
  try {
    await verifyBundle(path, {}, (finding) => findings.push(finding));
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'BUNDLE_INVALID' });
    return [(thrown as Error).message];
  }
  return findings.filter(({ severity }) => severity === 'fault').map(({ words }) => words);
}

function changed(at: number): Buffer {
  const bytes = Buffer.from(whole);
  bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
  return bytes;
}

/** What somebody would do who knows how the file is sealed. */
function sealed(bytes: Buffer): Buffer {
  const end = bytes.length - END_BYTES - SEAL_BYTES;
  bytes.write(createHash('sha256').update(bytes.subarray(0, end)).digest('hex'), bytes.length - 64, 'latin1');
  return bytes;
}

/** Some 400 places over the whole file, and each of its last 120 bytes. */
function places(): number[] {
  const spread = Array.from({ length: 400 }, (_, index) => Math.floor(((index + 0.5) * whole.length) / 400));
  const last = Array.from({ length: 120 }, (_, index) => whole.length - 1 - index);
  return [...new Set([...spread, ...last])];
}

/** What every verdict begins with: whether it is a bundle at all, and the one that was written. */
async function isUnchanged(bytes: Buffer): Promise<boolean> {
  writeFileSync(path, bytes);
  try {
    const reader = await BundleReader.openFile(path);
    try {
      return await reader.isUnchanged();
    } finally {
      await reader.close();
    }
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'BUNDLE_INVALID' });
    return false;
  }
}

async function contents(bytes: Buffer): Promise<Map<string, string>> {
  writeFileSync(path, bytes);
  const reader = await BundleReader.openFile(path);
  const digests = new Map<string, string>();
  for (const { name, bytes: length } of reader.entries())
    digests.set(
      name,
      createHash('sha256')
        .update(await reader.read(name, length))
        .digest('hex'),
    );
  await reader.close();
  return digests;
}

describe('96 one changed byte anywhere in a bundle', () => {
  it('is found', async () => {
    expect(await faultsOf(whole)).toEqual([]);
    const tried = places();
    expect(tried.length).toBeGreaterThan(500);
    for (const [index, at] of tried.entries()) {
      const bytes = changed(at);
      expect(await isUnchanged(bytes), `byte ${at} of ${whole.length}`).toBe(false);
      // All the way, and to words: a fifth of those in the middle, and what stands at the end, which is none of the contents.
      if (index % 5 > 0 && at < whole.length - END_BYTES - SEAL_BYTES) continue;
      expect((await faultsOf(bytes)).length, `byte ${at} of ${whole.length}`).toBeGreaterThan(0);
    }
  }, 240_000);

  it('is found although the seal of the file was made anew, unless nothing in the bundle says anything else', async () => {
    const before = await contents(whole);
    let unseen = 0;
    for (const at of places().filter((_, index) => index % 2 === 0)) {
      if (at >= whole.length - END_BYTES - SEAL_BYTES) continue;
      const bytes = sealed(changed(at));
      if ((await faultsOf(bytes)).length > 0) continue;
      unseen += 1;
      expect(await contents(bytes), `byte ${at}`).toEqual(before);
    }
    // Deflate can say the same in several ways, but not often by the change of one bit.
    expect(unseen).toBeLessThan(10);
  }, 240_000);
});

describe('sallyport verify FILE.zip', () => {
  it('finds a bundle of real sessions in order', async () => {
    const { status, stdout, stderr } = await sallyport(['verify', bundle]);
    expect(status, stdout.toString() + stderr).toBe(0);
  });

  it('finds a bundle that was cut off anywhere', async () => {
    for (let n = 0; n < 60; n += 1) {
      expect((await faultsOf(whole.subarray(0, Math.floor((whole.length * n) / 60)))).length).toBeGreaterThan(0);
    }
  }, 240_000);
});
