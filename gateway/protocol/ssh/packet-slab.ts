import { randomFillSync } from 'node:crypto';

/** What is used of ssh2's cipher objects: they are asked for a packet, which is filled and encrypted in place. */
export interface PacketCipher {
  allocPacket(payloadLength: number): Buffer;
}

/** Padding alignment (RFC 4253 section 6) of the ciphers that encrypt in place and append a tag of 16 bytes. */
const blockSizes: Readonly<Record<string, number>> = { AESGCMCipherBinding: 16, ChaChaPolyCipherBinding: 8 };
const TAG = 16;
const MIN_PADDING = 4;

/** Payloads from this size on come out of the slab; smaller ones come out of Node's own pool. */
const LARGE = 4096;
const SLAB_BYTES = 256 * 1024;
const RANDOM_BYTES = 4096;

let random = Buffer.alloc(0);
let randomAt = 0;

/**
 * Packets for one connection's sending side. ssh2 allocates each packet anew, which in a large transfer is as much
 * garbage as content, and asks the system for a few random bytes of padding each time. Here large packets lie one after
 * the other in one piece of memory, which is used again as soon as the socket has passed on all of it.
 */
export class PacketSlab {
  readonly #idle: () => boolean;
  #slab: Buffer | undefined;
  #at = 0;

  /** `idle` tells whether nothing that was sent is still held by the socket. */
  constructor(idle: () => boolean) {
    this.#idle = idle;
  }

  /** Has `cipher` take its packets from here, if it is of a kind whose layout is known. */
  serve(cipher: PacketCipher): void {
    const block = blockSizes[cipher.constructor.name];
    if (block !== undefined) cipher.allocPacket = (payloadLength) => this.#packet(payloadLength, block);
  }

  #packet(payloadLength: number, block: number): Buffer {
    // packet_length is not part of what is aligned: both kinds authenticate it apart (RFC 5647 section 7.2).
    const unpadded = 1 + payloadLength;
    let padding = block - (unpadded % block);
    if (padding < MIN_PADDING) padding += block;
    const length = 4 + unpadded + padding;
    const packet = this.#take(length + TAG);
    packet.writeUInt32BE(length - 4, 0);
    packet[4] = padding;
    fillRandom(packet, 5 + payloadLength, padding);
    return packet;
  }

  #take(bytes: number): Buffer {
    if (bytes < LARGE) return Buffer.allocUnsafe(bytes);
    if (this.#at > 0 && this.#idle()) this.#at = 0;
    this.#slab ??= Buffer.allocUnsafeSlow(SLAB_BYTES);
    if (this.#at + bytes > SLAB_BYTES) return Buffer.allocUnsafe(bytes);
    const packet = this.#slab.subarray(this.#at, this.#at + bytes);
    this.#at += bytes;
    return packet;
  }
}

/** Padding from the system's generator, fetched for some hundred packets at a time. Each byte is used once. */
function fillRandom(packet: Buffer, at: number, bytes: number): void {
  if (randomAt + bytes > random.length) {
    random = randomFillSync(Buffer.allocUnsafe(RANDOM_BYTES));
    randomAt = 0;
  }
  random.copy(packet, at, randomAt, randomAt + bytes);
  randomAt += bytes;
}
