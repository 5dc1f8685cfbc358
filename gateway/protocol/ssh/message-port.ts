import type { SallyportError } from '../../base/errors.ts';

/**
 * One side of a relayed SSH connection after authentication: whole messages of the connection protocol (RFC 4254) in
 * and out. An SSH transport is one; so are the small endpoints that the gateway itself provides (local shell, menu,
 * notice). The relay knows no other shape.
 */
export interface MessagePort {
  /** What this side showed before it let us in; empty for most. */
  readonly banner?: string;
  /** Sends one message. Never blocks; look at `blocked` before reading more from the other side. */
  send(message: Uint8Array): void;
  /** True while this side has taken more than it could pass on. `drained` follows. */
  readonly blocked: boolean;
  /** Groups the sends between the two calls into one write, where the medium can. */
  cork(): void;
  uncork(): void;
  /** Stops and restarts the arrival of messages; what has already been read may still arrive. */
  pause(): void;
  resume(): void;
  /** Begins delivery. Called once; messages that came earlier are delivered first, in order. */
  attach(listener: MessagePortListener): void;
  /** Ends this side. The other end is told why if the medium can say it. Harmless when already ended. */
  end(reason?: SallyportError): void;
}

export interface MessagePortListener {
  message(message: Buffer): void;
  drained(): void;
  /** Called exactly once, with the error when the end was not orderly. */
  closed(error: SallyportError | undefined): void;
}
