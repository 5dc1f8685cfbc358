import { expect, it } from 'vitest';
import { QueryFault, readSearch } from '../../../renderer/app/search/read-search.ts';

it('takes the limits out and leaves the search as it was typed', () => {
  expect(readSearch('"permission denied" target:web for:ann@example.com *.pem')).toEqual({
    query: '"permission denied" *.pem',
    target: 'web',
    onBehalfOf: 'ann@example.com',
  });
});

it('leaves alone what stands in quotes, or within a word', () => {
  expect(readSearch('"target:web is" x')).toEqual({ query: '"target:web is" x' });
  expect(readSearch('mytarget:web')).toEqual({ query: 'mytarget:web' });
});

it('does not look for every line', () => {
  expect(readSearch('target:web')).toBeInstanceOf(QueryFault);
});
