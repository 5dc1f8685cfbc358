import type { BundlePageSession } from '../../contract/bundle-page.ts';
import { factsOf, type ReadRecord, textOr } from './record-facts.ts';
import type { ChannelFacts, SessionFacts } from './session-facts.ts';

/**
 * Whether the records of a session tell all of it: it was opened, it ended, every channel has all its parts, and the
 * list that this page shows says what the records say. Gives what is wrong, in words.
 */
export function checkSession(row: BundlePageSession, facts: SessionFacts | undefined): string[] {
  if (facts === undefined) return ['None of its records is in the bundle.'];
  if (row.state === 'erased') {
    return facts.erased.length > 0 ? [] : ['It is listed as erased, and no record says who erased it and why.'];
  }
  const faults = [...checkEnds(row, facts), ...checkListed(row, facts)];
  const recovered = channelsOf(facts.recovered);
  for (const [number, channel] of facts.channels) faults.push(...checkChannel(row, number, channel, recovered.has(number)));
  for (const { channel } of row.recordings) {
    if (!facts.channels.has(channel)) faults.push(`Channel ${channel} is listed, and no record knows of it.`);
  }
  return faults;
}

function checkEnds(row: BundlePageSession, facts: SessionFacts): string[] {
  const faults: string[] = [];
  if (facts.open === undefined) faults.push('The record of its beginning (session.open) is missing.');
  const ended = facts.close !== undefined || facts.recovered !== undefined;
  if (row.state === 'live' && ended) faults.push('It is listed as still running, and its end is recorded.');
  if (row.state === 'closed' && facts.close === undefined) faults.push('The record of its end (session.close) is missing.');
  if (row.state === 'recovered' && facts.recovered === undefined) faults.push('The record of its recovery (session.recovered) is missing.');
  const { channels, code } = facts.close?.body ?? {};
  const opened = [...facts.channels.values()].filter((channel) => channel.opened !== undefined).length;
  // A session that ended for a fault of the disk may have a channel whose opening could not be recorded any more.
  const excused = typeof code === 'string' && typeof channels === 'number' && opened < channels;
  if (typeof channels === 'number' && channels !== opened && !excused)
    faults.push(`It ended with ${plural(channels, 'channel')}, and the bundle has records of ${opened}.`);
  return faults;
}

/** The list is for people; the records are the evidence. Where the two differ, the list was changed. */
function checkListed(row: BundlePageSession, { open, close }: SessionFacts): string[] {
  if (open === undefined) return [];
  const listed: [name: string, listed: string | null, recorded: string | null][] = [
    ['principal', row.principal, textOr(open.actor.principal, '')],
    ['human', row.onBehalfOf, typeof open.actor.onBehalfOf === 'string' ? open.actor.onBehalfOf : null],
    ['target', row.target, textOr(open.target.name, '')],
    ['protocol', row.protocol, textOr(open.body.protocol, '')],
    ['origin', row.source, textOr(open.actor.source, '')],
    ['beginning', row.started, open.time],
  ];
  if (close !== undefined && row.ended !== null) listed.push(['end', row.ended, close.time]);
  return listed
    .filter(([, shown, recorded]) => shown !== recorded)
    .map(([name, shown, recorded]) => `The list names the ${name} ${quoted(shown)}; the record says ${quoted(recorded)}.`);
}

/** Channels that a `session.recovered` accounts for. */
function channelsOf(recovered: ReadRecord | undefined): Set<unknown> {
  const channels = recovered?.body.channels;
  return new Set(Array.isArray(channels) ? channels.map((each) => factsOf(each).channel) : []);
}

function checkChannel(row: BundlePageSession, number: number, { opened, closed, seals }: ChannelFacts, recovered: boolean): string[] {
  const faults: string[] = [];
  const name = `Channel ${number}`;
  // Recovery completes a channel whose opening was never recorded, and says that there was one.
  if (opened === undefined && !recovered) faults.push(`${name}: the record of its beginning (channel.open) is missing.`);
  if (closed === undefined && row.state === 'closed') faults.push(`${name}: the record of its end (channel.close) is missing.`);
  const inOrder = [...seals].sort((a, b) => a.segment - b.segment);
  let to = 0;
  const offsets = { i: 0, o: 0, e: 0 };
  for (const [at, seal] of inOrder.entries()) {
    if (seal.segment !== at + 1) {
      faults.push(`${name}: part ${at + 1} of its recording has no seal.`);
      break;
    }
    if (seal.from !== to) faults.push(`${name}: there is a gap in time before part ${seal.segment}.`);
    for (const stream of ['i', 'o', 'e'] as const) {
      if (seal.streams[stream].offset !== offsets[stream])
        faults.push(`${name}: bytes are missing before part ${seal.segment} (stream ${stream}).`);
      offsets[stream] = seal.streams[stream].offset + seal.streams[stream].bytes;
    }
    to = seal.to;
  }
  if (closed !== undefined && closed.segments !== seals.length)
    faults.push(`${name}: it ended with ${plural(closed.segments, 'part')}, and ${seals.length} have a seal.`);
  const listed = row.recordings.find((recording) => recording.channel === number)?.segments ?? [];
  for (const seal of inOrder) {
    if (!listed.some(({ segment }) => segment === seal.segment))
      faults.push(`${name}: part ${seal.segment} is sealed, and the bundle does not have it.`);
  }
  for (const { segment } of listed) {
    if (!seals.some((seal) => seal.segment === segment)) faults.push(`${name}: part ${segment} is in the bundle, and no record seals it.`);
  }
  return faults;
}

function quoted(value: string | null): string {
  return value === null ? 'as nobody' : `“${value}”`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
