import { Button, Select, TextInput } from '@mantine/core';
import { useMemo } from 'react';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { isPeriod, periods } from './audit-period.ts';
import type { Asking } from './audit-question.ts';
import classes from './evidence.module.css';

type Question = OperationOutput<'audit.questions'>['questions'][number];

const groups = [
  ['yes', 'Answered from the records'],
  ['partly', 'Answered in part'],
  ['no', 'Not recorded yet'],
] as const;

const filterNames = { principal: 'agent or human', onBehalfOf: 'on behalf of', target: 'target', protocol: 'protocol' } as const;

/** Which question, about which time, and of whom. Nothing is asked before the person says so: every question is a record. */
export function AuditBar({
  questions,
  asking,
  change,
  ask,
  busy,
}: {
  questions: readonly Question[];
  asking: Asking;
  change: (next: Partial<Asking>) => void;
  ask: () => void;
  busy: boolean;
}) {
  const data = useMemo(
    () =>
      groups
        .map(([answered, group]) => ({
          group,
          items: questions.filter((question) => question.answered === answered).map(({ name, asks }) => ({ value: name, label: asks })),
        }))
        .filter(({ items }) => items.length > 0),
    [questions],
  );
  const question = questions.find(({ name }) => name === asking.question);
  const may = question !== undefined && question.answered !== 'no';
  return (
    <form
      className={classes.bar}
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <Select
        className={classes.question ?? ''}
        aria-label="Question"
        placeholder="Ask a question of the records"
        searchable
        nothingFoundMessage="No question has these words"
        maxDropdownHeight={460}
        data={data}
        value={asking.question ?? null}
        onChange={(value) => change({ question: value ?? undefined })}
      />
      <Select
        className={classes.period ?? ''}
        aria-label="Period"
        data={[...periods]}
        value={asking.period}
        allowDeselect={false}
        onChange={(value) => isPeriod(value) && change({ period: value })}
      />
      {asking.period === 'days' && (
        <>
          <TextInput
            type="date"
            aria-label="First day"
            value={asking.days.from}
            onChange={(event) => change({ days: { ...asking.days, from: event.currentTarget.value } })}
          />
          <TextInput
            type="date"
            aria-label="Last day"
            value={asking.days.to}
            onChange={(event) => change({ days: { ...asking.days, to: event.currentTarget.value } })}
          />
        </>
      )}
      <Button type="submit" loading={busy} disabled={!may}>
        Ask
      </Button>
    </form>
  );
}

/** Of whom it is asked, as far as the question can be asked of somebody. Enter asks. */
export function AuditFilters({
  question,
  asking,
  change,
  ask,
}: {
  question: Question;
  asking: Asking;
  change: (next: Partial<Asking>) => void;
  ask: () => void;
}) {
  if (question.filters.length === 0 || question.answered === 'no') return undefined;
  return (
    <form
      className={classes.filters}
      aria-label="Filters"
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <span className="faint">only</span>
      {question.filters.map((filter) => (
        <TextInput
          key={filter}
          className={classes.filter ?? ''}
          aria-label={filterNames[filter]}
          placeholder={filterNames[filter]}
          value={asking.filters[filter] ?? ''}
          onChange={(event) => change({ filters: { ...asking.filters, [filter]: event.currentTarget.value } })}
          spellCheck={false}
        />
      ))}
      <button type="submit" className="heard">
        Ask
      </button>
    </form>
  );
}
