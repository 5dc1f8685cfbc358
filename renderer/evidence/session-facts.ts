import { type Facts, factsOf, numberOr, type ReadRecord, textOr } from './record-facts.ts';

/** What the seal of one segment says (`segment.sealed`). Nanoseconds since the channel opened. */
export interface Seal {
  index: number;
  channel: number;
  segment: number;
  file: string;
  bytes: number;
  sha256: string;
  from: number;
  to: number;
  /** The cast text, decompressed; undefined in records before 0.2. */
  text: { bytes: number; lines: number; sha256: string } | undefined;
  /** Content that was kept whole, in files of its own. */
  attachments: { file: string; bytes: number; sha256: string }[];
  /** Per stream, where its bytes in this segment begin and how many there are. */
  streams: Readonly<Record<'i' | 'o' | 'e', { offset: number; bytes: number }>>;
}

export interface ChannelFacts {
  opened: ReadRecord | undefined;
  /** Number of segments that the channel ended with. */
  closed: { segments: number } | undefined;
  seals: Seal[];
}

/** What the records of one session say, as far as checks and headings need it. */
export interface SessionFacts {
  /** Ledger indexes of its records, in order, each with the script that holds it. */
  records: { index: number; script: string }[];
  open: ReadRecord | undefined;
  close: ReadRecord | undefined;
  recovered: ReadRecord | undefined;
  erased: ReadRecord[];
  channels: Map<number, ChannelFacts>;
}

export function noFacts(): SessionFacts {
  return { records: [], open: undefined, close: undefined, recovered: undefined, erased: [], channels: new Map() };
}

export function takeRecord(facts: SessionFacts, record: ReadRecord, script: string): void {
  facts.records.push({ index: record.index, script });
  switch (record.type) {
    case 'session.open':
      facts.open ??= record;
      return;
    case 'session.close':
      facts.close ??= record;
      return;
    case 'session.recovered':
      facts.recovered ??= record;
      return;
    case 'erased':
      facts.erased.push(record);
      return;
    case 'channel.open':
      channelOf(facts, record.body).opened ??= record;
      return;
    case 'channel.close':
      channelOf(facts, record.body).closed ??= { segments: numberOr(record.body.segments, -1) };
      return;
    case 'segment.sealed':
      takeSeal(channelOf(facts, record.body), readSeal(record));
      return;
    default:
      return;
  }
}

/** A gateway that died after recording a seal and finds the file gone seals that part again: the later one holds. */
function takeSeal(channel: ChannelFacts, seal: Seal): void {
  const known = channel.seals.findIndex(({ segment }) => segment === seal.segment);
  if (known < 0) channel.seals.push(seal);
  else channel.seals[known] = seal;
}

function channelOf(facts: SessionFacts, body: Facts): ChannelFacts {
  const number = numberOr(body.channel, -1);
  let channel = facts.channels.get(number);
  if (channel === undefined) {
    channel = { opened: undefined, closed: undefined, seals: [] };
    facts.channels.set(number, channel);
  }
  return channel;
}

function readSeal({ index, body }: ReadRecord): Seal {
  const text = factsOf(body.text);
  const streams = factsOf(body.streams);
  const stream = (name: string) => {
    const one = factsOf(streams[name]);
    return { offset: numberOr(one.offset, -1), bytes: numberOr(one.bytes, -1) };
  };
  return {
    index,
    channel: numberOr(body.channel, -1),
    segment: numberOr(body.segment, -1),
    file: textOr(body.file, ''),
    bytes: numberOr(body.bytes, -1),
    sha256: textOr(body.sha256, ''),
    from: numberOr(body.from, 0),
    to: numberOr(body.to, 0),
    text:
      typeof text.sha256 === 'string'
        ? { bytes: numberOr(text.bytes, -1), lines: numberOr(text.lines, -1), sha256: text.sha256 }
        : undefined,
    attachments: (Array.isArray(body.attachments) ? body.attachments : []).map(factsOf).map((attachment) => ({
      file: textOr(attachment.file, ''),
      bytes: numberOr(attachment.bytes, -1),
      sha256: textOr(attachment.sha256, ''),
    })),
    streams: { i: stream('i'), o: stream('o'), e: stream('e') },
  };
}
