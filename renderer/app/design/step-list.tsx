import { IconAlertTriangle, IconCheck, IconCircle, IconCircleDashed, IconX } from '@tabler/icons-react';
import { memo, type ReactNode, useState } from 'react';
import classes from './step-list.module.css';

export interface ShownStep {
  readonly id: string;
  readonly title: string;
  readonly state: 'waiting' | 'running' | 'passed' | 'failed' | 'limited';
  /** One sentence. */
  readonly result: string;
  /** 0 to 1 while it runs. */
  readonly progress?: number;
  /** How long it took; undefined while it has not ended. */
  readonly took: string | undefined;
  /** What it proves and what not, and what was found; made when somebody looks. Another `version`: it says something else. */
  readonly details?: () => ReactNode;
  readonly version?: number;
}

const signs = {
  waiting: { word: 'waiting', icon: <IconCircle size={14} /> },
  running: { word: 'running', icon: <IconCircleDashed size={14} /> },
  passed: { word: 'passed', icon: <IconCheck size={15} /> },
  failed: { word: 'failed', icon: <IconX size={15} /> },
  limited: { word: 'could not be made here', icon: <IconAlertTriangle size={14} /> },
} as const;

/** The steps of a verification, as they run. A failed one shows what it found. */
export function StepList({ label, steps }: { label: string; steps: readonly ShownStep[] }) {
  return (
    <ol className={classes.steps} aria-label={label}>
      {steps.map((step) => (
        <StepRow key={step.id} step={step} />
      ))}
    </ol>
  );
}

const StepRow = memo(function StepRow({ step: { id, title, state, result, progress = 0, took, details } }: { step: ShownStep }) {
  const [opened, setOpened] = useState<boolean>();
  const open = opened ?? state === 'failed';
  const { word, icon } = signs[state];
  const head = (
    <>
      <span className={classes.sign}>{icon}</span>
      <span className={classes.words}>
        <b>{title}</b>
        <span className="heard">, {word}. </span>
        <span className={classes.result}>{state === 'running' && progress > 0 ? `Running, ${Math.floor(progress * 100)} %` : result}</span>
      </span>
      <span className={`${classes.took} mono`}>{took}</span>
    </>
  );
  return (
    <li className={classes.step} data-step={id} data-state={state}>
      {details === undefined ? (
        <div className={classes.head}>{head}</div>
      ) : (
        <button type="button" className={classes.head} aria-expanded={open} onClick={() => setOpened(!open)}>
          {head}
        </button>
      )}
      {state === 'running' && (
        <span className={classes.bar} aria-hidden="true">
          <span style={{ transform: `scaleX(${progress})` }} />
        </span>
      )}
      {open && details !== undefined && <div className={classes.details}>{details()}</div>}
    </li>
  );
}, isSame);

function isSame({ step: one }: { step: ShownStep }, { step: other }: { step: ShownStep }): boolean {
  return (
    one.id === other.id &&
    one.title === other.title &&
    one.state === other.state &&
    one.result === other.result &&
    one.took === other.took &&
    one.version === other.version &&
    (one.state !== 'running' || one.progress === other.progress)
  );
}
