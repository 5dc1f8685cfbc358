import type {
  BundleCompleteness,
  BundlePage,
  BundlePageChannel,
  BundlePageSegment,
  BundlePageSession,
} from '../../contract/bundle-page.ts';
import { DataFault } from './data-fault.ts';
import { count, list, members, object, oneOf, orNull, pair, type Reader, record, text, whole } from './shape.ts';

const segment: Reader<BundlePageSegment> = members<BundlePageSegment>({
  segment: count,
  from: count,
  to: count,
  script: orNull(text),
  damage: orNull(text),
  text: orNull(members({ bytes: count, lines: count, sha256: text })),
});

const channel: Reader<BundlePageChannel> = members<BundlePageChannel>({
  channel: count,
  kind: text,
  command: orNull(text),
  segments: list(segment),
});

const session: Reader<BundlePageSession> = members<BundlePageSession>({
  id: text,
  started: text,
  ended: orNull(text),
  state: oneOf('live', 'closed', 'recovered', 'erased'),
  principal: text,
  principalKind: oneOf('human', 'agent', 'unknown'),
  onBehalfOf: orNull(text),
  target: text,
  protocol: text,
  source: text,
  channels: count,
  bytesIn: count,
  bytesOut: count,
  reason: orNull(text),
  transcript: orNull(text),
  recordings: list(channel),
});

const completeness: Reader<BundleCompleteness> = members<BundleCompleteness>({
  first: whole,
  last: whole,
  range: count,
  included: count,
  elsewhere: count,
  sessions: count,
  leftOut: list(members({ session: text, reason: text })),
});

const page = members<Omit<BundlePage, 'format'>>({
  created: text,
  gateway: members({ name: text, version: text }),
  question: members({ words: text, parameters: object }),
  completeness,
  sessions: list(session),
  ledger: members({
    origin: text,
    checkpoint: text,
    verifierKey: text,
    tiles: record(text),
    erased: list(pair(count, text)),
  }),
  records: members({ scripts: list(text), count }),
  notes: list(text),
});

/** What `page/bundle.js` delivered, once it is known to have the form of contract/bundle-page.ts. Throws DataFault. */
export function readBundlePage(value: unknown): BundlePage {
  const { format } = object(value, 'bundle');
  if (format !== 1) throw new DataFault(`This bundle has the format ${JSON.stringify(format)}; this page reads format 1.`);
  return { format, ...page(value, 'bundle') };
}
