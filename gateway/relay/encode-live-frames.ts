import { type Frame, FrameEncoder } from '../../contract/frame-codec.ts';
import { liveFrames } from '../../contract/live-frames.ts';
import { nodeCodecHost } from '../recording/codec-host.ts';

const encoder = new FrameEncoder(nodeCodecHost);

/** Frames as a message for watchers; undefined when none of them says anything to one. A copy: nothing of it is used again. */
export function encodeLiveFrames(channel: number, frames: readonly Frame[]): Uint8Array | undefined {
  const shown = frames.filter(({ kind }) => kind !== 'clock' && kind !== 'header');
  return shown.length === 0 ? undefined : liveFrames(channel, encoder.encode(shown));
}
