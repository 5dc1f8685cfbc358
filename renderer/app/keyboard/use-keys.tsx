import { createContext, type ReactNode, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { type KeyCommand, KeyMap } from './key-map.ts';

const KeyContext = createContext<KeyMap | undefined>(undefined);

export function KeyProvider({ children }: { children: ReactNode }) {
  const [map] = useState(() => new KeyMap());
  useEffect(() => {
    const press = (event: KeyboardEvent) => void map.press(event);
    const look = () => map.look();
    window.addEventListener('keydown', look, true);
    window.addEventListener('keydown', press);
    return () => {
      window.removeEventListener('keydown', look, true);
      window.removeEventListener('keydown', press);
    };
  }, [map]);
  return <KeyContext value={map}>{children}</KeyContext>;
}

function useKeyMap(): KeyMap {
  const map = useContext(KeyContext);
  if (map === undefined) throw new TypeError('no keys are provided');
  return map;
}

/** Keys that mean something while this component is there. What they do may change without them being added anew. */
export function useKeys(commands: readonly KeyCommand[], enabled = true): void {
  const map = useKeyMap();
  const latest = useRef(commands);
  useEffect(() => {
    latest.current = commands;
  });
  const shape = JSON.stringify(commands.map(({ keys, label, group, inFields }) => [keys, label, group, inFields]));
  useEffect(() => {
    // Another shape means that other keys are meant; what they do is read when they are pressed.
    if (!enabled || shape === '[]') return undefined;
    const stable = latest.current.map((command, at) => ({ ...command, run: (event: KeyboardEvent) => latest.current[at]?.run(event) }));
    return map.add(stable);
  }, [map, shape, enabled]);
}

/** Every key that means something at the moment. */
export function useKeyCommands(): readonly KeyCommand[] {
  const map = useKeyMap();
  const [snapshot] = useState(() => {
    let commands = map.commands;
    return {
      read: () => commands,
      listen: (listener: () => void) =>
        map.onChange(() => {
          commands = map.commands;
          listener();
        }),
    };
  });
  return useSyncExternalStore(snapshot.listen, snapshot.read);
}
