/** A key with its modifiers as one text: `mod+k`, `shift+ArrowLeft`, `g s` for one after the other. `mod`: ⌘ on a Mac, else Ctrl. */
export type KeyText = string;

export const isMac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent);

/** What was pressed. Letters come without `shift`, which makes them another letter; digits and signs too. */
export function pressedKey(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>): KeyText {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  const mod = isMac ? metaKey : ctrlKey;
  const sign = key.length === 1;
  const name = key === ' ' ? 'Space' : sign ? key.toLowerCase() : key;
  const isLetter = sign && key.toLowerCase() !== key.toUpperCase();
  return `${mod ? 'mod+' : ''}${altKey ? 'alt+' : ''}${shiftKey && (!sign || isLetter) ? 'shift+' : ''}${name}`;
}

const names: Readonly<Record<string, string>> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  PageUp: 'Page up',
  PageDown: 'Page down',
  shift: '⇧',
};

/** As it stands on a keyboard, key by key. */
export function keyCaps(keys: KeyText): string[] {
  return keys.split(/[+ ](?=.)/).map((part) => {
    if (part === 'mod') return isMac ? '⌘' : 'Ctrl';
    if (part === 'alt') return isMac ? '⌥' : 'Alt';
    return names[part] ?? (part.length === 1 ? part.toUpperCase() : part);
  });
}
