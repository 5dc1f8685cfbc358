import { Combobox, TextInput, useCombobox } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useKeys } from '../keyboard/use-keys.tsx';
import classes from './query-bar.module.css';
import { type ReadQuery, suggestions } from './session-query.ts';

/** Where the query is typed. It is asked when somebody stops typing for a moment. */
const SETTLED_MILLIS = 220;

export function QueryBar({ query, read, onQuery }: { query: string; read: ReadQuery; onQuery: (query: string) => void }) {
  const [typed, setTyped] = useState(query);
  const [asked, setAsked] = useState(query);
  // Changed from elsewhere: a view was chosen, an address opened.
  if (asked !== query) {
    setAsked(query);
    setTyped(query);
  }
  useEffect(() => {
    if (typed === query) return undefined;
    const timer = window.setTimeout(() => {
      setAsked(typed);
      onQuery(typed);
    }, SETTLED_MILLIS);
    return () => window.clearTimeout(timer);
  }, [typed, query, onQuery]);
  const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() });
  const [field, setField] = useState<HTMLInputElement | null>(null);
  useKeys([{ keys: ['/', 'mod+f'], label: 'Filter the sessions', group: 'Sessions', run: () => field?.focus() }]);
  const offered = suggestions(typed).slice(0, 12);
  return (
    <div className={classes.query}>
      <Combobox
        store={box}
        onOptionSubmit={(text) => {
          setTyped(text);
          box.resetSelectedOption();
        }}
      >
        <Combobox.Target>
          <TextInput
            ref={setField}
            aria-label="Filter"
            placeholder="Filter: target:web agent:deploy-bot is:denied from:2026-03-01"
            value={typed}
            spellCheck={false}
            autoComplete="off"
            error={read.faults[0]}
            errorProps={{ className: classes.fault }}
            onChange={(event) => {
              setTyped(event.currentTarget.value);
              box.openDropdown();
            }}
            onFocus={() => box.openDropdown()}
            onBlur={() => box.closeDropdown()}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && box.getSelectedOptionIndex() === -1) {
                setAsked(typed);
                onQuery(typed);
                box.closeDropdown();
                event.currentTarget.blur();
              }
              if (event.key === 'Escape') event.currentTarget.blur();
            }}
            classNames={{ input: 'mono' }}
          />
        </Combobox.Target>
        <Combobox.Dropdown hidden={offered.length === 0}>
          <Combobox.Options mah={300} className={classes.options}>
            {offered.map(({ text, says }) => (
              <Combobox.Option key={text} value={text}>
                <span className="mono">{text.split(' ').findLast((word) => word !== '')}</span> <span className="faint">{says}</span>
              </Combobox.Option>
            ))}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
    </div>
  );
}
