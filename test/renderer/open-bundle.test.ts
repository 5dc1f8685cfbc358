import { generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { BundlePage } from '../../contract/bundle-page.ts';
import { indexRecording } from '../../contract/replay/recording-index.ts';
import { SegmentSource } from '../../contract/replay/segment-source.ts';
import { signAttestation } from '../../gateway/ledger/attestation.ts';
import { formatCheckpoint } from '../../gateway/ledger/checkpoint.ts';
import { MerkleFrontier } from '../../gateway/ledger/merkle-frontier.ts';
import { formatVerifierKey, noteSigner, signNote } from '../../gateway/ledger/signed-note.ts';
import { BundleZip } from '../../renderer/evidence/zip/bundle-zip.ts';
import { END_BYTES, SEAL_BYTES } from '../../renderer/evidence/zip/zip-format.ts';
import type { ZipVerification } from '../../renderer/evidence/zip/zip-verification.ts';
import { Belongings } from '../support/temp.ts';
import { faultsIn, faultsOf, sourceOf, verified } from './opened-bundle.ts';
import { type BundleFiles, changePage, changeText, filesOf, rebuilt } from './rebuilt-bundle.ts';
import { storyBundle } from './story-bundle.ts';

const belongings = new Belongings();
let made: Awaited<ReturnType<typeof storyBundle>>;
// What records it belongs to a test, so the first one has it made.
beforeEach(async () => {
  made ??= await storyBundle(belongings);
});
afterAll(() => belongings.release());

const steps = ['file', 'bag', 'tags', 'attestation', 'records', 'tree', 'signature', 'segments', 'sessions', 'range', 'approvals'];

/** What is found after a change, by step. */
async function found(change: (files: BundleFiles) => void, listed = true): Promise<string[]> {
  const files = await filesOf(made.whole);
  change(files);
  return faultsOf(await rebuilt(belongings, files, listed));
}

describe('a bundle that is opened in the console', () => {
  it('is verified step by step, and every step passes, with the time that it took', async () => {
    const opened = await verified(made.whole);
    expect(faultsIn(opened.steps)).toEqual([]);
    expect(opened.steps.map(({ id, state }) => [id, state])).toEqual(steps.map((id) => [id, 'passed']));
    for (const { id, tookMs, result } of opened.steps) {
      expect(tookMs, id).toBeGreaterThan(0);
      expect(result, id).not.toMatch(/waiting|running/i);
    }
  });

  it('says of no step that has not run that it passed', async () => {
    const seen: string[][] = [];
    const { ZipVerification } = await import('../../renderer/evidence/zip/zip-verification.ts');
    let opened: ZipVerification | undefined;
    opened = await ZipVerification.open(sourceOf(made.whole), () => {
      if (opened !== undefined) seen.push(opened.steps.map(({ state }) => state));
    });
    await opened.run();
    for (const states of seen) {
      const running = states.indexOf('running');
      if (running < 0) continue;
      expect(states.slice(running + 1).every((state) => state === 'waiting' || state === 'passed')).toBe(true);
      expect(states.filter((state) => state === 'running')).toHaveLength(1);
    }
    expect(seen.some((states) => states[0] === 'running' && states.at(-1) === 'waiting')).toBe(true);
  });

  it('replays what was verified, and nothing else', async () => {
    const opened = await verified(made.whole);
    const channel = channelOf(opened, made.story.shell);
    const { transcript, damage } = await indexRecording(sourceOfChannel(opened, made.story.shell));
    expect(damage).toEqual([]);
    expect(transcript.map(({ text }) => text).join('\n')).toContain('systemctl status shop');
    expect(channel.segments.length).toBeGreaterThan(1);

    const files = await filesOf(made.whole);
    const script = channel.segments[0]?.script ?? '';
    changeText(files, script, (text) => text.replace('active', 'ACTIVE').replace('shop', 'SHOP'));
    const forged = await verified(await rebuilt(belongings, files, true));
    const replayed = await indexRecording(sourceOfChannel(forged, made.story.shell));
    expect(replayed.damage.map(({ words }) => words).join()).toMatch(/was sealed/);
    expect(replayed.transcript.map(({ text }) => text).join('\n')).not.toContain('SHOP');
    expect(faultsIn(forged.steps).join('\n')).toMatch(/^segments: .*SHA-256/m);
  });

  it('does not play what only an altered record seals', async () => {
    const files = await filesOf(made.whole);
    const opened = await verified(made.whole);
    const [segment] = channelOf(opened, made.story.exec).segments;
    changeText(files, segment?.script ?? '', (text) => text.replace('"o"', '"i"'));
    const { createHash } = await import('node:crypto');
    const { inflateRawSync } = await import('node:zlib');
    const script = files.get(`data/page/${segment?.script}.js`)?.toString() ?? '';
    const text = inflateRawSync(Buffer.from(script.slice(script.indexOf(',"') + 2, -4), 'base64'));
    const sha256 = createHash('sha256').update(text).digest('hex');
    changeText(files, 'records/0001', (records) => records.replace(segment?.text?.sha256 ?? '?', sha256));
    const forged = await verified(await rebuilt(belongings, files, true));
    const replayed = await indexRecording(sourceOfChannel(forged, made.story.exec));
    expect(replayed.damage.map(({ words }) => words).join()).toMatch(/The record that seals it \(\d+\) was altered/);
    expect(faultsIn(forged.steps).join('\n')).toMatch(/records: Record \d+ is not the one that the ledger committed to/);
  });
});

describe('a bundle of which one byte was changed', () => {
  it('is found, wherever the byte stands', async () => {
    const { whole } = made;
    const places = Array.from({ length: 320 }, (_, index) => Math.floor(((index + 0.5) * whole.length) / 320));
    for (let last = 1; last <= END_BYTES + SEAL_BYTES; last += 1) places.push(whole.length - last);
    for (const [index, at] of places.entries()) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      expect(await isWhole(changed), `byte ${at}`).toBe(false);
      if (index % 30 === 0) expect((await faultsOf(changed)).length, `byte ${at}`).toBeGreaterThan(0);
    }
  }, 60_000);

  it('of any file is found although the file was sealed anew', async () => {
    const names = [...(await filesOf(made.whole)).keys()];
    for (const name of names.filter((_, index) => index % 6 === 0 || !names[index]?.startsWith('data/'))) {
      const faults = await found((files) => {
        const bytes = Buffer.from(files.get(name) ?? '');
        if (bytes.length === 0) return;
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
        files.set(name, bytes);
      }, false);
      if ((await filesOf(made.whole)).get(name)?.length === 0) continue;
      expect(faults.length, name).toBeGreaterThan(0);
    }
  }, 60_000);
});

