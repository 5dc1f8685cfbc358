/** What is asked of policy, and what it answers. Shared by the gateway, the desktop and the record of a decision. */

export type Action =
  | 'connect'
  | 'ssh:shell'
  | 'ssh:exec'
  | 'ssh:subsystem'
  | 'ssh:read-file'
  | 'ssh:write-file'
  | 'ssh:forward'
  | 'ssh:agent-forward';

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

export interface ActionRequest {
  principal: PrincipalFacts;
  target: TargetFacts;
  action: Action;
  /** Facts of the action: command, path, forwarding address … JSON values only. */
  facts: Readonly<Record<string, unknown>>;
}

export interface Decision {
  verdict: Verdict;
  /** Ids of the policies (or rules) that decided. */
  policies: readonly string[];
  /** Names the policy set in force, for the record. */
  policySet: string;
  /** In words, for the person who was refused. */
  reason: string;
}
