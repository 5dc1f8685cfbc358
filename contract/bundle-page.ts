import type { SessionRow } from './session.ts';

/**
 * What a bundle's offline page (data/index.html) is given. A page opened from the file system can read nothing but
 * scripts, so everything comes as classic scripts that call `sallyport(name, payload)`:
 *
 * - `page/bundle.js`: name `bundle`, payload a `BundlePage`.
 * - `page/records/NNNN.js`: name `records/NNNN`, payload the base64 of raw deflate (RFC 1951) of lines `INDEX<TAB>RECORD`,
 *   the record's exact canonical JSON.
 * - `page/casts/SESSION/CHANNEL/NNNN.js`: name without `page/` and `.js`, payload as above of one segment's cast text.
 * - `page/transcripts/SESSION.js`: likewise of the session's transcript. The page makes its transcript from the casts,
 *   which it has compared with their seals, and does not read these: `transcript` may always be null.
 *
 * A name is `bundle`, or `records/` or `casts/` and then hexadecimal digits, hyphens and slashes; the page loads no other.
 */
export interface BundlePage {
  format: 1;
  /** When the bundle was written; ISO 8601 UTC. */
  created: string;
  gateway: { name: string; version: string };
  /** What was asked, in words and as parameters, and how complete the answer is. */
  question: { words: string; parameters: Record<string, unknown> };
  completeness: BundleCompleteness;
  sessions: BundlePageSession[];
  ledger: {
    origin: string;
    /** The checkpoint's exact text (C2SP signed note) and the log's verifier key (C2SP vkey). */
    checkpoint: string;
    verifierKey: string;
    /** Path below `ledger/` (C2SP tlog-tiles, for example `tile/0/000` or `tile/1/000.p/3`) to base64 of the tile. */
    tiles: Record<string, string>;
    /** Indexes whose record was erased, with the SHA-256 (hexadecimal) that is their entry. */
    erased: [index: number, sha256: string][];
  };
  /** Names of the scripts with records, in the order of the ledger, and how many records they hold. */
  records: { scripts: string[]; count: number };
  /** What a reader has to know, for example what was left out and why. */
  notes: string[];
}

export interface BundleCompleteness {
  /** Ledger indexes that the question ranged over, both ends included. */
  first: number;
  last: number;
  /**
   * Records in that range, how many of them the bundle has, and how many belong to sessions that were not asked for.
   * With the erased ones, of which it has the hashes, the last two make the first.
   */
  range: number;
  included: number;
  elsewhere: number;
  sessions: number;
  leftOut: { session: string; reason: string }[];
}

export interface BundlePageSession extends SessionRow {
  /** Name of the script with the transcript, when there is one. */
  transcript: string | null;
  recordings: BundlePageChannel[];
}

export interface BundlePageChannel {
  channel: number;
  kind: string;
  /** The command of an exec channel. */
  command: string | null;
  segments: BundlePageSegment[];
}

export interface BundlePageSegment {
  segment: number;
  /** Nanoseconds since the channel opened. */
  from: number;
  to: number;
  /** Name of the script, or null when the segment could not be read at the export: then `damage` says why. */
  script: string | null;
  damage: string | null;
  /** Of the cast text, as in the `segment.sealed` record; null where the record is older than these. */
  text: { bytes: number; lines: number; sha256: string } | null;
}
