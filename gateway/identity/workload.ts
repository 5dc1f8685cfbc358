import type { JSONWebKeySet } from 'jose';

/** An issuer whose tokens are taken for those of agents: a CI system, Kubernetes, SPIFFE. */
export interface WorkloadIssuer {
  readonly name: string;
  /** What its tokens have as `iss`, to the letter. */
  readonly issuer: string;
  /** What they have to have as `aud`: it should name this gateway and nobody else. */
  readonly audience: string;
  readonly keys: WorkloadKeys;
  /** The claim that says which workload it is. */
  readonly subjectClaim: string;
  /** Whether each token is taken once. */
  readonly singleUse: boolean;
  readonly agents: readonly WorkloadAgent[];
}

/** Where the issuer's public keys are. Those of a file are read with the configuration. */
export type WorkloadKeys = { readonly file: string; readonly set: JSONWebKeySet } | { readonly url: string };

export interface WorkloadAgent {
  /** Exactly, or with `*` at its end for any rest. */
  readonly subject: string;
  /** Name of an agent of the configuration. */
  readonly agent: string;
  /** The only targets of the certificates that it gets. */
  readonly targets?: readonly string[];
  /** Whether its tokens may say for which human of the configuration it acts. */
  readonly delegation: boolean;
}

/** The entry for a subject. One that is exact counts before those with a star, and of those the longest. */
export function agentOf({ agents }: Pick<WorkloadIssuer, 'agents'>, subject: string): WorkloadAgent | undefined {
  let found: WorkloadAgent | undefined;
  for (const entry of agents) {
    if (entry.subject === subject) return entry;
    if (!entry.subject.endsWith('*') || !subject.startsWith(entry.subject.slice(0, -1))) continue;
    if (found === undefined || entry.subject.length > found.subject.length) found = entry;
  }
  return found;
}