describe('a bundle that somebody changed who knows the format', () => {
  it.each([
    [
      'with a file that no manifest names',
      (files: BundleFiles) => files.set('data/extra.txt', Buffer.from('x')),
      false,
      /^bag: data\/extra.txt was added/m,
    ],
    ['with a file less', (files: BundleFiles) => files.delete('data/VERIFY.md'), false, /^bag: data\/VERIFY.md is missing/m],
    [
      'with another transcript',
      (files: BundleFiles) => files.set(first(files, 'data/transcripts/'), Buffer.from('nothing')),
      false,
      /^bag: data\/transcripts.* was altered/m,
    ],
    [
      'with another transcript and new manifests',
      (files: BundleFiles) => files.set(first(files, 'data/transcripts/'), Buffer.from('nothing')),
      true,
      /^attestation: What was signed is another bundle/m,
    ],
    [
      'with another attestation text',
      (files: BundleFiles) => files.set('attestation.txt', Buffer.from('nothing')),
      true,
      /^attestation: attestation.txt was altered/m,
    ],
    [
      'with a session taken out of its list',
      (files: BundleFiles) => changePage(files, (page) => page.sessions.shift()),
      true,
      /^sessions: Session .* has records in this bundle and is not in its list/m,
    ],
    [
      'with another name in its list',
      (files: BundleFiles) => changePage(files, renameAll),
      true,
      /^sessions: .*The list names the principal/m,
    ],
    [
      'with a record edited',
      (files: BundleFiles) => changeText(files, 'records/0001', (text) => text.replace('"outcome":"success"', '"outcome":"failure"')),
      true,
      /^records: Record \d+ is not the one/m,
    ],
    [
      'with a record taken out',
      (files: BundleFiles) => changeText(files, 'records/0001', (text) => text.replace(/^3\t.*\n/m, '')),
      true,
      /^records: .*could be read/m,
    ],
    [
      'with another answer in query.json',
      (files: BundleFiles) => files.set('data/query.json', Buffer.from('{}')),
      true,
      /^range: data\/query.json tells another/m,
    ],
    [
      'with another key beside',
      (files: BundleFiles) => files.set('data/keys/ledger.vkey', Buffer.from(otherKey().vkey)),
      true,
      /^signature: The keys in data\/keys are not/m,
    ],
    [
      'with a list of what it holds that is none',
      (files: BundleFiles) => files.set('data/page/bundle.js', Buffer.from('alert(1)')),
      true,
      /^records: This step could not run/m,
    ],
  ] as const)('%s is found', async (_, change, listed, words) => {
    expect((await found((files) => void change(files), listed)).join('\n')).toMatch(words);
  });

  it('and signed with a key of their own does not fit the ledger’s', async () => {
    const faults = await found((files) => {
      const { signer } = otherKey();
      files.set('attestation.dsse.json', Buffer.from(forgedAttestation(files, signer)));
    }, false);
    expect(faults.join('\n')).toMatch(/^attestation: The signature does not fit/m);
  });

  it('and whose ledger they made up with a key of their own is consistent in itself, and is known by a checkpoint from elsewhere', async () => {
    const opened = await verified(made.whole);
    const mine = opened.page?.ledger.checkpoint ?? '';
    expect((await opened.compare(mine)).state).toBe('agrees');
    const { signer } = otherKey(opened.page?.ledger.origin);
    const frontier = new MerkleFrontier();
    const note = signNote(formatCheckpoint({ origin: opened.page?.ledger.origin ?? '', size: 0, root: frontier.root(), extensions: [] }), [
      signer,
    ]);
    expect((await opened.compare(note)).state).toBe('cannot tell');
    expect((await opened.compare(mine.replace('\n49\n', '\n48\n'))).state).toBe('contradicts');
  });

  it('whose list cannot be read runs no step that needs it, and says so', async () => {
    const files = await filesOf(made.whole);
    files.delete('data/page/bundle.js');
    const opened = await verified(await rebuilt(belongings, files, true));
    expect(opened.page).toBeUndefined();
    expect(opened.pageFault).toMatch(/missing/);
    const states = Object.fromEntries(opened.steps.map(({ id, state }) => [id, state]));
    expect(states).toMatchObject({
      file: 'passed',
      bag: 'passed',
      records: 'failed',
      segments: 'failed',
      range: 'failed',
      approvals: 'failed',
    });
    expect(opened.steps.filter(({ result }) => result === 'Not run').map(({ id }) => id)).toEqual(steps.slice(3));
  });
});

