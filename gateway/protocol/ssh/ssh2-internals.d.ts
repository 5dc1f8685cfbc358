declare module 'ssh2/lib/protocol/utils.js' {
  const utils: {
    /** Encrypts and writes a packet, or queues it while a key exchange is under way. */
    sendPacket(protocol: unknown, packet: Buffer): boolean;
  };
  export default utils;
}

declare module 'ssh2/lib/protocol/crypto.js' {
  const crypto: {
    /** True when the native binding has been loaded. */
    readonly bindingAvailable: boolean;
  };
  export default crypto;
}
