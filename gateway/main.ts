#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { AuditOptions } from './commands/audit.ts';
import type { CastOptions } from './commands/cast.ts';
import { readClock } from './commands/clock.ts';
import type { PrepareOptions, RunOptions } from './commands/erase.ts';
import type { ExportOptions } from './commands/export.ts';
import type { HoldOptions } from './commands/hold.ts';
import type { DataOptions } from './commands/open-data.ts';
import type { PlayOptions } from './commands/play.ts';
import type { ReplayOptions, TryOptions } from './commands/policy.ts';
import { registerOperatorCommands } from './commands/register-operator.ts';
import type { ReindexOptions } from './commands/reindex.ts';
import { isBrokenPipe, reportError } from './commands/report.ts';
import type { RetentionOptions } from './commands/retention.ts';
import type { SearchOptions } from './commands/search.ts';
import type { SessionsOptions } from './commands/sessions.ts';
import type { ShowOptions } from './commands/show.ts';
import type { TranscriptOptions } from './commands/transcript.ts';
import type { VerifyCommandOptions } from './commands/verify.ts';
import { version } from './version.ts';

/*
 * The command line. What each command does stands in its own file under commands/ and is loaded when it is asked for,
 * so that a reading command starts without the gateway's machinery.
 */

/** Where a reading command finds the data: one of the two. */
const DATA = ['--data <dir>', 'data directory of a gateway, running or not'] as const;
const CONFIG = ['--config <file>', 'configuration of a gateway, for its data directory'] as const;
const JSON_OUTPUT = ['--json', 'one JSON object per line on standard output, for programs'] as const;

const PLAY_KEYS = `
Keys:
  space             pause, go on
  ← →               5 seconds back, on
  Home, End         to the beginning, to the end
  [ or -, ] or +    half as fast, twice as fast
  i                 shorten pauses, or play them in full
  q, Ctrl-C         leave
`;

const QUERIES = `
Queries (docs/searching.md has the whole language):
  permission denied       both words, anywhere in the line
  '"permission denied"'   one right after the other
  'kill*' '*ssion'        words that begin so, that end so
  '*missi*'               this anywhere, three characters at least
  Words are found whole, in upper and in lower case; all of them have to be in one line. Anything else, also a star within
  a word, means itself. Quote what has " or * in it for your shell.
`;

