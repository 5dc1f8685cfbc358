import { Button, Tabs } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { type UseQueryResult, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import type { OperationOutput } from '../../../contract/operator-api.ts';
import { DropPlace } from '../bundle/drop-place.tsx';
import { useHasRole } from '../client/operator-context.tsx';
import { asProblem, type Problem } from '../client/problem.ts';
import { queryKey, useAsk } from '../client/queries.ts';
import { Screen, Split, Spring } from '../design/pane.tsx';
import { FaultState, LoadingState } from '../design/states.tsx';
import { ExportDialog } from '../export/export-dialog.tsx';
import { useHost } from '../host/host-context.tsx';
import { useKeys } from '../keyboard/use-keys.tsx';
import { routes } from '../routes.ts';
import { AnswerTable } from './audit-answer.tsx';
import { AuditBar, AuditFilters } from './audit-bar.tsx';
import { type Asking, askingOf, csvPath, type PutQuestion, questionOf, searchOf } from './audit-question.ts';
import classes from './evidence.module.css';
import { Contradiction, LedgerPanel } from './ledger-panel.tsx';
import { QuestionList } from './question-list.tsx';
import { type SeenLedger, useConsistency } from './use-consistency.ts';

/** While a verification runs, how far it is is asked this often. */
const VERIFYING_MILLIS = 500;
const ROWS = 10_000;

type Status = UseQueryResult<OperationOutput<'evidence.status'>, Problem>;

export function EvidenceScreen() {
  const host = useHost();
  const [, go] = useLocation();
  const client = useQueryClient();
  const [search, setSearch] = useSearchParams();
  const [asking, setAsking] = useState<Asking>(() => askingOf(search));
  const [put, setPut] = useState<PutQuestion>();
  const [exporting, setExporting] = useState(false);
  const [ledger, setLedger] = useState<boolean>();
  const roomy = useMediaQuery('(min-width: 1600px)', true, { getInitialValueInEffect: false });
  // An answer has many columns: where there is little room, it has all of it until the ledger is asked for.
  const sideShown = ledger ?? (put === undefined || roomy);
  const [saveFault, setSaveFault] = useState<string>();
  const status = useAsk('evidence.status', {});
  const seen = useConsistency(status.data);
  const mayExport = useHasRole('auditor', 'admin');
  const questions = useAsk('audit.questions', {}, { staleMillis: Number.POSITIVE_INFINITY });
  const answer = useAsk('audit.ask', put === undefined ? {} : { ...put, limit: ROWS }, {
    enabled: put !== undefined,
    staleMillis: Number.POSITIVE_INFINITY,
  });
  // A question is a record, so the ledger has grown by it, and what it has become is held against what was seen.
  const { dataUpdatedAt: answered } = answer;
  useEffect(() => {
    if (answered > 0) void client.invalidateQueries({ queryKey: queryKey('evidence.status') });
  }, [client, answered]);
  const known = questions.data?.questions.find(({ name }) => name === asking.question);
  const change = useCallback((next: Partial<Asking>) => setAsking((before) => ({ ...before, ...next })), []);
  const ask = useCallback(
    (next: Asking) => {
      const question = questions.data?.questions.find(({ name }) => name === next.question);
      setAsking(next);
      setSearch(searchOf(next), { replace: true });
      if (question?.answered !== 'no') setPut(questionOf(next, question?.filters ?? [], new Date()));
    },
    [questions.data, setSearch],
  );
  const saveCsv = () => {
    if (put === undefined) return;
    setSaveFault(undefined);
    host.save(`sallyport-audit-${put.question}.csv`, csvPath(put)).catch((thrown: unknown) => setSaveFault(asProblem(thrown).message));
  };
  useKeys([
    { keys: ['b'], label: 'Open a bundle', group: 'Evidence', run: () => go(routes.bundle) },
    ...(mayExport ? [{ keys: ['e'], label: 'Export a bundle', group: 'Evidence', run: () => setExporting(true) }] : []),
    ...(put === undefined ? [] : [{ keys: ['Escape'], label: 'All questions', group: 'Evidence', run: () => setPut(undefined) }]),
  ]);
  const period = useMemo(() => questionOf({ ...asking, question: 'sessions' }, [], new Date()), [asking]);
  return (
    <Screen
      label="Evidence"
      bar={
        <>
          <AuditBar
            questions={questions.data?.questions ?? []}
            asking={asking}
            change={change}
            ask={() => ask(asking)}
            busy={answer.isFetching}
          />
          <Spring />
          <Button onClick={saveCsv} disabled={put === undefined || answer.data === undefined}>
            CSV
          </Button>
          {mayExport && (
            <Button color="teal" variant="filled" onClick={() => setExporting(true)}>
              Export bundle…
            </Button>
          )}
        </>
      }
    >
      <Contradiction seen={seen} />
      <WithSide shown={sideShown} status={status} seen={seen}>
        {known !== undefined && <AuditFilters question={known} asking={asking} change={change} ask={() => ask(asking)} />}
        {saveFault !== undefined && (
          <p className={classes.fault} role="alert">
            The file could not be saved: {saveFault}
          </p>
        )}
        {questions.error !== null ? (
          <FaultState problem={questions.error} retry={() => void questions.refetch()} title="The questions could not be listed" />
        ) : questions.data === undefined ? (
          <LoadingState what="Loading the questions" />
        ) : put === undefined ? (
          <QuestionList questions={questions.data.questions} chosen={known?.name} ask={(question) => ask({ ...asking, question })} />
        ) : answer.error !== null ? (
          <FaultState problem={answer.error} retry={() => void answer.refetch()} title="This question could not be answered" />
        ) : answer.data === undefined ? (
          <LoadingState what="Reading the records, and proving that they are in the ledger" />
        ) : (
          <AnswerTable
            key={JSON.stringify(put)}
            question={questions.data.questions.find(({ name }) => name === put.question)?.asks ?? put.question}
            answer={answer.data}
            back={() => setPut(undefined)}
            ledger={{ shown: sideShown, show: setLedger }}
          />
        )}
      </WithSide>
      {exporting && (
        <ExportDialog
          choice={{
            ...(period?.from === undefined ? {} : { from: period.from }),
            ...(period?.to === undefined ? {} : { to: period.to }),
            ...asking.filters,
          }}
          onClose={() => setExporting(false)}
        />
      )}
    </Screen>
  );
}

function WithSide({ shown, status, seen, children }: { shown: boolean; status: Status; seen: SeenLedger; children: ReactNode }) {
  if (!shown) return <div className={classes.alone}>{children}</div>;
  return (
    <Split sideLabel="Ledger" side={<Side status={status} seen={seen} />}>
      {children}
    </Split>
  );
}

function Side({ status, seen }: { status: Status; seen: SeenLedger }) {
  const running = status.data?.verification?.ended === null;
  // Only while something happens that no event tells of.
  useAsk('evidence.status', {}, { enabled: running, refetchMillis: VERIFYING_MILLIS });
  return (
    <Tabs defaultValue="ledger" keepMounted={false} className={classes.tabs ?? ''}>
      <Tabs.List>
        <Tabs.Tab value="ledger">Ledger</Tabs.Tab>
        <Tabs.Tab value="bundle">Open a bundle</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="ledger" className={classes.panel ?? ''} tabIndex={0}>
        {status.error !== null ? (
          <FaultState problem={status.error} retry={() => void status.refetch()} title="The ledger’s state could not be told" />
        ) : status.data === undefined ? (
          <LoadingState what="Looking at the ledger" />
        ) : (
          <LedgerPanel status={status.data} seen={seen} />
        )}
      </Tabs.Panel>
      <Tabs.Panel value="bundle" className={classes.panel ?? ''}>
        <div className={classes.dropping}>
          <DropPlace compact />
          <p className="muted">
            What somebody exported, here or elsewhere: it is verified step by step on this device, without asking this gateway, and can be
            replayed.
          </p>
        </div>
      </Tabs.Panel>
    </Tabs>
  );
}
