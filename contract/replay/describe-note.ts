import type { Note } from './cast-event.ts';

/** What a mark on the timeline is about; its colour and its place in the legend. */
export type MarkKind = 'command' | 'file' | 'connection' | 'decision' | 'secret' | 'signal' | 'end' | 'marker' | 'damage';

export interface Description {
  /** One line for the transcript; undefined when a person has no use for it. */
  words: string | undefined;
  /** Undefined for what is no moment to look for. */
  mark: MarkKind | undefined;
}

const streamNames: Readonly<Record<string, string>> = { i: 'input', o: 'output', e: 'error output' };

/** What a `+` event says, for the types of docs/recording-format.md; a type that is not known is shown as it stands. */
export function describeNote(note: Note): Description {
  switch (note.t) {
    case 'ssh.request':
      return describeRequest(note);
    case 'ssh.exit-signal':
      return { words: `Killed by signal ${word(note.signal)}${note.message ? `: ${word(note.message)}` : ''}`, mark: 'signal' };
    case 'ssh.open-failure':
      return { words: `The channel was not opened: ${word(note.message ?? note.reason)}`, mark: 'end' };
    case 'file':
      return { words: describeFile(note), mark: 'file' };
    case 'forward':
      return { words: `Connection from ${word(note.from)} to ${word(note.to)}${rest(note, ['t', 'from', 'to'])}`, mark: 'connection' };
    case 'bulk':
      return {
        words: `${amount(note.bytes)} of binary ${streamNames[word(note.s)] ?? word(note.s)}, SHA-256 ${word(note.sha256)}`,
        mark: 'file',
      };
    case 'redact':
      return { words: 'Input after a prompt for a secret; it was never recorded', mark: 'secret' };
    case 'lost':
      return { words: `${amount(note.bytes)} of the recording were lost before the gateway could keep them`, mark: 'damage' };
    case 'decision':
      return {
        words: `Decision: ${word(note.verdict)} ${word(note.action)}${policies(note.policies)}`,
        mark: note.verdict === 'allow' ? undefined : 'decision',
      };
    case 'approval':
      return { words: describeApproval(note), mark: 'decision' };
    case 'supervise':
      return { words: describeSupervision(note), mark: 'decision' };
    case 'notice':
    case 'fd':
    case 'raw':
    case 'clock':
    case 'terminal':
    case 'content':
    case 'resize':
    case 'ssh.eof':
      return { words: undefined, mark: undefined };
    default:
      return { words: `${note.t}${rest(note, ['t'])}`, mark: 'marker' };
  }
}

function describeRequest(note: Note): Description {
  const refused = note.passed === false ? ' (refused)' : '';
  switch (note.request) {
    case 'exec':
      return { words: `${word(note.command)}${refused}`, mark: 'command' };
    case 'shell':
      return { words: `Shell started${refused}`, mark: 'command' };
    case 'subsystem':
      return { words: `Subsystem ${word(note.name)} started${refused}`, mark: 'command' };
    case 'pty-req':
      return { words: `Terminal ${word(note.term)}, ${word(note.cols)} × ${word(note.rows)}${refused}`, mark: undefined };
    case 'env':
      return {
        words: `Environment ${word(note.name)}=${word(note.value)}${note.passed === false ? ' (not passed on)' : ''}`,
        mark: undefined,
      };
    case 'signal':
      return { words: `Signal ${word(note.signal)}${refused}`, mark: 'signal' };
    case 'window-change':
      return { words: undefined, mark: undefined };
    default:
      return { words: `Request ${word(note.request)}${rest(note, ['t', 'request', 'passed'])}${refused}`, mark: undefined };
  }
}

function describeApproval(note: Note): string {
  switch (note.state) {
    case 'asked':
      return `Approval asked by the rule ${word(note.rule)}, request ${word(note.approval)}`;
    case 'approved':
      return `Approved${policies(note.by)}, request ${word(note.approval)}`;
    case 'refused':
      return `Not approved: ${word(note.code)}`;
    default:
      return `Approval${rest(note, ['t'])}`;
  }
}

const deeds: Readonly<Record<string, string>> = {
  message: 'Message',
  pause: 'Paused',
  resume: 'Resumed',
  step: 'Stepped through',
  terminate: 'Ended',
};

/** What an operator did to the session. */
function describeSupervision(note: Note): string {
  const deed = note.what === 'step' && note.on === false ? 'Stepping ended' : (deeds[word(note.what)] ?? word(note.what));
  return `${deed} by ${word(note.by)}: ${word(note.text ?? note.reason)}`;
}

function describeFile(note: Note): string {
  const to = note.to ?? note.target;
  const parts = [word(note.op), word(note.path)];
  if (to !== undefined) parts.push(`→ ${word(to)}`);
  if (note.bytes !== undefined) parts.push(amount(note.bytes));
  if (note.sha256 !== undefined) parts.push(`SHA-256 ${word(note.sha256)}`);
  return `${parts.join(' ')}${rest(note, ['t', 'op', 'path', 'to', 'target', 'bytes', 'sha256'])}`;
}

function policies(value: unknown): string {
  return Array.isArray(value) && value.length > 0 ? `, by ${value.map(word).join(', ')}` : '';
}

function amount(bytes: unknown): string {
  return bytes === 1 ? '1 byte' : `${typeof bytes === 'number' ? bytes.toLocaleString('en') : word(bytes)} bytes`;
}

/** Whatever else the note says, as `name=value`. */
function rest(note: Note, known: readonly string[]): string {
  const others = Object.entries(note).filter(([name, value]) => !known.includes(name) && value !== undefined && value !== null);
  return others.map(([name, value]) => ` ${name}=${word(value)}`).join('');
}

function word(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
