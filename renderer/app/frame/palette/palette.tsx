import { Modal } from '@mantine/core';
import { type ReactNode, useId, useState } from 'react';
import { useLocation } from 'wouter';
import { useHasAnyRole } from '../../client/operator-context.tsx';
import { useAsk } from '../../client/queries.ts';
import { shortDateTime } from '../../design/format.ts';
import { Key, Who } from '../../design/labels.tsx';
import type { KeyCommand } from '../../keyboard/key-map.ts';
import { keyCaps } from '../../keyboard/key-text.ts';
import { useKeyCommands, useKeys } from '../../keyboard/use-keys.tsx';
import { routes } from '../../routes.ts';
import { best } from './fuzzy.ts';
import classes from './palette.module.css';

const MOST_COMMANDS = 9;
const MOST_SESSIONS = 6;

interface Entry {
  readonly id: string;
  readonly group: string;
  readonly shown: ReactNode;
  readonly keys: readonly string[];
  run(): void;
}

/** Everything that can be done here, and every session, by typing a few letters of it. */
export function PaletteOpener({ className, children }: { className: string; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  useKeys([{ keys: ['mod+k'], label: 'Command palette', group: 'Anywhere', run: () => setOpen(true) }]);
  return (
    <>
      <button type="button" className={className} onClick={() => setOpen(true)} aria-haspopup="dialog">
        {children}
      </button>
      <Modal.Root opened={open} onClose={() => setOpen(false)} padding={0} size={620} yOffset="12vh" centered={false} lockScroll={false}>
        <Modal.Overlay />
        <Modal.Content aria-label="Command palette">
          <Palette close={() => setOpen(false)} />
        </Modal.Content>
      </Modal.Root>
    </>
  );
}

function Palette({ close }: { close: () => void }) {
  const [typed, setTyped] = useState('');
  const [current, setCurrent] = useState(0);
  const [, go] = useLocation();
  const list = useId();
  const commands = useKeyCommands();
  const { data } = useAsk(
    'session.list',
    { detailed: true, limit: MOST_SESSIONS, ...(typed.trim() === '' ? {} : { text: typed.trim() }) },
    { enabled: useHasAnyRole(), keepPrevious: true },
  );
  const entries: Entry[] = [
    ...best(typed, distinct(commands), ({ label }) => label, MOST_COMMANDS).map((command) => ({
      id: command.label,
      group: 'Do',
      shown: command.label,
      keys: command.keys.slice(0, 1),
      // Where it was pressed is not there any more: commands do not look at the event.
      run: () => command.run(new KeyboardEvent('keydown')),
    })),
    ...(data?.sessions ?? []).map(({ id, principal, onBehalfOf, target, started }) => ({
      id,
      group: typed.trim() === '' ? 'Latest sessions' : 'Sessions',
      shown: (
        <>
          <Who principal={principal} onBehalfOf={onBehalfOf} /> <span className="faint">on</span> {target}{' '}
          <span className="faint">{shortDateTime(started)}</span>
        </>
      ),
      keys: [],
      run: () => go(routes.session(id)),
    })),
    ...(typed.trim() === ''
      ? []
      : [
          {
            id: 'search',
            group: 'Search',
            shown: <>Search the screens of all sessions for “{typed.trim()}”</>,
            keys: [],
            run: () => go(`${routes.search}?q=${encodeURIComponent(typed.trim())}`),
          },
          {
            id: 'filter',
            group: 'Search',
            shown: <>List the sessions with “{typed.trim()}”</>,
            keys: [],
            run: () => go(`${routes.sessions}?q=${encodeURIComponent(typed.trim())}`),
          },
        ]),
  ];
  const at = Math.min(current, entries.length - 1);
  const run = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    close();
    entry.run();
  };
  return (
    <div className={classes.palette}>
      <input
        className={classes.field}
        // biome-ignore lint/a11y/noAutofocus: the palette is opened to type in it
        autoFocus
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={entries[at] === undefined ? undefined : `${list}-${at}`}
        aria-label="What to do, or which session"
        placeholder="Type what to do, or who and where"
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setCurrent(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault();
            const step = event.key === 'ArrowDown' ? 1 : -1;
            setCurrent((at + step + entries.length) % Math.max(1, entries.length));
          } else if (event.key === 'Enter') {
            event.preventDefault();
            run(entries[at]);
          }
        }}
      />
      <div className={classes.list} role="listbox" id={list} aria-label="Found">
        {entries.map((entry, place) => (
          <div key={`${entry.group} ${entry.id}`} role="presentation">
            {entries[place - 1]?.group !== entry.group && <div className={classes.group}>{entry.group}</div>}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys */}
            <div
              role="option"
              id={`${list}-${place}`}
              aria-selected={place === at}
              className={classes.entry}
              ref={(node) => {
                if (place === at) node?.scrollIntoView({ block: 'nearest' });
              }}
              onClick={() => run(entry)}
              onMouseMove={() => setCurrent(place)}
            >
              <span>{entry.shown}</span>
              <span className={classes.keys}>
                {entry.keys.flatMap(keyCaps).map((cap) => (
                  <Key key={cap}>{cap}</Key>
                ))}
              </span>
            </div>
          </div>
        ))}
        {entries.length === 0 && <div className={classes.none}>Nothing fits this.</div>}
      </div>
    </div>
  );
}

/** What is nearer comes first, and hides what is called the same further away. */
function distinct(commands: readonly KeyCommand[]): KeyCommand[] {
  return [...new Map(commands.toReversed().map((command) => [command.label, command])).values()].toReversed();
}
