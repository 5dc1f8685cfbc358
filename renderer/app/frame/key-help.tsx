import { Modal } from '@mantine/core';
import { useState } from 'react';
import { Key } from '../design/labels.tsx';
import { keyCaps } from '../keyboard/key-text.ts';
import { useKeyCommands, useKeys } from '../keyboard/use-keys.tsx';
import classes from './key-help.module.css';

/** `?` shows every key that means something at the moment. */
export function KeyHelp() {
  const [open, setOpen] = useState(false);
  useKeys([{ keys: ['?'], label: 'What the keys do', group: 'Anywhere', run: () => setOpen(true) }]);
  return (
    <Modal opened={open} onClose={() => setOpen(false)} title="Keys" size={720}>
      {open && <Keys />}
    </Modal>
  );
}

function Keys() {
  const commands = useKeyCommands();
  const groups = Map.groupBy(commands, ({ group }) => group);
  return (
    <div className={classes.groups}>
      {[...groups].map(([group, members]) => (
        <section key={group}>
          <h2>{group}</h2>
          <dl>
            {members.map(({ label, keys }) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd>
                  {keys.map((key) => (
                    <span key={key}>
                      {keyCaps(key).map((cap) => (
                        <Key key={cap}>{cap}</Key>
                      ))}
                    </span>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}