function renameAll({ sessions }: BundlePage): void {
  for (const session of sessions) session.principal = 'somebody-else';
}

function otherKey(origin = 'vm/00000000') {
  const { privateKey } = generateKeyPairSync('ed25519');
  const signer = noteSigner(origin, privateKey);
  return { signer, vkey: `${formatVerifierKey(signer.key)}\n`, sign: (bytes: Buffer) => sign(null, bytes, privateKey) };
}

function forgedAttestation(files: BundleFiles, signer: Parameters<typeof signAttestation>[1]): string {
  const envelope = JSON.parse(String(files.get('attestation.dsse.json'))) as { payload: string };
  const { subject, predicate } = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as {
    subject: [{ digest: { sha256: string } }];
    predicate: { gateway: { name: string; version: string }; time: string; question: Record<string, unknown> };
  };
  const frontier = new MerkleFrontier();
  const checkpoint = signNote(formatCheckpoint({ origin: signer.key.name, size: 0, root: frontier.root(), extensions: [] }), [signer]);
  return signAttestation({ ...predicate, checkpoint, tagManifest: subject[0].digest.sha256 }, signer);
}

function first(files: BundleFiles, prefix: string): string {
  return [...files.keys()].find((name) => name.startsWith(prefix)) ?? '';
}

async function isWhole(bytes: Buffer): Promise<boolean> {
  try {
    return await (await BundleZip.open(sourceOf(bytes))).isUnchanged(() => undefined);
  } catch {
    return false;
  }
}

function channelOf({ page }: ZipVerification, session: string) {
  const channel = page?.sessions.find(({ id }) => id === session)?.recordings[0];
  if (channel === undefined) throw new Error('the session has no recording');
  return channel;
}

/** A recording as the player of the console reads it. */
function sourceOfChannel(opened: ZipVerification, session: string): SegmentSource {
  const channel = channelOf(opened, session);
  return new SegmentSource(
    channel.segments.map((segment) => ({
      number: segment.segment,
      from: segment.from,
      to: segment.to,
      load: () => opened.segmentText(session, channel.channel, segment),
    })),
  );
}
