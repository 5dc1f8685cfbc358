import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { openHttpRecording } from '../../../contract/replay/http-driver.ts';
import { RecordingRefused } from '../../../contract/replay/recording-client.ts';
import { asProblem, Problem } from '../client/problem.ts';
import { useHost } from '../host/host-context.tsx';
import { PatientTransport } from './patient-transport.ts';
import { Playback, type PlaybackState } from './playback.ts';

export type Opening =
  | { readonly state: 'opening'; readonly reached: boolean; readonly retry: () => void }
  | { readonly state: 'open'; readonly playback: Playback; readonly reached: boolean; readonly retry: () => void }
  | { readonly state: 'fault'; readonly problem: Problem; readonly retry: () => void };

/**
 * Opens a channel's recording, and closes it again. `begin`: where, in microseconds, as it is at that time. `leave` is called
 * when the log-in has ended, while it is still known where somebody is.
 */
export function usePlayback(session: string, channel: number | undefined, begin: () => number | undefined, leave: () => void): Opening {
  const { transport } = useHost();
  const client = useQueryClient();
  const [opened, setOpened] = useState<Playback>();
  const [problem, setProblem] = useState<Problem>();
  const [reached, setReached] = useState(true);
  const [patient, setPatient] = useState<PatientTransport>();
  const [attempt, setAttempt] = useState(0);
  // `attempt`: again, after a fault. `begin` is of the moment.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    if (channel === undefined) return undefined;
    let playback: Playback | undefined;
    let closed = false;
    const patience = new PatientTransport(transport, {
      reach: setReached,
      loggedOut: () => {
        leave();
        void client.invalidateQueries({ queryKey: ['whoami'] });
      },
    });
    setPatient(patience);
    openHttpRecording(patience, session, channel).then(
      (driver) => {
        if (closed) {
          driver.close();
          return;
        }
        playback = new Playback(driver);
        playback.begin(begin());
        setOpened(playback);
      },
      (thrown: unknown) => {
        if (!closed) setProblem(problemOfOpening(thrown));
      },
    );
    return () => {
      closed = true;
      setOpened(undefined);
      setProblem(undefined);
      setReached(true);
      patience.close();
      void playback?.close();
    };
  }, [transport, client, session, channel, attempt]);
  const retry = useCallback(() => {
    if (problem === undefined) patient?.retry();
    else setAttempt((before) => before + 1);
  }, [patient, problem]);
  if (problem !== undefined) return { state: 'fault', problem, retry };
  if (opened !== undefined) return { state: 'open', playback: opened, reached, retry };
  return { state: 'opening', reached, retry };
}

export function usePlaybackState(playback: Playback): PlaybackState {
  return useSyncExternalStore(playback.onChange, () => playback.state);
}

function problemOfOpening(thrown: unknown): Problem {
  return thrown instanceof RecordingRefused ? new Problem(thrown.status, thrown.code, thrown.message) : asProblem(thrown);
}
