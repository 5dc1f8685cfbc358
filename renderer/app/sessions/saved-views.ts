import { z } from 'zod';

const STORED_AS = 'sallyport.views';
const MOST = 30;

const views = z.array(z.strictObject({ name: z.string().max(60), query: z.string().max(1000) }));
export type SavedView = z.infer<typeof views>[number];

export const builtInViews: readonly SavedView[] = [
  { name: 'All sessions', query: '' },
  { name: 'Running now', query: 'state:live' },
  { name: 'Not reviewed', query: 'review:none' },
  { name: 'Something was denied', query: 'is:denied' },
  { name: 'Somebody was asked', query: 'is:asked' },
  { name: 'Cut short by a crash', query: 'is:recovered' },
];

/** This person's own, on this device. What is not readable any more is none. */
export function savedViews(storage: Pick<Storage, 'getItem'>): readonly SavedView[] {
  try {
    return views.parse(JSON.parse(storage.getItem(STORED_AS) ?? '[]'));
  } catch {
    return [];
  }
}

export function saveView(storage: Storage, view: SavedView): readonly SavedView[] {
  const next = [view, ...savedViews(storage).filter(({ name }) => name !== view.name)].slice(0, MOST);
  storage.setItem(STORED_AS, JSON.stringify(next));
  return next;
}

export function removeView(storage: Storage, name: string): readonly SavedView[] {
  const next = savedViews(storage).filter((view) => view.name !== name);
  storage.setItem(STORED_AS, JSON.stringify(next));
  return next;
}
