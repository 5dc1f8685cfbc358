/** What is asked of policy, and what it answers. Shared by the gateway, the desktop and the record of a decision. */

export const actions = [
  'connect',
  'ssh:shell',
  'ssh:exec',
  'ssh:subsystem',
  'ssh:read-file',
  'ssh:write-file',
  'ssh:forward',
  'ssh:agent-forward',
  /** What is typed at a terminal, up to Enter. Never decided by policy: only an operator who steps through a session holds it. */
  'ssh:input',
] as const;
export type Action = (typeof actions)[number];

export type Verdict = 'allow' | 'deny' | 'ask';

export interface PrincipalFacts {
  name: string;
  kind: 'human' | 'agent';
  onBehalfOf?: string;
  groups: readonly string[];
}

export interface TargetFacts {
  name: string;
  kind: string;
  tags: Readonly<Record<string, string>>;
}

/** When, from where and how the principal asks. They may decide, and are not part of what an approval is bound to. */
export interface Circumstances {
  /** Wall clock, microseconds since 1970 (UTC). */
  time: number;
  /** `address:port` of the client. */
  source: string;
  /** How the principal was authenticated: `publickey`, `certificate`. */
  authentication: string;
  /** Seconds since the session began; 0 for `connect`. */
  sessionAge: number;
}

export interface ActionRequest {
  principal: PrincipalFacts;
  target: TargetFacts;
  action: Action;
  /** Facts of the action as the protocol gives them: command, path, forwarding address … JSON values only. */
  facts: Readonly<Record<string, unknown>>;
  circumstances: Circumstances;
}

export interface Decision {
  verdict: Verdict;
  /** Ids of the policies (or rules) that decided. */
  policies: readonly string[];
  /** Names the policy set in force, for the record. */
  policySet: string;
  /** In words, for the person who was refused. */
  reason: string;
  /** With the verdict `ask`: the name of the approval rule. */
  rule?: string;
  /** What was understood of the facts, where policy looks into them: the words of a command, whether it is opaque … */
  understood?: Readonly<Record<string, unknown>>;
}
