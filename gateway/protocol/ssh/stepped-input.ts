import { say } from './channel-voice.ts';
import { MessageType, writeMessage } from './connection-messages.ts';
import { decideOn } from './gatekeeper.ts';
import type { RelayedChannel } from './relayed-channel.ts';
import type { SshRelay } from './ssh-relay.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Keys besides Enter that hand a line to whoever reads it: Ctrl-D to everybody who reads a terminal's lines, Ctrl-O to readline. */
const HANDING_OVER: ReadonlyMap<number, string> = new Map([
  [0x04, '^D'],
  [0x0f, '^O'],
]);
/** Bytes of a line without a terminal that wait for its end; a longer one is asked about in pieces, each shown whole. */
const MAX_UNSENT = 4096;
const NOTHING = Buffer.alloc(0);

/** Whether what the client sends may be lines for a shell: also before anything is started, for what is sent ahead may reach one. */
export function takesLines({ type, terminal, started }: RelayedChannel): boolean {
  return type === 'session' && (terminal !== undefined || started === undefined || started.action === 'ssh:shell');
}

/** What the client types. It is followed also while nobody steps, so that who begins to is shown the whole line. */
export function typedInput(relay: SshRelay, channel: RelayedChannel, message: Buffer, bytes: Buffer): void {
  if (relay.session.stepping) return stepInput(relay, channel, Buffer.from(bytes));
  sendUnsent(relay, channel);
  const feed = bytes.lastIndexOf(LINE_FEED);
  const enter = channel.terminal === undefined ? feed : Math.max(feed, bytes.lastIndexOf(CARRIAGE_RETURN));
  if (enter >= 0) channel.typed.clear();
  // Enter answers what asked for a secret: only new output can ask again.
  channel.typed.add(bytes.subarray(enter + 1), enter < 0 && channel.recording.withholding);
  relay.pass(channel, channel.data('i', bytes), bytes.length, () => relay.target.send(message));
}

/** The client has nothing more to say: a shell takes what stands there without Enter as a line then. */
export function endOfInput(relay: SshRelay, channel: RelayedChannel, pass: () => void): void {
  const { typed } = channel;
  if (!takesLines(channel) || !relay.session.stepping || (typed.empty && channel.unsent.length === 0)) {
    sendUnsent(relay, channel);
    return pass();
  }
  decideOn(
    relay,
    channel,
    'ssh:input',
    { ...typed.facts(channel.unsent), key: 'end of input' },
    {
      proceed: () => {
        sendUnsent(relay, channel);
        pass();
      },
      refuse: (error) => {
        dropUnsent(relay, channel);
        say(relay, channel, `${error.message}; the line was not handed over`);
        // What was sent before would be taken as a line.
        if (typed.empty) pass();
      },
    },
  );
}

/** While an operator steps through a session, each line waits for consent, and everything behind it. */
function stepInput(relay: SshRelay, channel: RelayedChannel, bytes: Buffer): void {
  if (channel.terminal === undefined) return stepLine(relay, channel, bytes);
  // What waited on a channel that had no terminal yet is looked at again: the terminal gives other keys a meaning.
  const waited = channel.unsent;
  channel.unsent = NOTHING;
  stepKeys(relay, channel, waited.length === 0 ? bytes : Buffer.concat([waited, bytes]));
}

/** At a terminal a line that is denied loses only its Enter: what was typed still stands at the target, and the next Enter asks for all of it. */
function stepKeys(relay: SshRelay, channel: RelayedChannel, bytes: Buffer): void {
  const { typed } = channel;
  const end = bytes.findIndex((byte) => byte === LINE_FEED || byte === CARRIAGE_RETURN || HANDING_OVER.has(byte));
  const before = end < 0 ? bytes : bytes.subarray(0, end);
  typed.add(before, channel.recording.withholding);
  send(relay, channel, before);
  if (end < 0) return;
  const pressed = bytes.subarray(end, end + 1);
  const key = HANDING_OVER.get(bytes[end] ?? 0);
  const rest = bytes.subarray(end + 1);
  decideOn(
    relay,
    channel,
    'ssh:input',
    { ...typed.facts(), ...(key === undefined ? {} : { key }) },
    {
      proceed: () => {
        // The other keys may leave the line where it is; then what follows belongs to it.
        if (key === undefined) typed.clear();
        else typed.add(pressed, false);
        send(relay, channel, pressed);
        goOn(relay, channel, rest);
      },
      refuse: (error) => {
        say(relay, channel, `${error.message}; the line still stands at the target`);
        goOn(relay, channel, rest);
      },
    },
  );
}

/**
 * Without a terminal nobody sees what is typed before Enter, and a shell runs what stands there when its input ends, as it
 * does when the client disconnects: nothing of a line is sent before there is consent, and what is denied is dropped.
 */
function stepLine(relay: SshRelay, channel: RelayedChannel, bytes: Buffer): void {
  const room = MAX_UNSENT - channel.unsent.length;
  const feed = bytes.subarray(0, room).indexOf(LINE_FEED);
  const end = feed < 0 ? Math.min(bytes.length, room) : feed + 1;
  channel.unsent = Buffer.concat([channel.unsent, bytes.subarray(0, end)]);
  if (feed < 0 && channel.unsent.length < MAX_UNSENT) return;
  const rest = bytes.subarray(end);
  const line = feed < 0 ? channel.unsent : channel.unsent.subarray(0, -1);
  decideOn(relay, channel, 'ssh:input', channel.typed.facts(line), {
    proceed: () => {
      sendUnsent(relay, channel);
      goOn(relay, channel, rest);
    },
    refuse: (error) => {
      dropUnsent(relay, channel);
      say(relay, channel, `${error.message}; the line was not sent`);
      goOn(relay, channel, rest);
    },
  });
}

function sendUnsent(relay: SshRelay, channel: RelayedChannel): void {
  const { unsent, typed } = channel;
  if (unsent.length === 0) return;
  channel.unsent = NOTHING;
  const feed = unsent.lastIndexOf(LINE_FEED);
  if (feed >= 0) typed.clear();
  typed.add(unsent.subarray(feed + 1), false);
  send(relay, channel, unsent);
}

/** The target never hears of it: the client gets back the room that it took for it. */
function dropUnsent(relay: SshRelay, channel: RelayedChannel): void {
  const { clientId, unsent } = channel;
  channel.unsent = NOTHING;
  if (clientId === undefined || unsent.length === 0) return;
  relay.follow(() => relay.client.send(writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, clientId, unsent.length)));
}

function send(relay: SshRelay, channel: RelayedChannel, piece: Buffer): void {
  const { targetId } = channel;
  if (targetId === undefined || piece.length === 0) return;
  const message = writeMessage(MessageType.CHANNEL_DATA, targetId, piece);
  relay.pass(channel, channel.data('i', piece), piece.length, () => relay.target.send(message));
}

function goOn(relay: SshRelay, { targetId }: RelayedChannel, rest: Buffer): void {
  if (targetId !== undefined && rest.length > 0) relay.fromClient(writeMessage(MessageType.CHANNEL_DATA, targetId, rest));
}
