import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { recordingDirectory } from '../../gateway/recording/journal-layout.ts';
import { type Cast, parseCast } from '../support/cast.ts';

/** The sealed segments of a channel, in order. */
export function segmentFiles(dataDirectory: string, session: string, channel = 0): string[] {
  const directory = join(dataDirectory, recordingDirectory(session, channel));
  return readdirSync(directory)
    .filter((name) => name.endsWith('.cast.zst'))
    .sort()
    .map((name) => join(directory, name));
}

/** The whole recording of a channel as `zstd -dc *.cast.zst` gives it. */
export function castText(dataDirectory: string, session: string, channel = 0): string {
  return execFileSync('zstd', ['-dc', ...segmentFiles(dataDirectory, session, channel)], { encoding: 'utf8', maxBuffer: 2 ** 30 });
}

export function readCast(dataDirectory: string, session: string, channel = 0): Cast {
  return parseCast(castText(dataDirectory, session, channel));
}

/** Every file below a directory, relative to it. */
export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .sort();
}

/** Files below a directory that hold some bytes, compressed or not. */
export function filesWith(directory: string, bytes: Buffer): string[] {
  return filesBelow(directory).filter((name) => {
    const path = join(directory, name);
    const content = name.endsWith('.zst') ? execFileSync('zstd', ['-dc', path], { maxBuffer: 2 ** 30 }) : readFileSync(path);
    return content.includes(bytes);
  });
}
