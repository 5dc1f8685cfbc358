/**
 * What the preload of the desktop app needs to know, which is next to nothing: it hands questions to the main process
 * and events from it. What they may be is in desktop-bridge.ts, and is checked where they arrive.
 */

/** The page finds the bridge as `window.sallyport`. */
export const BRIDGE_NAME = 'sallyport';
export const ASK_CHANNEL = 'sallyport:ask';
export const EVENT_CHANNEL = 'sallyport:event';

export interface RawBridge {
  ask(message: unknown): Promise<unknown>;
  /** Calls `listener` with each event from now on; returns how to stop that. */
  listen(listener: (event: unknown) => void): () => void;
}
