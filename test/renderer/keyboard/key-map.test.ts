// @vitest-environment happy-dom
import { afterEach, expect, it } from 'vitest';
import { KeyMap } from '../../../renderer/app/keyboard/key-map.ts';
import { keyCaps, pressedKey } from '../../../renderer/app/keyboard/key-text.ts';

afterEach(() => document.body.replaceChildren());

const done: string[] = [];
const command = (keys: string[], label: string, inFields = false) => ({
  keys,
  label,
  group: 'test',
  inFields,
  run: () => void done.push(label),
});

function press(map: KeyMap, key: string, options: KeyboardEventInit & { on?: HTMLElement } = {}): boolean {
  const { on = document.body, ...rest } = options;
  let handled = false;
  const listen = (event: KeyboardEvent) => {
    handled = map.press(event);
  };
  window.addEventListener('keydown', listen);
  on.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...rest }));
  window.removeEventListener('keydown', listen);
  return handled;
}

it('does what was added last, and what was below when that is gone', () => {
  const map = new KeyMap();
  done.length = 0;
  map.add([command(['a'], 'below')]);
  const remove = map.add([command(['a'], 'above')]);
  press(map, 'a');
  remove();
  press(map, 'a');
  expect(done).toEqual(['above', 'below']);
});

it('leaves letters to a field, and takes keys with Ctrl', () => {
  const map = new KeyMap();
  done.length = 0;
  map.add([command(['a'], 'letter'), command(['mod+k'], 'palette'), command(['Escape'], 'leave', true)]);
  const field = document.createElement('input');
  document.body.append(field);
  expect(press(map, 'a', { on: field })).toBe(false);
  expect(press(map, 'k', { on: field, ctrlKey: true })).toBe(true);
  expect(press(map, 'Escape', { on: field })).toBe(true);
  expect(done).toEqual(['palette', 'leave']);
});

it('knows two keys behind each other', () => {
  const map = new KeyMap();
  done.length = 0;
  map.add([command(['g s'], 'go'), command(['s'], 'single')]);
  press(map, 'g');
  press(map, 's');
  press(map, 's');
  expect(done).toEqual(['go', 'single']);
});

it('does not decide twice: an approval is not denied by the key that closed a dialog', () => {
  const map = new KeyMap();
  done.length = 0;
  map.add([command(['d'], 'deny')]);
  const stopped = new KeyboardEvent('keydown', { key: 'd', cancelable: true });
  stopped.preventDefault();
  expect(map.press(stopped)).toBe(false);
  expect(done).toEqual([]);
});

it('names keys as they are pressed', () => {
  const plain = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  expect(pressedKey({ ...plain, key: ' ' })).toBe('Space');
  expect(pressedKey({ ...plain, key: '?', shiftKey: true })).toBe('?');
  expect(pressedKey({ ...plain, key: 'ArrowLeft', shiftKey: true })).toBe('shift+ArrowLeft');
  expect(pressedKey({ ...plain, key: 'K', shiftKey: true, ctrlKey: true })).toBe('mod+shift+k');
  expect(keyCaps('mod+k')).toEqual(['Ctrl', 'K']);
  expect(keyCaps('g s')).toEqual(['G', 'S']);
});

it('means nothing behind a dialog, wherever the focus is', () => {
  const map = new KeyMap();
  done.length = 0;
  map.add([command(['a', 'Escape'], 'behind'), command(['mod+k'], 'anywhere')]);
  const dialog = document.createElement('section');
  dialog.setAttribute('aria-modal', 'true');
  document.body.append(dialog);
  expect([press(map, 'a', { on: dialog }), press(map, 'Escape'), press(map, 'k', { ctrlKey: true })]).toEqual([false, false, true]);
  dialog.remove();
  expect(press(map, 'a')).toBe(true);
  expect(done).toEqual(['anywhere', 'behind']);
});
