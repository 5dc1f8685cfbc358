import type { UnansweredQuestion } from './question.ts';

/** Questions that no record of today says anything about. They are named, so that nobody takes silence for an answer. */
export const unanswered: readonly UnansweredQuestion[] = [
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
];
