import { printable } from '../base/printable.ts';

/** The object of a `+` event, as read from a recording: nothing about its members is certain but `t`. */
export type RecordedObject = { readonly t: string; readonly [member: string]: unknown };

export function readRecordedObject(data: string): RecordedObject | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null && 't' in value && typeof value.t === 'string'
      ? (value as RecordedObject)
      : undefined;
  } catch {
    return undefined;
  }
}

/** A `+` event as a line of a transcript; undefined when there is nothing in it to read. */
export function describeEvent(event: RecordedObject): string | undefined {
  switch (event.t) {
    case 'ssh.request':
      return describeRequest(event);
    case 'ssh.exit-signal':
      return `[killed by ${word(event.signal)}${event.message === undefined || event.message === '' ? '' : `: ${word(event.message)}`}]`;
    case 'file':
      return describeFile(event);
    case 'bulk':
      return `[${word(event.bytes)} bytes of binary ${streamNames[word(event.s)] ?? word(event.s)}, sha256 ${word(event.sha256)}]`;
    case 'redact':
      return '[input after a prompt for a secret is not recorded]';
    case 'lost':
      return `[${word(event.bytes)} bytes of the recording are lost]`;
    case 'decision':
      return `[decision: ${word(event.verdict)} ${word(event.action)}${list(event.policies)}]`;
    case 'approval':
      return `[${describeApproval(event)}]`;
    case 'supervise':
      return `[${describeSupervision(event)}]`;
    case 'resize':
    case 'notice':
      return undefined;
    case 'fd':
    case 'raw':
    case 'clock':
    case 'terminal':
    case 'content':
    case 'ssh.eof':
      return undefined;
    default:
      return `[${printable(event.t)}${rest(event, ['t'])}]`;
  }
}

const streamNames: Readonly<Record<string, string>> = { i: 'input', o: 'output', e: 'error output' };

function describeRequest(event: RecordedObject): string | undefined {
  switch (event.request) {
    case 'exec':
      return `$ ${printable(word(event.command, { raw: true }), { keepLines: true }).replaceAll('\n', '\n> ')}`;
    case 'shell':
      return '[shell]';
    case 'subsystem':
      return `[subsystem ${word(event.name)}]`;
    case 'pty-req':
      return `[terminal ${word(event.term)} ${word(event.cols)}x${word(event.rows)}]`;
    case 'env':
      return `[environment ${word(event.name)}=${word(event.value)}${event.passed === false ? ', not passed on' : ''}]`;
    case 'signal':
      return `[signal ${word(event.signal)}]`;
    case 'window-change':
      return undefined;
    default:
      return `[${word(event.request)}${rest(event, ['t', 'request'])}]`;
  }
}

/** What waits, and what came of it. */
function describeApproval(event: RecordedObject): string {
  switch (event.state) {
    case 'asked':
      return `approval asked by the rule ${word(event.rule)}, request ${word(event.approval)}`;
    case 'approved':
      return `approved${list(event.by)}, request ${word(event.approval)}`;
    case 'refused':
      return `not approved: ${word(event.code)}`;
    default:
      return `approval${rest(event, ['t'])}`;
  }
}

/** What an operator did to the session. */
function describeSupervision(event: RecordedObject): string {
  const by = word(event.by);
  switch (event.what) {
    case 'message':
      return `message of ${by}: ${word(event.text)}`;
    case 'pause':
      return `paused by ${by}: ${word(event.reason)}`;
    case 'resume':
      return `resumed by ${by}: ${word(event.reason)}`;
    case 'step':
      return `${event.on === false ? 'stepping ended' : 'stepped through'} by ${by}: ${word(event.reason)}`;
    case 'terminate':
      return `ended by ${by}: ${word(event.reason)}`;
    default:
      return `supervision${rest(event, ['t'])}`;
  }
}

/** `get /path 123 bytes sha256 …`; a rename as `rename /from → /to`; a refusal by the target with its result. */
function describeFile(event: RecordedObject): string {
  const { op, path, bytes, sha256 } = event;
  const to = event.to ?? event.target;
  const parts = [word(op), word(path)];
  if (to !== undefined) parts.push(`→ ${word(to)}`);
  if (bytes !== undefined) parts.push(`${word(bytes)} bytes`);
  if (sha256 !== undefined) parts.push(`sha256 ${word(sha256)}`);
  return `${parts.join(' ')}${rest(event, ['t', 'op', 'path', 'to', 'target', 'bytes', 'sha256'])}`;
}

function list(value: unknown): string {
  return Array.isArray(value) && value.length > 0 ? `, by ${value.map((element) => word(element)).join(', ')}` : '';
}

/** Whatever else the event says, as `name=value`. */
function rest(event: RecordedObject, known: readonly string[]): string {
  const others = Object.entries(event).filter(([name, value]) => !known.includes(name) && value !== undefined && value !== null);
  return others.map(([name, value]) => ` ${printable(name)}=${word(value)}`).join('');
}

function word(value: unknown, options: { raw?: boolean } = {}): string {
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
  return options.raw === true ? text : printable(text);
}
