import { SallyportError } from '../../base/errors.ts';
import { FieldReader, MalformedMessage, MessageType, writeMessage } from './connection-messages.ts';
import { cutOff, decideOn } from './gatekeeper.ts';
import type { RelayedChannel } from './relayed-channel.ts';
import { fileAction, isDecided } from './sftp-actions.ts';
import { SftpBoundary } from './sftp-boundary.ts';
import type { SftpObserver } from './sftp-observer.ts';
import { checkedLength, SftpType, UndecodableSftp } from './sftp-packets.ts';
import type { SshRelay } from './ssh-relay.ts';

/** Length, type and number of a request. */
const HEADER_BYTES = 9;
/** SSH_FX_PERMISSION_DENIED (draft-ietf-secsh-filexfer-02, section 7). */
const PERMISSION_DENIED = 3;
/** Refusals that may wait for room in the client's window. */
const MAX_REFUSALS = 1024;

/**
 * Decides about files, request by request: what is refused never reaches the target, and the client gets the answer that
 * a server without the permission gives. Everything else passes with the very bytes that came.
 */
export class SftpGate {
  readonly #relay: SshRelay;
  readonly #channel: RelayedChannel;
  readonly #observer: SftpObserver;
  readonly #input = new SftpBoundary();
  readonly #output = new SftpBoundary();
  /** Whether requests are told apart; before that only where they begin and end. */
  #following = false;
  /** What has arrived and not been looked at. */
  #arrived: Buffer[] = [];
  #arrivedBytes = 0;
  /** Bytes of a request that need no decision and are still to pass. */
  #passing = 0;
  #deciding = false;
  #off = false;
  #refusals: Buffer[] = [];

  constructor(relay: SshRelay, channel: RelayedChannel, observer: SftpObserver) {
    this.#relay = relay;
    this.#channel = channel;
    this.#observer = observer;
  }

  /** From the client, whose message this is. */
  fromClient(message: Buffer, bytes: Buffer): void {
    const { session, target } = this.#relay;
    const whole = (): void => this.#relay.pass(this.#channel, this.#channel.data('i', bytes), bytes.length, () => target.send(message));
    if (!this.#following && !this.#off) {
      if (session.decidesFiles) return this.#guarded(() => this.#follow(bytes, whole));
      whole();
      this.#guarded(() => void this.#input.pass(bytes));
      return;
    }
    this.#guarded(() => {
      if (this.#off && session.decidesFiles) throw new UndecodableSftp('it was none before');
      if (this.#off) return whole();
      this.#look(bytes, whole);
    });
  }

