import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Frame, FrameEncoder } from '../../contract/frame-codec.ts';
import { CastRenderer } from '../../gateway/recording/cast-renderer.ts';
import { nodeCodecHost } from '../../gateway/recording/codec-host.ts';
import { readJournal, scanJournal } from '../../gateway/recording/journal-reader.ts';
import { parseStretchHeader } from '../../gateway/recording/stretch-header.ts';

/**
 * Files of released formats. They are never changed: a journal that a gateway left behind, and the segment that was
 * made of it, stay readable for ever. A new version of a format adds files.
 */
const directory = join(import.meta.dirname, '../fixtures/recording');
const journals = readdirSync(directory)
  .filter((name) => name.endsWith('.journal'))
  .map((name) => join(directory, name));

function framesOf(path: string): { frames: Frame[]; tornBytes: number } {
  const frames: Frame[] = [];
  const { tornBytes } = scanJournal(path, (frame) => frames.push(frame.kind === 'data' ? { ...frame, bytes: frame.bytes.slice() } : frame));
  return { frames, tornBytes };
}

test('there are files to compare with', () => {
  expect(journals.length).toBeGreaterThanOrEqual(4);
});

test.each(journals)('%s becomes the cast beside it', (path) => {
  const { frames, tornBytes } = framesOf(path);
  const [first, ...rest] = frames;
  const header = first?.kind === 'header' ? parseStretchHeader(first.header) : undefined;
  if (header === undefined) throw new Error('it has no header');
  let text = '';
  const renderer = new CastRenderer(header, (line) => {
    text += line;
  });
  for (const frame of rest) renderer.push(frame);
  renderer.end({ lostBytes: tornBytes });
  expect(text).toBe(readFileSync(path.replace(/\.journal$/, '.cast'), 'utf8'));
});

test.each(journals)('the frames of %s are still written as they were', (path) => {
  const { frames, tornBytes } = framesOf(path);
  const bytes = readFileSync(path);
  const written = Buffer.concat(new FrameEncoder(nodeCodecHost).encode(frames));
  expect(written.equals(bytes.subarray(0, bytes.length - tornBytes))).toBe(true);
});

test.each(journals)('%s reads the same piece by piece as at once', async (path) => {
  const frames: Frame[] = [];
  for await (const frame of readJournal(path)) frames.push(frame);
  expect(JSON.stringify(frames)).toBe(JSON.stringify(framesOf(path).frames));
});
