import { Button, Modal, Progress } from '@mantine/core';
import { useState } from 'react';
import { asProblem, type Problem } from '../client/problem.ts';
import { useAsk, useDo } from '../client/queries.ts';
import { byteSize } from '../design/format.ts';
import { Tell } from '../design/labels.tsx';
import { useHost } from '../host/host-context.tsx';
import classes from '../review/review.module.css';

const LOOK_MILLIS = 400;

/** Has a bundle of this session written, and saves it. */
export function ExportDialog({ session, opened, close }: { session: string; opened: boolean; close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title="Export this session">
      <Exporting session={session} close={close} />
    </Modal>
  );
}

function Exporting({ session, close }: { session: string; close: () => void }) {
  const host = useHost();
  const start = useDo('export.start');
  const cancel = useDo('export.cancel', ['export.show']);
  const [problem, setProblem] = useState<Problem>();
  const id = start.data?.export;
  const [over, setOver] = useState(false);
  const { data: shown = start.data, error } = useAsk(
    'export.show',
    { export: id ?? '' },
    { enabled: id !== undefined, staleMillis: 0, ...(over ? {} : { refetchMillis: LOOK_MILLIS }) },
  );
  const isOver = shown !== undefined && shown.state !== 'running';
  if (isOver !== over) setOver(isOver);
  const fault = problem ?? start.error ?? error ?? undefined;
  return (
    <div className={classes.dialog}>
      <p>
        A bundle has the recording, its records and the proofs of the ledger, with a page that replays and verifies it anywhere, without
        this gateway. The export is a record of its own.
      </p>
      {shown?.state === 'running' && (
        <>
          <Progress value={shown.sessions === 0 ? 0 : (shown.done / shown.sessions) * 100} animated aria-label="Progress of the export" />
          <p className="muted">{byteSize(shown.bytes)} written</p>
        </>
      )}
      {shown?.state === 'ready' && (
        <>
          <p>
            <Tell tone="ok">✓ ready</Tell> {shown.name}, {byteSize(shown.bytes)}
          </p>
          {shown.sha256 !== undefined && (
            <p className="mono faint" style={{ overflowWrap: 'anywhere' }}>
              SHA-256 {shown.sha256}
            </p>
          )}
        </>
      )}
      {(shown?.state === 'failed' || shown?.state === 'cancelled') && (
        <p role="alert">
          <Tell tone="deny">{shown.state}</Tell> {shown.fault}
        </p>
      )}
      {fault !== undefined && (
        <p role="alert">
          <Tell tone="deny">{fault.message}</Tell> <span className="muted">{fault.remedy}</span>
        </p>
      )}
      <div className={classes.buttons}>
        {shown?.state === 'running' && id !== undefined ? (
          <Button onClick={() => cancel.mutate({ export: id })}>Stop</Button>
        ) : (
          <Button onClick={close}>Close</Button>
        )}
        {shown?.state === 'ready' ? (
          <Button
            variant="filled"
            onClick={() => {
              host.save(shown.name, `/api/exports/${shown.export}/bundle.zip`).catch((thrown: unknown) => setProblem(asProblem(thrown)));
            }}
          >
            Save
          </Button>
        ) : (
          <Button
            variant="filled"
            loading={start.isPending || shown?.state === 'running'}
            onClick={() => start.mutate({ sessions: [session] })}
          >
            Write the bundle
          </Button>
        )}
      </div>
    </div>
  );
}
