import { isUtf8 } from 'node:buffer';

/**
 * Messages of the SSH connection protocol (RFC 4254): bytes ⇄ fields. Pure; owns no socket. Messages that pass through
 * are never rebuilt: the readers look into them, the writers make those that the gateway itself says.
 */

export const MessageType = {
  DISCONNECT: 1,
  GLOBAL_REQUEST: 80,
  REQUEST_SUCCESS: 81,
  REQUEST_FAILURE: 82,
  CHANNEL_OPEN: 90,
  CHANNEL_OPEN_CONFIRMATION: 91,
  CHANNEL_OPEN_FAILURE: 92,
  CHANNEL_WINDOW_ADJUST: 93,
  CHANNEL_DATA: 94,
  CHANNEL_EXTENDED_DATA: 95,
  CHANNEL_EOF: 96,
  CHANNEL_CLOSE: 97,
  CHANNEL_REQUEST: 98,
  CHANNEL_SUCCESS: 99,
  CHANNEL_FAILURE: 100,
} as const;

/** RFC 4254 section 5.1. */
export const OpenFailure = { PROHIBITED: 1, CONNECT_FAILED: 2, UNKNOWN_TYPE: 3, RESOURCE_SHORTAGE: 4 } as const;

/** RFC 4254 section 5.2: the only extended data type there is. */
export const STDERR = 1;

/** A message that its sender got wrong. The relay ends the session on it. */
export class MalformedMessage extends Error {}

/** Reads the fields of one message in order; every read is checked against the message's end. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 1) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    if (this.remaining < 1) throw new MalformedMessage('a byte is missing');
    const value = this.#bytes[this.#at] as number;
    this.#at += 1;
    return value;
  }

  boolean(): boolean {
    return this.byte() !== 0;
  }

  uint32(): number {
    if (this.remaining < 4) throw new MalformedMessage('a uint32 is cut short');
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  uint64(): bigint {
    if (this.remaining < 8) throw new MalformedMessage('a uint64 is cut short');
    const value = this.#bytes.readBigUInt64BE(this.#at);
    this.#at += 8;
    return value;
  }

  bytes(): Buffer {
    const length = this.uint32();
    if (this.remaining < length) throw new MalformedMessage('a string is cut short');
    const value = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  /** Whatever is left, which is nothing afterwards. */
  rest(): Buffer {
    const value = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return value;
  }

  /** Nothing may follow: what nobody reads would pass without being recorded. */
  end(): void {
    if (this.remaining > 0) throw new MalformedMessage(`${this.remaining} bytes follow the last field`);
  }
}

/** A text as a fact of that name; bytes that are not UTF-8 stand beside it in base64, so that no two look the same. */
export function textFact(name: string, bytes: Buffer): Record<string, string> {
  const text = bytes.toString('utf8');
  return isUtf8(bytes) ? { [name]: text } : { [name]: text, [`${name}Bytes`]: bytes.toString('base64') };
}

/** For messages of fixed size. */
export function checkLength(message: Buffer, length: number): void {
  if (message.length !== length)
    throw new MalformedMessage(`a message of type ${message[0]} has ${message.length} bytes instead of ${length}`);
}

/** Bytes of a message that has nothing but a channel number. */
export const RECIPIENT_ONLY = 5;
/** Bytes of CHANNEL_WINDOW_ADJUST. */
export const WINDOW_ADJUST_BYTES = 9;

export interface ChannelOpen {
  type: string;
  sender: number;
  window: number;
  packet: number;
  /** Where the type's own fields begin. */
  fields: FieldReader;
}

export function readChannelOpen(message: Buffer): ChannelOpen {
  const fields = new FieldReader(message);
  return { type: fields.text(), sender: fields.uint32(), window: fields.uint32(), packet: fields.uint32(), fields };
}

export interface ChannelOpenConfirmation {
  recipient: number;
  sender: number;
  window: number;
  packet: number;
}

export function readChannelOpenConfirmation(message: Buffer): ChannelOpenConfirmation {
  const fields = new FieldReader(message);
  const confirmation = { recipient: fields.uint32(), sender: fields.uint32(), window: fields.uint32(), packet: fields.uint32() };
  fields.end();
  return confirmation;
}

export interface ChannelOpenFailure {
  recipient: number;
  reason: number;
  description: string;
}

export function readChannelOpenFailure(message: Buffer): ChannelOpenFailure {
  const fields = new FieldReader(message);
  const failure = { recipient: fields.uint32(), reason: fields.uint32(), description: fields.text() };
  fields.text(); // the language tag
  fields.end();
  return failure;
}

/** The channel that a message is addressed to: the first field of every message from 91 to 100. */
export function readRecipient(message: Buffer): number {
  if (message.length < 5) throw new MalformedMessage('the channel number is cut short');
  return message.readUInt32BE(1);
}

/** The payload of CHANNEL_DATA, without copying it. */
export function readChannelData(message: Buffer): Buffer {
  if (message.length < 9 || message.readUInt32BE(5) !== message.length - 9) throw new MalformedMessage('channel data has a wrong length');
  return message.subarray(9);
}

/** The payload of CHANNEL_EXTENDED_DATA, without copying it. */
export function readExtendedData(message: Buffer): { type: number; data: Buffer } {
  if (message.length < 13 || message.readUInt32BE(9) !== message.length - 13)
    throw new MalformedMessage('extended data has a wrong length');
  return { type: message.readUInt32BE(5), data: message.subarray(13) };
}

export interface Request {
  name: string;
  wantReply: boolean;
  fields: FieldReader;
}

export function readChannelRequest(message: Buffer): Request {
  const fields = new FieldReader(message, 5);
  return { name: fields.text(), wantReply: fields.boolean(), fields };
}

export function readGlobalRequest(message: Buffer): Request {
  const fields = new FieldReader(message);
  return { name: fields.text(), wantReply: fields.boolean(), fields };
}

type Field = number | boolean | string | Uint8Array;

/** A message from its fields: numbers are uint32, booleans one byte, texts and bytes are SSH strings. */
export function writeMessage(type: number, ...fields: readonly Field[]): Buffer {
  let length = 1;
  for (const field of fields) length += sizeOf(field);
  const message = Buffer.allocUnsafe(length);
  message[0] = type;
  let at = 1;
  for (const field of fields) at = writeField(message, field, at);
  return message;
}

function sizeOf(field: Field): number {
  if (typeof field === 'number') return 4;
  if (typeof field === 'boolean') return 1;
  return 4 + (typeof field === 'string' ? Buffer.byteLength(field) : field.length);
}

function writeField(message: Buffer, field: Field, at: number): number {
  if (typeof field === 'number') return message.writeUInt32BE(field, at);
  if (typeof field === 'boolean') return message.writeUInt8(field ? 1 : 0, at);
  if (typeof field === 'string') {
    message.writeUInt32BE(Buffer.byteLength(field), at);
    return at + 4 + message.write(field, at + 4);
  }
  message.writeUInt32BE(field.length, at);
  message.set(field, at + 4);
  return at + 4 + field.length;
}

/** The same message addressed to another channel. */
export function withRecipient(message: Buffer, recipient: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt32BE(recipient, 1);
  return copy;
}
