import { Button } from '@mantine/core';
import { useCallback, useEffect, useRef } from 'react';
import { useSearchParams } from 'wouter';
import { byteSize } from '../design/format.ts';
import { Screen, Split, Spring } from '../design/pane.tsx';
import { EmptyState, LoadingState } from '../design/states.tsx';
import classes from './bundle.module.css';
import { useBundleState, useBundles } from './bundle-context.tsx';
import { BundleReplay } from './bundle-replay.tsx';
import { BundleSessions } from './bundle-sessions.tsx';
import { BundleSide } from './bundle-side.tsx';
import { ChooseFile, DropPlace, useDrop } from './drop-place.tsx';
import type { OpenedBundle } from './opened-bundle.ts';
import { type SessionEvidence, sessionEvidence, verdictOf } from './verdict.ts';

/** A bundle, verified and replayed on this device. It asks no gateway for anything. */
export function BundleScreen() {
  const { bundle } = useBundles();
  const { over, handlers } = useDrop();
  return (
    <div className={classes.whole} data-over={over || undefined} {...handlers}>
      {bundle === undefined ? (
        <Screen label="Open a bundle">
          <div className={classes.place}>
            <DropPlace />
          </div>
        </Screen>
      ) : (
        <Opened bundle={bundle} />
      )}
    </div>
  );
}

function Opened({ bundle }: { bundle: OpenedBundle }) {
  const { close } = useBundles();
  const state = useBundleState(bundle);
  const [search, setSearch] = useSearchParams();
  const chosen = search.get('session');
  const choose = useCallback((session: string | undefined) => setSearch(session === undefined ? {} : { session }), [setSearch]);
  const progress = state.state === 'open' ? state.progress : undefined;
  const verdict = verdictOf(progress);
  const told = useRef<SessionEvidence>(undefined);
  const evidence = sessionEvidence(progress, told.current);
  useEffect(() => {
    told.current = evidence;
  });
  const backToSessions = useCallback(() => choose(undefined), [choose]);
  const page = state.state === 'open' ? state.page : undefined;
  const session = page?.sessions.find(({ id }) => id === chosen);
  return (
    <Screen
      label={`Bundle ${bundle.name}`}
      bar={
        <>
          <b className={classes.name} title={bundle.name}>
            {bundle.name}
          </b>
          <span className="muted">{byteSize(bundle.size)}</span>
          {state.state !== 'refused' && (
            <span className={classes.verdict} data-tone={verdict.tone} role="status">
              {verdict.words}
            </span>
          )}
          <Spring />
          {state.state !== 'refused' && <ChooseFile>Open another…</ChooseFile>}
          <Button
            onClick={() => {
              setSearch({});
              close();
            }}
          >
            Close it
          </Button>
        </>
      }
    >
      {state.state === 'refused' ? (
        <Refused words={state.words} foreign={state.foreign} />
      ) : state.state === 'opening' ? (
        <LoadingState what="Reading the bundle" />
      ) : (
        <Split sideLabel="Verification" side={<BundleSide bundle={bundle} page={page} progress={progress} choose={choose} />}>
          {page === undefined ? (
            <EmptyState title="What this bundle holds cannot be shown">
              <p>{state.pageFault}</p>
              <p className="muted">
                The steps at the side say which of its files are not as they were written. Get it once more from where it came from.
              </p>
            </EmptyState>
          ) : session === undefined ? (
            <BundleSessions page={page} evidence={evidence} choose={choose} />
          ) : (
            <BundleReplay
              key={session.id}
              bundle={bundle}
              session={session}
              faults={evidence.faults.get(session.id) ?? 0}
              close={backToSessions}
            />
          )}
        </Split>
      )}
    </Screen>
  );
}

function Refused({ words, foreign }: { words: string; foreign: boolean }) {
  return (
    <div className={classes.place}>
      <div className={classes.refused} role="alert">
        <h2>{foreign ? 'This is not an intact bundle' : 'The bundle could not be read to its end'}</h2>
        <p>{sentence(words)}</p>
        <p className="muted">
          {foreign
            ? 'Nothing of it is shown, for nothing of it can be relied on. Get it once more from where it came from, exactly as it was exported: not unpacked, not packed anew.'
            : 'Open it again; if that does not help, copy the file to this device first.'}
        </p>
      </div>
      <DropPlace compact />
    </div>
  );
}

function sentence(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}${words.endsWith('.') ? '' : '.'}`;
}
