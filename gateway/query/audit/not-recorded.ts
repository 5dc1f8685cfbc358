import type { UnansweredQuestion } from './question.ts';

/** Questions that no record of today says anything about. They are named, so that nobody takes silence for an answer. */
export const unanswered: readonly UnansweredQuestion[] = [
  {
    name: 'approvals',
    asks: 'Who approved what, and before it happened?',
    missing: ['approval.asked', 'approval.decided', 'approval.expired', 'grant.used'],
    because: 'this version has no approvals: access is what the configuration in force allows (policy-in-force)',
  },
  {
    name: 'self-approvals',
    asks: 'Did anybody approve their own access, or that of their own agent?',
    missing: ['approval.decided'],
    because: 'this version has no approvals',
  },
  {
    name: 'justification',
    asks: 'For which stated reason was access taken?',
    missing: ['approval.asked'],
    because: 'this version asks nobody for a reason when a session begins',
  },
  {
    name: 'time-bound',
    asks: 'Which access was granted for a time, and when did it expire or was it revoked?',
    missing: ['grant.used', 'approval.expired', 'principal.locked', 'principal.unlocked'],
    because: 'access stands in the configuration without an end; changes names every configuration that was in force',
  },
  {
    name: 'leavers',
    asks: 'Which identities were disabled, and were they seen afterwards?',
    missing: ['principal.locked', 'principal.disabled'],
    because:
      'when an identity is disabled in the configuration is not recorded. What it tried afterwards is among refused, with the reason that it is disabled',
  },
  {
    name: 'data-read-changed',
    asks: 'Which data was read and changed: tables, verbs, rows?',
    missing: ['sql.statement', 'file.operation'],
    because: 'databases are not served by this version, and what is done to files over SSH stands in the recordings, not in records',
  },
  {
    name: 'tool-calls-to-production',
    asks: 'Which tool calls reached production systems?',
    missing: ['mcp.tools.changed', 'lease.issued', 'lease.used'],
    because:
      'tool calls (MCP) are not served by this version, and the tags of targets are not in records. agent-actions has what agents did over SSH',
  },
  {
    name: 'break-glass',
    asks: 'Which emergency access was there, and was it reviewed?',
    missing: ['approval.decided', 'review.signed'],
    because: 'this version has neither emergency access nor reviews',
  },
  {
    name: 'unreviewed',
    asks: 'What has nobody looked at yet?',
    missing: ['access.viewed', 'review.signed'],
    because: 'that somebody looked at a session is not recorded yet, so nothing can be told from what nobody looked at',
  },
];
