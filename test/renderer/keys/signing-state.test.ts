import { describe, expect, it } from 'vitest';
import { deviceLabel, registerableMillis, signingState } from '../../../renderer/app/keys/signing-state.ts';

const key = { line: 'ssh-ed25519 AAAA', fingerprint: 'SHA256:x' };
const look = { key, isLooking: false, hasFailed: false };

describe('a key of this device', () => {
  it('signs once the gateway knows it, with whatever comment', () => {
    expect(signingState(look, ['ssh-ed25519 BBBB', 'ssh-ed25519  AAAA alice@laptop'])).toBe('ready');
  });

  it('is not registered, is not there, is looked for, or cannot be had', () => {
    expect(signingState(look, ['ssh-ed25519 AAAAB'])).toBe('unregistered');
    expect(signingState({ ...look, key: undefined }, [key.line])).toBe('none');
    expect(signingState({ ...look, key: undefined, isLooking: true }, [])).toBe('looking');
    expect(signingState({ ...look, key: undefined, hasFailed: true }, [])).toBe('unavailable');
  });

  it('can be registered for a while after the log-in, and not at all without one that may', () => {
    const now = Date.parse('2026-03-01T09:30:00Z');
    expect(registerableMillis('2026-03-01T09:31:00.000000Z', now)).toBe(60_000);
    expect(registerableMillis('2026-03-01T09:30:00.000000Z', now)).toBe(0);
    expect(registerableMillis(null, now)).toBe(0);
  });

  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36', 'browser', 'Chrome on Linux'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:130.0) Gecko/20100101 Firefox/130.0', 'browser', 'Firefox on macOS'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Electron/45.0.0 Safari/537.36', 'desktop', 'Sallyport app on Windows'],
    ['something else', 'browser', 'browser'],
  ] as const)('is called by the device: %s', (agent, kind, label) => {
    expect(deviceLabel(agent, kind)).toBe(label);
  });
});
