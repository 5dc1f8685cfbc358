import type { Actor, Resource } from '../../../contract/record.ts';
import type { Cell, Filters, Row } from './question.ts';

/** The human behind an actor: whom an agent acts for, or the human itself. Null when no record says. */
export function humanBehind(actor: Actor): string | null {
  if (actor.kind === 'agent') return actor.onBehalfOf ?? null;
  return actor.kind === 'human' ? actor.principal : null;
}

/** `address:port` without the port; whatever else a source is stays as it is. */
export function addressOf(source: string): string {
  const match = /^\[([^\]]*)\]:\d+$/.exec(source) ?? /^([^:]*):\d+$/.exec(source);
  return match?.[1] ?? source;
}

export function whoCells(actor: Actor): Row {
  return { human: humanBehind(actor), principal: actor.principal, kind: actor.kind };
}

export const NOBODY_KNOWN: Row = { human: null, principal: null, kind: null };

/** What the filters ask about; undefined where an erasure took it. */
export interface Filtered {
  actor: Actor | undefined;
  target: Pick<Resource, 'name'> | undefined;
  protocol: string | undefined;
}

/** `unknown`: what an erasure took would have decided. */
export function matches({ actor, target, protocol }: Filtered, filters: Filters): 'yes' | 'no' | 'unknown' {
  const asked: [wanted: string | undefined, is: Cell | undefined][] = [
    [filters.principal, actor?.principal],
    [filters.onBehalfOf, actor === undefined ? undefined : (actor.onBehalfOf ?? null)],
    [filters.target, target?.name],
    [filters.protocol, protocol],
  ];
  let known = true;
  for (const [wanted, is] of asked) {
    if (wanted === undefined) continue;
    if (is === undefined) known = false;
    else if (is !== wanted) return 'no';
  }
  return known ? 'yes' : 'unknown';
}
