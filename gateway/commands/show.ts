import type { AuditRecord } from '../../contract/record.ts';
import type { ChannelRow, SegmentRow } from '../../contract/session.ts';
import { printable } from '../base/printable.ts';
import { findChannels } from '../query/find-channels.ts';
import { findSession } from '../query/find-session.ts';
import { type SessionRecord, sessionRecords } from '../query/session-records.ts';
import type { Database } from '../store/database.ts';
import type { StoredSession } from '../store/sessions-table.ts';
import { type DataOptions, withData } from './open-data.ts';
import { jsonLine, print } from './output.ts';
import { duration, who } from './session-table.ts';

export interface ShowOptions extends DataOptions {
  json?: boolean;
}

export async function show(name: string, options: ShowOptions): Promise<number> {
  return withData(options, async (database) => {
    const session = await findSession(database, name);
    const channels = await findChannels(database, session);
    const segments = await database.segments.ofSession(session.id);
    const open = await firstOf(sessionRecords(database, session.id), 'session.open');
    if (options.json === true) await printObject(database, session, open, channels, segments);
    else await printText(database, session, open, channels, segments);
    return 0;
  });
}

/** One JSON object on one line, written as it is read: a session may have any number of records. */
async function printObject(
  database: Database,
  session: StoredSession,
  open: AuditRecord<'session.open'> | undefined,
  channels: ChannelRow[],
  segments: SegmentRow[],
): Promise<void> {
  const { seq: _, ...row } = session;
  const withSegments = channels.map((channel) => ({
    ...channel,
    segments: segments.filter((segment) => segment.channel === channel.channel),
  }));
  const head = {
    ...row,
    requested: open?.body.requested ?? null,
    client: open?.body.client ?? null,
    via: open?.body.via ?? null,
    decision: open?.body.decision ?? null,
    resource: open?.target ?? null,
    channels: withSegments,
  };
  await print(`${jsonLine(head).slice(0, -2)},"records":[`);
  let separator = '';
  for await (const { seq, hash, type, time, record } of sessionRecords(database, session.id)) {
    await print(`${separator}${jsonLine(record === null ? { seq, hash, type, time, record } : { seq, hash, record }).slice(0, -1)}`);
    separator = ',';
  }
  await print(']}\n');
}

async function printText(
  database: Database,
  session: StoredSession,
  open: AuditRecord<'session.open'> | undefined,
  channels: ChannelRow[],
  segments: SegmentRow[],
): Promise<void> {
  const facts: [string, string][] = [
    ['session', session.id],
    ['who', session.state === 'erased' ? who(session) : `${who(session)} (${session.principalKind})`],
    ['from', `${session.source}${open === undefined ? '' : `, ${open.body.client}${through(open)}`}`],
    ['proved by', open === undefined ? 'not on record' : authentication(open)],
    ['target', `${session.target}${open?.target.address === undefined ? '' : ` at ${open.target.address}`} over ${session.protocol}`],
    [
      'decision',
      open === undefined
        ? 'not on record'
        : `${open.body.decision.verdict}, by ${open.body.decision.policies.join(', ') || 'no policy'} of ${open.body.decision.policySet}`,
    ],
    ['state', `${session.state}${session.reason === null ? '' : `: ${session.reason}`}`],
    ['time', `${session.started} to ${session.ended ?? 'now'} (${duration(session)})`],
    ['bytes', `${session.bytesIn} in, ${session.bytesOut} out`],
  ];
  await print(facts.map(([name, value]) => `${name.padEnd(10)} ${printable(value)}\n`).join(''));
  for (const channel of channels) {
    const own = segments.filter((segment) => segment.channel === channel.channel);
    await print(channelText(channel, own));
  }
  const counts = new Map<string, number>();
  let refused = '';
  for await (const { type, record } of sessionRecords(database, session.id)) {
    const name = record === null ? `${type} (erased)` : type;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (record?.type === 'erased') await print(erasedText(record));
    if (record?.outcome === 'denied' && refused.length < 4096) refused += deniedText(record);
  }
  await print(refused);
  await print(`\nrecords    ${[...counts].map(([type, count]) => `${count} ${type}`).join(', ')}\n`);
}

function channelText(channel: ChannelRow, segments: readonly SegmentRow[]): string {
  const { command, ...detail } = channel.detail;
  const more = Object.entries(detail).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const exit =
    channel.exit === null
      ? channel.closed === null
        ? 'open'
        : 'no exit status'
      : channel.exit.signal !== undefined
        ? `killed by ${channel.exit.signal}`
        : `exit ${channel.exit.status}`;
  const { i, o, e } = channel.bytes;
  const lines = [
    `channel ${channel.channel}: ${channel.kind}${typeof command === 'string' ? ` $ ${command}` : ''}${more.length === 0 ? '' : ` (${more.join(', ')})`}`,
    `  ${exit}; ${i} bytes in, ${o} out, ${e} error output; ${channel.opened.slice(0, 23)}Z to ${channel.closed === null ? 'now' : `${channel.closed.slice(0, 23)}Z`}`,
    ...segments.map((segment) => `  ${segment.file}  ${segment.bytes} bytes, ${segment.events} events, sha256 ${segment.sha256}`),
  ];
  return `\n${lines.map((line) => `${printable(line)}\n`).join('')}`;
}

function deniedText(record: AuditRecord): string {
  const what = record.type === 'action.decided' ? `${record.body.action} ${JSON.stringify(record.body.facts)}` : record.type;
  return `\ndenied     ${printable(`${record.time} ${what}`)}\n`;
}

function erasedText({ time, actor, body }: AuditRecord<'erased'>): string {
  const part = body.parts === 1 ? '' : `, part ${body.part} of ${body.parts}`;
  const by = body.request?.signatures.map(({ principal }) => principal).join(' and ') ?? actor.principal;
  const basis = body.basis === 'retention' ? 'at the end of its retention' : 'on request';
  return `\nerased     ${printable(`${time} ${basis}, by ${by}: ${body.reason} (${body.files.length} ${body.files.length === 1 ? 'file' : 'files'}${part})`)}\n`;
}

function authentication(open: AuditRecord<'session.open'>): string {
  const { authentication: how } = open.actor;
  return how === undefined ? 'nothing' : `${how.method}${how.key === undefined ? '' : ` ${how.key}`}`;
}

function through({ body: { via } }: AuditRecord<'session.open'>): string {
  return via === undefined ? '' : `, through a connection of ${via.principal}`;
}

async function firstOf<T extends AuditRecord['type']>(records: AsyncIterable<SessionRecord>, type: T): Promise<AuditRecord<T> | undefined> {
  for await (const { record } of records) if (record?.type === type) return record as AuditRecord<T>;
  return undefined;
}
