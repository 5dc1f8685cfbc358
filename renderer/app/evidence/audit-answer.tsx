import { Button, Switch } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { type ReactNode, useMemo, useState } from 'react';
import { Link } from 'wouter';
import { printable } from '../../bundle-page/interface/printable.ts';
import { number } from '../design/format.ts';
import { TimeText } from '../design/labels.tsx';
import { EmptyState } from '../design/states.tsx';
import { VirtualTable } from '../design/virtual-table.tsx';
import { routes } from '../routes.ts';
import { type AuditAnswer, cellText, isSession, isTime, tableColumns } from './audit-columns.ts';
import classes from './evidence.module.css';

/** An answer as a table, and under it how complete it is. */
export function AnswerTable({
  question,
  answer,
  back,
  ledger,
}: {
  question: string;
  answer: AuditAnswer;
  back: () => void;
  ledger: { readonly shown: boolean; readonly show: (shown: boolean) => void };
}) {
  const [wide, setWide] = useState(false);
  const columns = useMemo(() => tableColumns(answer, wide), [answer, wide]);
  const hidden = answer.columns.filter((column) => column.wide).length;
  return (
    <>
      <header className={classes.answer}>
        <Button variant="subtle" onClick={back} leftSection={<IconArrowLeft size={14} />}>
          All questions
        </Button>
        <b title={question}>{question}</b>
        <span className={classes.spring} />
        <Button variant="subtle" aria-pressed={ledger.shown} onClick={() => ledger.show(!ledger.shown)}>
          {ledger.shown ? 'Hide the ledger' : 'Show the ledger'}
        </Button>
      </header>
      {answer.rows.length === 0 ? (
        <EmptyState title="Nothing in the records answers this">
          <p className="muted">The statement below says how complete that is. Ask for another time, or of more.</p>
        </EmptyState>
      ) : (
        <VirtualTable
          label={question}
          columns={columns}
          count={answer.rows.length}
          cell={(row, column) => <Cell column={column} value={answer.rows[row]?.[column]} />}
        />
      )}
      <Statement answer={answer}>
        {hidden > 0 && (
          <Switch
            size="xs"
            label={`${number(hidden)} more columns`}
            checked={wide}
            onChange={(event) => setWide(event.currentTarget.checked)}
          />
        )}
      </Statement>
    </>
  );
}

function Cell({ column, value }: { column: string; value: AuditAnswer['rows'][number][string] | undefined }) {
  if (isTime(value)) return <TimeText time={value} />;
  if (isSession(column, value))
    return (
      <Link href={routes.session(value)} className="mono" title={`Replay session ${value}`}>
        {value.slice(0, 8)}
      </Link>
    );
  const text = printable(cellText(value));
  return (
    <span className={typeof value === 'number' ? 'mono' : undefined} title={text.length > 20 ? text : undefined}>
      {text}
    </span>
  );
}

/** Every sentence counts here, so it is all shown; it scrolls where it is long. */
function Statement({ answer, children }: { answer: AuditAnswer; children: ReactNode }) {
  const proved = answer.statement.proved === true;
  return (
    <section className={classes.statement} aria-label="How complete the answer is" data-proved={proved || undefined}>
      <header>
        <b>
          {proved ? '✓ Proved: ' : '! Not proved as a whole: '}
          {number(answer.total)} {answer.total === 1 ? 'row' : 'rows'}
        </b>
        {answer.rows.length < answer.total && (
          <span className={classes.asks}>the first {number(answer.rows.length)} are shown; the CSV has all</span>
        )}
        <span className={classes.spring} />
        {children}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and has nothing else in it that takes the focus */}
      <ul tabIndex={0} aria-label="Statement">
        {answer.words.map((words) => (
          <li key={words} data-indented={words.startsWith('  ') || undefined}>
            {printable(words.trim())}
          </li>
        ))}
      </ul>
    </section>
  );
}
