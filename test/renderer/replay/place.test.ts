import { describe, expect, it } from 'vitest';
import { addressOf, placeOf } from '../../../renderer/app/replay/place.ts';

const session = '01a21646-f33f-7df7-b19d-3c0b28191746';
const read = (query: string) => placeOf(new URLSearchParams(query));

describe('the place in an address', () => {
  it('is read from the query', () => {
    expect(read('?channel=2&at=12.5&panel=evidence')).toEqual({ channel: 2, at: 12_500_000, panel: 'evidence' });
  });

  it('is the beginning of nothing in particular where nothing is said', () => {
    expect(read('')).toEqual({ channel: undefined, at: undefined, panel: 'transcript' });
  });

  it.each([
    'at=-1',
    'at=1e9',
    'at=NaN',
    'at=9999999999',
    'at=0x10',
    'at= 1',
    'channel=-1',
    'channel=1.5',
    'channel=4294967296',
    'panel=secrets',
  ])('does not take what makes no sense: %s', (query) => expect(read(query)).toEqual(read('')));

  it('comes back exactly as it was written', () => {
    for (const at of [0, 10, 1_234_560, 59_999_990, 86_400_000_010]) {
      const address = addressOf(session, { channel: 0, at, panel: 'review' });
      expect(placeOf(new URL(address, 'https://gateway.example').searchParams)).toEqual({ channel: 0, at, panel: 'review' });
    }
  });

  it('says nothing that goes without saying', () => {
    expect(addressOf(session, { channel: undefined, at: undefined, panel: 'transcript' })).toBe(`/session/${session}`);
  });
});
