import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { protocolName, shortDateTime, utc } from './format.ts';
import classes from './labels.module.css';

/** Who did it, and for whom. */
export function Who({ principal, onBehalfOf }: { principal: string; onBehalfOf?: string | null | undefined }) {
  return (
    <span className={classes.who}>
      <b>{principal === '' ? 'erased' : principal}</b>
      {onBehalfOf !== undefined && onBehalfOf !== null && (
        <>
          <span className="faint"> for </span>
          <span className="muted">{onBehalfOf}</span>
        </>
      )}
    </span>
  );
}

/** A target with its tags; `env` in colours that mean how careful one has to be. */
export function TargetLabel({ name, tags = {} }: { name: string; tags?: Readonly<Record<string, string>> }) {
  const { env, ...others } = tags;
  return (
    <span className={classes.target}>
      <span className={classes.named}>
        <span title={name}>{name}</span>
        {env !== undefined && (
          <Tag critical={/^prod/i.test(env)} title={`env: ${env}`}>
            {env}
          </Tag>
        )}
      </span>
      {Object.entries(others)
        .slice(0, env === undefined ? 3 : 2)
        .map(([key, value]) => (
          <Tag key={key} title={`${key}: ${value}`}>
            {`${key}:${value}`}
          </Tag>
        ))}
    </span>
  );
}

export function Tag({ children, critical = false, title }: { children: ReactNode; critical?: boolean; title?: string }) {
  return (
    <span className={classes.tag} data-critical={critical || undefined} title={title}>
      {children}
    </span>
  );
}

export function ProtocolBadge({ protocol }: { protocol: string }) {
  return (
    <span className={classes.protocol} data-protocol={protocol}>
      {protocolName(protocol)}
    </span>
  );
}

/** Tags in a row, which break into lines where there are many. */
export function Tags({ children }: { children: ReactNode }) {
  return <span className={classes.tags}>{children}</span>;
}

export type Tone = 'plain' | 'ok' | 'ask' | 'deny' | 'accent';

/** A few words in the colour of what they mean. */
export function Tell({ tone, children, title }: { tone: Tone; children: ReactNode; title?: string }) {
  return (
    <span className={classes.tell} data-tone={tone} title={title}>
      {children}
    </span>
  );
}

export function TimeText({ time, text = shortDateTime(time) }: { time: string; text?: string }) {
  return (
    <time dateTime={time} title={utc(time)} className="mono">
      {text}
    </time>
  );
}

/** A key as it stands on the keyboard. */
export function Key({ children }: { children: ReactNode }) {
  return <kbd className={classes.key}>{children}</kbd>;
}

/** Something long in one line, whole where it is pointed at. */
export function Shortened({ text, mono = false }: { text: string; mono?: boolean }) {
  return (
    <Tooltip label={text} multiline maw={640} disabled={text.length < 24}>
      <span className={`${classes.shortened}${mono ? ' mono' : ''}`}>{text}</span>
    </Tooltip>
  );
}
