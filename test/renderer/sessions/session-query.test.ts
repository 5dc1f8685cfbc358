import { describe, expect, it } from 'vitest';
import { readQuery, suggestions, withField } from '../../../renderer/app/sessions/session-query.ts';

describe('the query of the sessions', () => {
  it('reads fields, quotes and plain words', () => {
    expect(readQuery('target:orders agent:deploy-bot from:2026-03-01 is:denied text:"drop table" now')).toEqual({
      question: { target: 'orders', principal: 'deploy-bot', from: '2026-03-01', flag: 'denied', text: 'drop table now' },
      faults: [],
    });
    expect(readQuery('for:"Ann Lee" env:prod state:live review:none').question).toEqual({
      onBehalfOf: 'Ann Lee',
      tag: 'env=prod',
      state: 'live',
      review: 'none',
    });
    expect(readQuery('')).toEqual({ question: {}, faults: [] });
  });

  it('takes what only looks like a field as it stands', () => {
    expect(readQuery('10.0.0.5:22 http://x/y a:b')).toEqual({ question: { text: '10.0.0.5:22 http://x/y a:b' }, faults: [] });
  });

  it('says what it does not understand, and goes on with the rest', () => {
    expect(readQuery('tarket:web drop')).toEqual({ question: { text: 'drop' }, faults: ['There is no “tarket:”; perhaps “target:”'] });
    expect(readQuery('state:running').faults).toEqual(['“state:” is one of live, closed, recovered, erased']);
    expect(readQuery('from:yesterday').faults).toHaveLength(1);
    expect(readQuery('target:a target:b')).toEqual({ question: { target: 'a' }, faults: ['“target:” can be said once'] });
  });

  it('is not finished while a field has no value yet', () => {
    expect(readQuery('target:')).toEqual({ question: {}, faults: [] });
    expect(readQuery('target:"un')).toEqual({ question: { target: 'un' }, faults: [] });
  });

  it('exchanges one field and leaves the others', () => {
    expect(withField('target:web is:denied drop', 'target', 'my host')).toBe('is:denied drop target:"my host"');
    expect(withField('env:prod drop', 'env', undefined)).toBe('drop');
  });

  it('says how the last word can go on', () => {
    expect(suggestions('drop st').map(({ text }) => text)).toEqual(['drop state:']);
    expect(suggestions('state:re').map(({ text }) => text)).toEqual(['state:recovered ']);
    expect(suggestions('nothing-like-it')).toEqual([]);
  });
});
