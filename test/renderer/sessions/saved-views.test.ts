import { expect, it } from 'vitest';
import { removeView, savedViews, saveView } from '../../../renderer/app/sessions/saved-views.ts';

function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    get length() {
      return kept.size;
    },
    clear: () => kept.clear(),
    key: (at) => [...kept.keys()][at] ?? null,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

it('keeps the views of a person, the newest first and each once', () => {
  const here = storage();
  saveView(here, { name: 'mine', query: 'is:denied' });
  saveView(here, { name: 'prod', query: 'env:prod' });
  expect(saveView(here, { name: 'mine', query: 'is:asked' })).toEqual([
    { name: 'mine', query: 'is:asked' },
    { name: 'prod', query: 'env:prod' },
  ]);
  expect(savedViews(here)).toHaveLength(2);
  expect(removeView(here, 'prod')).toEqual([{ name: 'mine', query: 'is:asked' }]);
});

it('begins anew where what is kept cannot be read', () => {
  const here = storage();
  for (const text of ['{', '{}', '[{"name":1}]', 'null']) {
    here.setItem('sallyport.views', text);
    expect(savedViews(here)).toEqual([]);
  }
});
