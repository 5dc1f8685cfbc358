import { describe, expect, it } from 'vitest';
import { Valve } from '../../gateway/relay/valve.ts';

describe('a valve', () => {
  it('stops once for any number of reasons, and opens when the last is gone', () => {
    const calls: string[] = [];
    const valve = new Valve({ pause: () => calls.push('pause'), resume: () => calls.push('resume') });
    valve.set('slow peer', true);
    valve.set('slow disk', true);
    valve.set('slow peer', true);
    valve.set('slow peer', false);
    expect([valve.open, ...calls]).toEqual([false, 'pause']);
    valve.set('never said', false);
    valve.set('slow disk', false);
    expect([valve.open, ...calls]).toEqual([true, 'pause', 'resume']);
  });
});