const program = new Command('sallyport')
  .description('A bastion for AI agents: every access identified, decided, recorded before it is delivered, and provable afterwards.')
  .version(version, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print help for a command')
  .helpCommand('help [command]', 'print help for a command')
  .showSuggestionAfterError(true)
  .exitOverride()
  .configureOutput({ writeErr: () => undefined }) // Errors are printed once, in one form, at the end of this file.
  .addHelpText(
    'after',
    `
Examples:
  $ sallyport demo                                   try everything on this machine
  $ sallyport serve --config gateway.yaml            run a gateway
  $ sallyport sessions --data ./data --from 2026-03-01
  $ sallyport play 01a205e1-e790 --data ./data       watch what happened
  $ sallyport search --data ./data permission denied find when that was on a screen`,
  );

program
  .command('serve')
  .description('run the gateway; prints one line per listener when it is ready. SIGTERM drains, SIGHUP reloads')
  .requiredOption('--config <file>', 'configuration file')
  .option('--data <dir>', 'data directory, instead of the one in the configuration')
  .addHelpText('after', examples('serve --config gateway.yaml', 'serve --config gateway.yaml --data /var/lib/sallyport'))
  .action(async (options: { config: string; data?: string }) => finish(await (await import('./commands/serve.ts')).serve(options)));

program
  .command('demo')
  .description('run a gateway with a ready-made configuration on loopback, and print what to type next')
  .option('--data <dir>', 'data directory to use and keep, instead of a temporary one')
  .addHelpText('after', examples('demo', 'demo --data ./demo-data'))
  .action(async (options: { data?: string }) => finish(await (await import('./commands/demo.ts')).demo(options)));

program
  .command('check-config')
  .description('say every fault of a configuration with its line and how to mend it')
  .argument('<file>', 'configuration file')
  .option(...JSON_OUTPUT)
  .addHelpText('after', examples('check-config gateway.yaml'))
  .action(async (file: string, options: { json?: boolean }) =>
    finish(await (await import('./commands/check-config.ts')).checkConfig(file, { json: options.json === true })),
  );

const policy = program.command('policy').description('what a policy decides, and what another one would have decided');

policy
  .command('try')
  .description('decide an action that you describe, as the gateway would; exit 1 when it is denied')
  .requiredOption('--config <file>', 'configuration of the gateway, with its policy, principals and targets')
  .option('--policy <file>', 'another policy file than the one in the configuration')
  .requiredOption('--principal <name>', 'who')
  .requiredOption('--target <name>', 'where')
  .requiredOption('--action <action>', 'what, for example connect, ssh:exec, ssh:write-file')
  .option('--command <command>', 'of ssh:exec: the command line')
  .option('--path <path>', 'of ssh:read-file and ssh:write-file: the file')
  .option('--operation <name>', 'of these: open, list, remove, rename, mkdir, rmdir, setstat, symlink, link')
  .option('--to <host:port>', 'of ssh:forward: where to; of rename and the like: the other path')
  .option('--subsystem <name>', 'of ssh:subsystem: its name')
  .option('--terminal', 'on a terminal')
  .option('--facts <json>', 'facts as a record has them')
  .option('--source <address>', 'from where, an address with or without a port')
  .option('--time <time>', 'when: an ISO 8601 date or time, UTC unless it says otherwise')
  .option(...JSON_OUTPUT)
  .addHelpText(
    'after',
    examples(
      'policy try --config gateway.yaml --principal deploy-bot --target web-1 --action connect',
      'policy try --config gateway.yaml --principal deploy-bot --target web-1 --action ssh:exec --command "systemctl restart web"',
    ),
  )
  .action(async (options: TryOptions) => finish(await (await import('./commands/policy.ts')).tryPolicy(options)));

policy
  .command('replay')
  .description('decide everything of a period again under another policy, and list what would change')
  .requiredOption('--config <file>', 'configuration of the gateway: who is in which group, and the tags of targets')
  .requiredOption('--policy <file>', 'the policy file to look at')
  .option(...DATA)
  .option('--from <time>', 'beginning of the period: an ISO 8601 date or time, UTC unless it says otherwise')
  .option('--to <time>', 'end of the period, which is not part of it; a date includes that day')
  .option(...JSON_OUTPUT)
  .addHelpText('after', examples('policy replay --config gateway.yaml --policy new.cedar --from 2026-03-01'))
  .action(async (options: ReplayOptions) => finish(await (await import('./commands/policy.ts')).replayPolicy(options)));

program
  .command('known-hosts')
  .description('print lines for known_hosts with the host key of the gateway, for every SSH target: for ssh -J GATEWAY LOGIN@TARGET')
  .requiredOption('--config <file>', 'configuration file')
  .option('--data <dir>', 'data directory, instead of the one in the configuration')
  .addHelpText('after', examples('known-hosts --config gateway.yaml >> ~/.ssh/known_hosts'))
  .action(async (options: { config: string; data?: string }) =>
    finish(await (await import('./commands/known-hosts.ts')).knownHosts(options)),
  );

program
  .command('sessions')
  .description('list sessions, newest first')
  .option(...DATA)
  .option(...CONFIG)
  .option('--from <time>', 'started at or after: an ISO 8601 date or time, UTC unless it says otherwise')
  .option('--to <time>', 'started before; a date includes that day')
  .option('--principal <name>', 'of this agent or human')
  .option('--on-behalf-of <name>', 'of agents acting for this human')
  .option('--target <name>', 'at this target')
  .option('--protocol <name>', 'over this protocol')
  .option('--state <state>', 'live, closed, recovered or erased')
  .option('--text <text>', 'text in the principal, the target or a command')
  .option('--limit <count>', 'at most so many', wholeNumber)
  .option('--after <session>', 'continue a list behind this session')
  .option(...JSON_OUTPUT)
  .addHelpText(
    'after',
    examples('sessions --data ./data', 'sessions --data ./data --principal deploy-bot --from 2026-03-01 --to 2026-03-31 --json'),
  )
  .action(async (options: SessionsOptions) => finish(await (await import('./commands/sessions.ts')).sessions(options)));

program
  .command('search')
  .description('find lines that were on the screens of sessions, newest first; exit 1 when nothing is found')
  .argument('<query...>', 'words, all of them in one line; "a phrase", begin*, *end, *part*: quote it for your shell')
  .option(...DATA)
  .option(...CONFIG)
  .option('--from <time>', 'on the screen at or after: an ISO 8601 date or time, UTC unless it says otherwise')
  .option('--to <time>', 'on the screen before; a date includes that day')
  .option('--session <session[/channel]>', 'in this session: its id, or the beginning of it')
  .option('--principal <name>', 'of this agent or human')
  .option('--on-behalf-of <name>', 'of agents acting for this human')
  .option('--target <name>', 'at this target')
  .option('--protocol <name>', 'over this protocol')
  .option('--state <state>', 'live, closed or recovered')
  .option('--limit <count>', 'at most so many lines; people see 50, with --json it is all of them', wholeNumber)
  .option(...JSON_OUTPUT)
  .addHelpText(
    'after',
    `${QUERIES}${examples('search --data ./data permission denied', `search --data ./data --target web-1 --from 2026-03-01 '"out of memory" kill*'`)}`,
  )
  .action(async (query: string[], options: SearchOptions) => finish(await (await import('./commands/search.ts')).search(query, options)));

program
  .command('show')
  .description('everything about one session: who, where, the decision, channels, segments, records')
  .argument('<session>', 'id of a session, or the beginning of one')
  .option(...DATA)
  .option(...CONFIG)
  .option(...JSON_OUTPUT)
  .addHelpText('after', examples('show 01a205e1-e790 --data ./data', 'show 01a205e1-e790 --data ./data --json'))
  .action(async (session: string, options: ShowOptions) => finish(await (await import('./commands/show.ts')).show(session, options)));

program
  .command('play')
  .description('replay a recording in this terminal')
  .argument('<session[/channel]>', 'id of a session or the beginning of one, and the number of a channel')
  .option(...DATA)
  .option(...CONFIG)
  .option('--at <time>', 'begin so far into it: seconds, m:ss or h:mm:ss', readClock)
  .option('--speed <factor>', 'play so many times faster', positiveNumber, 1)
  .option('--idle <seconds>', 'shorten pauses to this; 0 plays them in full', notNegativeNumber, 1)
  .addHelpText(
    'after',
    `${PLAY_KEYS}${examples('play 01a205e1-e790 --data ./data', 'play 01a205e1-e790/2 --data ./data --at 1:02:03 --speed 4')}`,
  )
  .action(async (session: string, options: PlayOptions) => finish(await (await import('./commands/play.ts')).play(session, options)));

program
  .command('cast')
  .description('export a recording as asciicast, for asciinema and its players')
  .argument('<session[/channel]>', 'id of a session or the beginning of one, and the number of a channel')
  .option(...DATA)
  .option(...CONFIG)
  .option('--format <format>', 'v3, exactly as recorded, or v2 for older players', 'v3')
  .option('-o, --output <file>', 'write to this file instead of standard output')
  .addHelpText(
    'after',
    examples('cast 01a205e1-e790 --data ./data -o session.cast', 'cast 01a205e1-e790/0 --data ./data --format v2 | asciinema play -'),
  )
  .action(async (session: string, options: CastOptions) => finish(await (await import('./commands/cast.ts')).cast(session, options)));

program
  .command('transcript')
  .description('print a session as text: commands with their output, exit status and times, files, decisions, in the order of time')
  .argument('<session[/channel]>', 'id of a session or the beginning of one, and the number of a channel')
  .option(...DATA)
  .option(...CONFIG)
  .option(...JSON_OUTPUT)
  .addHelpText('after', examples('transcript 01a205e1-e790 --data ./data', 'transcript 01a205e1-e790/0 --data ./data --json'))
  .action(async (session: string, options: TranscriptOptions) =>
    finish(await (await import('./commands/transcript.ts')).transcript(session, options)),
  );

program
  .command('audit')
  .description("answer an auditor's question about a period from the records alone, with a statement of how complete the answer is")
  .argument('[question]', 'name of the question; --list names them all')
  .option(...DATA)
  .option(...CONFIG)
  .option('--list', "every question, and whether today's records answer it")
  .option('--from <time>', 'beginning of the period: an ISO 8601 date or time, UTC unless it says otherwise')
  .option('--to <time>', 'end of the period, which is not part of it; a date includes that day')
  .option('--principal <name>', 'only of this agent or human')
  .option('--on-behalf-of <name>', 'only of agents acting for this human')
  .option('--target <name>', 'only at this target')
  .option('--protocol <name>', 'only over this protocol')
  .option('--thorough', 'read the whole ledger, and rely on no index of the database for what began before the period')
  .option('--format <format>', 'table, csv or ndjson')
  .option('-o, --output <file>', 'write the answer to this file, and its statement to FILE.statement.json beside it')
  .option(...JSON_OUTPUT)
  .addHelpText(
    'after',
    examples(
      'audit --list',
      'audit sessions --data ./data --from 2026-03-01 --to 2026-03-31',
      'audit commands --data ./data --from 2026-03-01 --principal deploy-bot --format csv -o march.csv',
    ),
  )
  .action(async (question: string | undefined, options: AuditOptions) =>
    finish(await (await import('./commands/audit.ts')).audit(question, options)),
  );

program
  .command('export')
  .description('write a bundle for an auditor: recordings, records, proofs and an offline page, in one zip file that verifies without us')
  .argument('[sessions...]', 'ids of sessions, or their beginnings; without any, the options say which')
  .requiredOption('-o, --output <file>', 'the bundle, for example march.zip')
  .option(...DATA)
  .option(...CONFIG)
  .option('--from <time>', 'started at or after: an ISO 8601 date or time, UTC unless it says otherwise')
  .option('--to <time>', 'started before; a date includes that day')
  .option('--principal <name>', 'of this agent or human')
  .option('--on-behalf-of <name>', 'of agents acting for this human')
  .option('--target <name>', 'at this target')
  .option('--protocol <name>', 'over this protocol')
  .option('--state <state>', 'live, closed, recovered or erased')
  .option('--text <text>', 'text in the principal, the target or a command')
  .option('--leave-out <session>', 'a session to keep back, again for more; the bundle says that it was', collect, [])
  .option('--unsigned', 'also where the key of the ledger cannot be used: the bundle is then not signed as a whole')
  .option('--force', 'replace the file if it exists')
  .option(...JSON_OUTPUT)
  .addHelpText(
    'after',
    examples(
      'export --data ./data --from 2026-03-01 --to 2026-03-31 -o march.zip',
      'export 01a205e1-e790 --config gateway.yaml -o session.zip',
    ),
  )
  .action(async (sessions: string[], options: ExportOptions) =>
    finish(await (await import('./commands/export.ts')).exportCommand(sessions, options)),
  );

program
  .command('verify')
  .description('recompute all evidence from its bytes and say what is intact, what is wrong and where; a data directory, or a bundle')
  .argument('[file.zip]', 'a bundle; without it, the data directory')
  .option(...DATA)
  .option(...CONFIG)
  .option('--checkpoint <file>', 'a checkpoint that was kept outside: the log has to continue it')
  .option('--key <file>', "the ledger's public key, got another way: keys/ledger.pub of the gateway")
  .option(...JSON_OUTPUT)
  .addHelpText('after', examples('verify --data ./data', 'verify march.zip --key ledger.pub --checkpoint kept-in-january'))
  .action(async (file: string | undefined, options: VerifyCommandOptions) =>
    finish(await (await import('./commands/verify.ts')).verifyCommand(file, options)),
  );

const hold = program.command('hold').description('legal holds: what they are on is neither expired nor erased');

hold
  .command('set')
  .description('hold sessions, also those that are still to come; the options say which, and all of them have to fit')
  .requiredOption('--reason <text>', 'why; it stands in the record')
  .option('--session <session>', 'this session: its id, or the beginning of it')
  .option('--principal <name>', 'of this agent or human')
  .option('--on-behalf-of <name>', 'of agents acting for this human')
  .option('--target <name>', 'at this target')
  .option('--protocol <name>', 'over this protocol')
  .option('--state <state>', 'live, closed, recovered or erased')
  .option('--text <text>', 'text in the principal, the target or a command')
  .option('--from <time>', 'started at or after: an ISO 8601 date or time, UTC unless it says otherwise')
  .option('--to <time>', 'started before; a date includes that day')
  .option(...DATA)
  .option(...CONFIG)
  .option(...JSON_OUTPUT)
  .addHelpText(
    'after',
    examples(
      'hold set --config gateway.yaml --session 01a205e1-e790 --reason "case 2026-17"',
      'hold set --config gateway.yaml --principal deploy-bot --from 2026-03-01 --reason "case 2026-17"',
    ),
  )
  .action(async (options: HoldOptions) => finish(await (await import('./commands/hold.ts')).setHold(options)));

hold
  .command('clear')
  .description('end a hold; what it was on may expire from then on')
  .argument('<hold>', 'id of a hold, or the beginning of one')
  .requiredOption('--reason <text>', 'why; it stands in the record')
  .option(...DATA)
  .option(...CONFIG)
  .option(...JSON_OUTPUT)
  .addHelpText('after', examples('hold clear 01a205e1-e790 --config gateway.yaml --reason "case 2026-17 is closed"'))
  .action(async (id: string, options: HoldOptions) => finish(await (await import('./commands/hold.ts')).clearHold(id, options)));

hold
  .command('list')
  .description('the holds in force, oldest first')
  .option('--all', 'also those that are cleared')
  .option(...DATA)
  .option(...CONFIG)
  .option(...JSON_OUTPUT)
  .addHelpText('after', examples('hold list --data ./data', 'hold list --data ./data --all --json'))
  .action(async (options: DataOptions & { all?: boolean; json?: boolean }) =>
    finish(await (await import('./commands/hold.ts')).listHolds(options)),
  );

const retention = program.command('retention').description('how long recordings are kept, and deleting those whose time is over');

retention
  .command('show')
  .description('per target: how long it is kept, what is due, when the next one is, and what is held')
  .option(...CONFIG)
  .option(...DATA)
  .option(...JSON_OUTPUT)
  .addHelpText('after', examples('retention show --config gateway.yaml'))
  .action(async (options: RetentionOptions) => finish(await (await import('./commands/retention.ts')).showRetention(options)));

retention
  .command('run')
  .description('delete what is kept longer than the configuration says; a running gateway does so once a day')
  .option('--dry-run', 'only say what would be deleted')
  .option('--yes', 'do not ask first')
  .option(...CONFIG)
  .option(...DATA)
  .option(...JSON_OUTPUT)
  .addHelpText('after', examples('retention run --config gateway.yaml --dry-run', 'retention run --config gateway.yaml --yes'))
  .action(async (options: RetentionOptions) => finish(await (await import('./commands/retention.ts')).runRetention(options)));

program
  .command('reindex')
  .description('make anew what recordings are replayed and searched by (DATA/replay); the recordings themselves stay as they are')
  .argument('[session]', 'id of a session, or the beginning of one; without it, of all of them')
  .option(...DATA)
  .option(...CONFIG)
  .option(...JSON_OUTPUT)
  .addHelpText('after', examples('reindex --data ./data', 'reindex 01a205e1-e790 --config gateway.yaml'))
  .action(async (session: string | undefined, options: ReindexOptions) =>
    finish(await (await import('./commands/reindex.ts')).reindex(session, options)),
  );

const erase = program.command('erase').description('erase on request, for example of a data subject: two admins have to sign it');

erase
  .command('prepare')
  .description('write the request that two admins sign with ssh-keygen; changes nothing else')
  .argument('[sessions...]', 'ids of sessions, or their beginnings; without any, the options say which')
  .requiredOption('--basis <text>', 'why, without naming the person: it is kept for ever')
  .requiredOption('-o, --output <file>', 'the request, for example request.json')
  .option('--principal <name>', 'of this human or agent, also what agents did on behalf of that human, and refused connections')
  .option('--on-behalf-of <name>', 'of agents acting for this human')
  .option('--target <name>', 'at this target')
  .option('--protocol <name>', 'over this protocol')
  .option('--text <text>', 'text in the principal, the target or a command')
  .option('--from <time>', 'started at or after: an ISO 8601 date or time, UTC unless it says otherwise')
  .option('--to <time>', 'started before; a date includes that day')
  .option('--force', 'replace the file if it exists')
  .option(...DATA)
  .option(...CONFIG)
  .option(...JSON_OUTPUT)
  .addHelpText(
    'after',
    examples(
      'erase prepare --config gateway.yaml --principal former@example.com --basis "request 4711, GDPR article 17" -o request.json',
      'erase prepare 01a205e1-e790 --config gateway.yaml --basis "request 4711" -o request.json',
    ),
  )
  .action(async (sessions: string[], options: PrepareOptions) =>
    finish(await (await import('./commands/erase.ts')).prepareErase(sessions, options)),
  );

erase
  .command('run')
  .description('carry out a request that two different admins of the configuration have signed')
  .argument('<file>', 'the request')
  .requiredOption('--signature <file>', 'what ssh-keygen -Y sign wrote; twice', (file: string, before?: string[]) => [
    ...(before ?? []),
    file,
  ])
  .option('--yes', 'do not ask first')
  .option(...CONFIG)
  .option(...DATA)
  .option(...JSON_OUTPUT)
  .addHelpText('after', examples('erase run request.json --signature alice.sig --signature bob.sig --config gateway.yaml'))
  .action(async (file: string, options: RunOptions) => finish(await (await import('./commands/erase.ts')).runErase(file, options)));

registerOperatorCommands({ program, finish, examples, wholeNumber, collect });

try {
  await program.parseAsync();
} catch (thrown) {
  if (isBrokenPipe(thrown)) finish(0);
  else if (thrown instanceof CommanderError && thrown.exitCode === 0) finish(0);
  else finish(reportError(thrown, process.argv.includes('--json')));
}

/** The process ends by itself when everything is closed; output still on its way is not cut off. */
function finish(code: number): void {
  process.exitCode = code;
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ sallyport ${line}`).join('\n')}`;
}

function collect(text: string, before: string[]): string[] {
  return [...before, text];
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('it has to be a whole number above 0');
  return Number(text);
}

function positiveNumber(text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number) || number <= 0) throw new InvalidArgumentError('it has to be a number above 0');
  return number;
}

function notNegativeNumber(text: string): number {
  const number = Number(text);
  if (text === '' || !Number.isFinite(number) || number < 0) throw new InvalidArgumentError('it has to be a number from 0');
  return number;
}