  /**
   * An operator may begin to step through a session in the middle of a request: from the next one on it is decided,
   * wherever in a message that begins. A client that cuts its requests across messages is followed all the same.
   */
  #follow(bytes: Buffer, whole: () => void): void {
    const end = this.#input.atBoundary ? 0 : this.#input.passFirst(bytes);
    this.#following = this.#input.atBoundary;
    if (end === 0) this.#look(bytes, whole);
    else if (end === bytes.length) whole();
    else {
      this.#toTarget([bytes.subarray(0, end)]);
      this.#arrive(bytes.subarray(end));
    }
  }

  #look(bytes: Buffer, whole: () => void): void {
    if (this.#passes(bytes)) whole();
    else this.#arrive(bytes);
  }

  #arrive(bytes: Buffer): void {
    // A copy: what a transport hands over is its own until it reads again.
    this.#arrived.push(Buffer.from(bytes));
    this.#arrivedBytes += bytes.length;
    this.#run();
  }

  /** Whether everything in these bytes passes as it is, which is so for nearly all of them. */
  #passes(bytes: Buffer): boolean {
    if (this.#arrivedBytes > 0 || this.#deciding) return false;
    let passing = this.#passing;
    for (let at = 0; at < bytes.length; ) {
      if (passing === 0) {
        if (bytes.length - at < 5 || this.#mustDecide(bytes[at + 4] as number)) return false;
        passing = 4 + checkedLength(bytes.readUInt32BE(at));
      }
      const step = Math.min(passing, bytes.length - at);
      passing -= step;
      at += step;
    }
    this.#passing = passing;
    return true;
  }

  #mustDecide(type: number): boolean {
    return this.#relay.session.decidesFiles && isDecided(type);
  }

  /** From the target, whose message this is. */
  fromTarget(message: Buffer, bytes: Buffer): void {
    const { client } = this.#relay;
    let end = bytes.length;
    this.#guarded(() => {
      if (!this.#off) end = this.#output.pass(bytes);
    });
    if (this.#channel.cut) return;
    const { clientId } = this.#channel;
    if (this.#refusals.length === 0 || end === 0 || end === bytes.length || clientId === undefined) {
      this.#relay.pass(this.#channel, this.#channel.data('o', bytes), bytes.length, () => client.send(message));
    } else {
      this.#toClient(bytes.subarray(0, end));
      this.#sendRefusals();
      this.#toClient(bytes.subarray(end));
    }
    this.roomGrew();
  }

  /** The client's window may have room again. */
  roomGrew(): void {
    if (this.#output.atBoundary) this.#sendRefusals();
  }

  #run(): void {
    while (!this.#deciding && !this.#off && this.#arrivedBytes > 0) {
      if (this.#passing > 0) {
        const pieces = this.#take(Math.min(this.#passing, this.#arrivedBytes));
        for (const piece of pieces) this.#passing -= piece.length;
        this.#toTarget(pieces);
        continue;
      }
      if (this.#arrivedBytes < 5) return;
      const head = this.#peek(5);
      const whole = 4 + checkedLength(head.readUInt32BE(0));
      if (!this.#mustDecide(head[4] as number)) {
        this.#passing = whole;
        continue;
      }
      if (this.#arrivedBytes < whole) return;
      this.#decide(this.#take(whole));
    }
  }

  #decide(pieces: Buffer[]): void {
    const request = Buffer.concat(pieces);
    if (request.length < HEADER_BYTES) throw new MalformedMessage('a request of SFTP without its number');
    const id = request.readUInt32BE(5);
    const wanted = fileAction(request[4] as number, new FieldReader(request, HEADER_BYTES), (name) => this.#observer.handle(name));
    if (wanted === undefined) return this.#toTarget(pieces);
    this.#deciding = true;
    const over = (step: () => void) => () => {
      this.#deciding = false;
      step();
      this.#guarded(() => this.#run());
    };
    decideOn(this.#relay, this.#channel, wanted.action, wanted.facts, {
      proceed: over(() => this.#toTarget(pieces)),
      refuse: (error) => over(() => this.#refuse(id, wanted.facts, request.length, error))(),
    });
  }

  /** The request is answered here, and its bytes no longer count against the client's window. */
  #refuse(id: number, facts: Readonly<Record<string, unknown>>, bytes: number, error: SallyportError): void {
    const { clientId } = this.#channel;
    if (clientId === undefined) return;
    const { operation, ...rest } = facts;
    const seen = this.#channel.event(
      { t: 'file', op: operation, ...rest, result: `refused: ${error.code}` },
      `refused: ${String(operation)}`,
    );
    this.#relay.pass(this.#channel, [seen], 0, () =>
      this.#relay.client.send(writeMessage(MessageType.CHANNEL_WINDOW_ADJUST, clientId, bytes)),
    );
    if (this.#refusals.length >= MAX_REFUSALS) throw new UndecodableSftp('more requests than the client takes answers for');
    this.#refusals.push(statusOf(id, `sallyport: ${error.message}`.slice(0, 256)));
    this.roomGrew();
  }

  /** Between two packets of the target, and as far as the client has room. */
  #sendRefusals(): void {
    const { clientId, spare } = this.#channel;
    while (clientId !== undefined) {
      const [status] = this.#refusals;
      if (status === undefined || spare?.take(status.length) !== true) return;
      this.#refusals.shift();
      const message = writeMessage(MessageType.CHANNEL_DATA, clientId, status);
      const at = this.#channel.recording.now();
      const frames = [
        this.#channel.event({ t: 'notice', s: 'o', bytes: status.length }),
        { kind: 'data' as const, at, stream: 'o' as const, bytes: status },
      ];
      this.#relay.pass(this.#channel, frames, message.length, () => this.#relay.client.send(message));
    }
  }

  #toClient(bytes: Buffer): void {
    const { clientId } = this.#channel;
    if (clientId === undefined) return;
    const message = writeMessage(MessageType.CHANNEL_DATA, clientId, bytes);
    this.#relay.pass(this.#channel, this.#channel.data('o', bytes), bytes.length, () => this.#relay.client.send(message));
  }

  #toTarget(pieces: readonly Buffer[]): void {
    const { targetId } = this.#channel;
    if (targetId === undefined) return;
    for (const bytes of pieces) {
      const message = writeMessage(MessageType.CHANNEL_DATA, targetId, bytes);
      this.#relay.pass(this.#channel, this.#channel.data('i', bytes), bytes.length, () => this.#relay.target.send(message));
    }
  }

  /** What cannot be decoded cannot be decided: it passes only where files are not decided about. */
  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof UndecodableSftp || error instanceof MalformedMessage)) throw error;
      if (this.#relay.session.decidesFiles) {
        const refused = new SallyportError('ACTION_DENIED', `what follows is no SFTP that could be decided about: ${error.message}`);
        cutOff(this.#relay, this.#channel, refused, false);
        this.#arrived = [];
        this.#arrivedBytes = 0;
      } else {
        const pieces = this.#take(this.#arrivedBytes);
        this.#toTarget(pieces);
      }
      this.#off = true;
    }
  }

  #peek(bytes: number): Buffer {
    const [first] = this.#arrived;
    return first !== undefined && first.length >= bytes ? first : Buffer.concat(this.#arrived, Math.max(bytes, 0)).subarray(0, bytes);
  }

  /** The first bytes of what has arrived, in the pieces in which it came: none is larger than the target takes. */
  #take(bytes: number): Buffer[] {
    const taken: Buffer[] = [];
    let left = bytes;
    while (left > 0) {
      const piece = this.#arrived[0] as Buffer;
      if (piece.length <= left) this.#arrived.shift();
      else this.#arrived[0] = piece.subarray(left);
      taken.push(piece.length <= left ? piece : piece.subarray(0, left));
      left -= Math.min(piece.length, left);
    }
    this.#arrivedBytes -= bytes;
    return taken;
  }
}

function statusOf(id: number, message: string): Buffer {
  const body = writeMessage(SftpType.STATUS, id, PERMISSION_DENIED, message, 'en');
  const packet = Buffer.allocUnsafe(4 + body.length);
  packet.writeUInt32BE(body.length, 0);
  body.copy(packet, 4);
  return packet;
}
