/**
 * What a policy file may speak of, in Cedar's own schema language. A policy that says anything else does not load.
 * docs/policy.md explains every member, and a test holds that it names them all.
 */

const circumstances = `
    time: datetime,
    hour: Long,
    weekday: String,
    source: ipaddr,
    authentication: String,
    sessionAge: Long,`;

const file = `${circumstances}
    operation: String,
    path: String,
    to?: String,
    flags: Set<String>,
    opaque: Bool,`;

function action(name: string, context: string, group?: string): string {
  return `action "${name}"${group === undefined ? '' : ` in ["${group}"]`} appliesTo {
  principal: [Human, Agent],
  resource: [Target],
  context: {${context}
  },
};
`;
}

export const cedarSchema = `entity Group;
entity Env;
entity Human in [Group] { name: String };
entity Agent in [Group] { name: String, onBehalfOf: Human };
entity Target in [Env] { name: String, kind: String } tags String;

${action('connect', circumstances)}
action "ssh";
${[
  action('ssh:shell', `${circumstances}\n    terminal: Bool,`, 'ssh'),
  action(
    'ssh:exec',
    `${circumstances}
    terminal: Bool,
    command: String,
    program: String,
    programs: Set<String>,
    words: Set<String>,
    opaque: Bool,`,
    'ssh',
  ),
  action('ssh:subsystem', `${circumstances}\n    terminal: Bool,\n    subsystem: String,`, 'ssh'),
  action('ssh:read-file', file, 'ssh'),
  action('ssh:write-file', file, 'ssh'),
  action(
    'ssh:forward',
    `${circumstances}
    direction: String,
    host: String,
    address?: ipaddr,
    port: Long,
    socket?: String,
    opaque: Bool,`,
    'ssh',
  ),
  action('ssh:agent-forward', circumstances, 'ssh'),
].join('')}`;

/** Members that a policy may not look at without looking at `opaque` too: they are not the whole truth when that is true. */
export const coveredByOpaque: ReadonlySet<string> = new Set([
  'command',
  'program',
  'programs',
  'words',
  'path',
  'to',
  'host',
  'address',
  'socket',
]);
