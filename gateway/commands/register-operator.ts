import type { Command } from 'commander';
import type { ConsoleOptions } from './console.ts';
import type { IssueOptions } from './credentials.ts';
import type { DecideOptions } from './decide.ts';
import type { LoginOptions } from './login.ts';
import type { TokenOptions } from './operator.ts';
import type { AddOptions } from './operator-add.ts';
import type { OperatorOptions } from './operator-client.ts';
import type { SuperviseOptions } from './supervise.ts';

/** What main.ts gives to those who add commands to it. */
export interface Registering {
  readonly program: Command;
  /** Takes the exit status. */
  readonly finish: (code: number) => void;
  readonly examples: (...lines: string[]) => string;
  readonly wholeNumber: (text: string) => number;
  readonly collect: (text: string, before: string[]) => string[];
}

const GATEWAY = ['--gateway <url>', 'the gateway that you have logged in to, if it is not the last one'] as const;
const DATA = ['--data <dir>', 'instead: the gateway that runs on this data directory of this machine'] as const;
const CONFIG = ['--config <file>', 'instead: the gateway of this configuration on this machine'] as const;
const JSON_OUTPUT = ['--json', 'one JSON object per line on standard output, for programs'] as const;
const REASON = ['--reason <text>', 'why; it stands in the record'] as const;

/** Commands that ask a running gateway: log-ins, operators, approvals, supervision. */
export function registerOperatorCommands(registering: Registering): void {
  registerLogIn(registering);
  registerOperators(registering);
  registerApprovals(registering);
  registerSupervision(registering);
  registerCredentials(registering);
  registerWatch(registering);
}

function remote(command: Command): Command {
  return command
    .option(...GATEWAY)
    .option(...DATA)
    .option(...CONFIG)
    .option(...JSON_OUTPUT);
}

function registerLogIn({ program, finish, examples }: Registering): void {
  program
    .command('login')
    .description('log in to a gateway as an operator, with your SSH key or through its identity provider; good for twelve hours')
    .option('--gateway <url>', 'address of its HTTPS listener, for example https://bastion.example.com:7443')
    .option('--operator <name>', 'who you are in its configuration')
    .option('--key <file>', 'the SSH key; without it those of the agent and then of ~/.ssh')
    .option('--browser', 'through the identity provider, in a browser on this machine')
    .option('--device', 'through the identity provider, in a browser anywhere, with a code')
    .option('--fingerprint <sha256>', 'of its certificate, as the gateway printed it at its start')
    .option(...JSON_OUTPUT)
    .addHelpText('after', examples('login --gateway https://bastion.example.com:7443 --operator reviewer@example.com'))
    .action(async (options: LoginOptions) => finish(await (await import('./login.ts')).login(options)));
  remote(program.command('console').description('print an address that opens the console in a browser, logged in; it is good once'))
    .option('--operator <name>', 'with --data or --config: who is logged in, if the configuration has several operators')
    .addHelpText('after', examples('console', 'xdg-open "$(sallyport console)"', 'console --data ./data --operator reviewer@example.com'))
    .action(async (options: ConsoleOptions) => finish(await (await import('./console.ts')).openConsole(options)));
  program
    .command('logout')
    .description('end the log-in')
    .option(...GATEWAY)
    .option(...JSON_OUTPUT)
    .addHelpText('after', examples('logout'))
    .action(async (options: OperatorOptions) => finish(await (await import('./login.ts')).logout(options)));
  program
    .command('whoami')
    .description('who is logged in, and with which roles')
    .option(...GATEWAY)
    .option(...JSON_OUTPUT)
    .addHelpText('after', examples('whoami --json'))
    .action(async (options: OperatorOptions) => finish(await (await import('./login.ts')).whoami(options)));
  remote(program.command('status').description('how a running gateway is'))
    .addHelpText('after', examples('status', 'status --data ./data --json'))
    .action(async (options: OperatorOptions) => finish(await (await import('./status.ts')).status(options)));
  remote(program.command('reload').description('have a running gateway read its configuration again'))
    .addHelpText('after', examples('reload --config gateway.yaml'))
    .action(async (options: OperatorOptions) => finish(await (await import('./status.ts')).reloadConfig(options)));
}

function registerOperators({ program, finish, examples, wholeNumber, collect }: Registering): void {
  const operator = program.command('operator').description('people and programs that may use the operator API');
  remote(operator.command('list').description('operators, and the log-ins and tokens in force'))
    .addHelpText('after', examples('operator list', 'operator list --data ./data --json'))
    .action(async (options: OperatorOptions) => finish(await (await import('./operator.ts')).listOperators(options)));
  remote(operator.command('token').description('make a token for a program; it is shown once'))
    .argument('<operator>', 'in whose name it is')
    .requiredOption('--role <role>', 'reviewer, auditor or admin, as far as the operator has it; again for more', collect, [])
    .requiredOption(...REASON)
    .option('--days <days>', 'how long it is good', wholeNumber, 90)
    .addHelpText('after', examples('operator token auditor@example.com --role auditor --days 30 --reason "monthly report"'))
    .action(async (name: string, options: TokenOptions) => finish(await (await import('./operator.ts')).makeToken(name, options)));
  remote(operator.command('revoke').description('end a log-in or a token, or all of an operator'))
    .option('--token <id>', 'this one')
    .option('--operator <name>', 'all of this operator')
    .requiredOption(...REASON)
    .addHelpText('after', examples('operator revoke --operator former@example.com --reason "left the company"'))
    .action(async (options: OperatorOptions & { token?: string; operator?: string; reason: string }) =>
      finish(await (await import('./operator.ts')).revokeOperator(options)),
    );
  operator
    .command('add')
    .description('make somebody an operator in a configuration file, which keeps its comments')
    .argument('<name>', 'of a human of the configuration, or of a new one')
    .requiredOption('--role <role>', 'reviewer, auditor or admin; again for more', collect, [])
    .option('--key <file>', 'an SSH public key of theirs')
    .requiredOption('--config <file>', 'configuration file')
    .option(...JSON_OUTPUT)
    .addHelpText('after', examples('operator add reviewer@example.com --role reviewer --key id_ed25519.pub --config gateway.yaml'))
    .action(async (name: string, options: AddOptions) => finish(await (await import('./operator-add.ts')).addOperator(name, options)));
}

function registerApprovals({ program, finish, examples }: Registering): void {
  remote(program.command('approvals').description('what waits for a reviewer'))
    .option('--all', 'also what is over, the newest first')
    .option('--session <id>', 'only of this session')
    .addHelpText('after', examples('approvals', 'approvals --all --json'))
    .action(async (options: OperatorOptions & { all?: boolean; session?: string }) =>
      finish(await (await import('./decide.ts')).approvals(options)),
    );
  const decision = (command: Command): Command =>
    command
      .argument('<approval>', 'id of a request, or the beginning of one that waits')
      .option('--key <file>', 'the SSH key to sign with; without it the one of the log-in')
      .option('--yes', 'do not ask first')
      .option(...GATEWAY)
      .option(...JSON_OUTPUT);
  decision(program.command('approve').description('approve a request, signed with your SSH key'))
    .option(...REASON)
    .addHelpText('after', examples('approve 01a205e1-e790', 'approve 01a205e1-e790 --reason "change 4711" --yes'))
    .action(async (id: string, options: DecideOptions) => finish(await (await import('./decide.ts')).decide('approve', id, options)));
  decision(program.command('deny').description('deny a request, signed with your SSH key'))
    .requiredOption(...REASON)
    .addHelpText('after', examples('deny 01a205e1-e790 --reason "not during the freeze"'))
    .action(async (id: string, options: DecideOptions) => finish(await (await import('./decide.ts')).decide('deny', id, options)));
}

function registerSupervision({ program, finish, examples }: Registering): void {
  const SESSION = ['<session>', 'id of a session that runs, or the beginning of one'] as const;
  const load = () => import('./supervise.ts');
  remote(program.command('message').description('show a line to whoever is at the client end of a running session'))
    .argument(...SESSION)
    .argument('<text...>', 'the line')
    .addHelpText('after', examples('message 01a205e1-e790 "the change window ends in five minutes"'))
    .action(async (session: string, words: string[], options: OperatorOptions) =>
      finish(await (await load()).messageSession(session, words, options)),
    );
  remote(program.command('pause').description('stop a running session in both directions; nothing is lost'))
    .argument(...SESSION)
    .requiredOption(...REASON)
    .addHelpText('after', examples('pause 01a205e1-e790 --reason "looking into it"'))
    .action(async (session: string, options: SuperviseOptions) => finish(await (await load()).pauseSession(session, options)));
  remote(program.command('resume').description('let a paused session go on'))
    .argument(...SESSION)
    .requiredOption(...REASON)
    .addHelpText('after', examples('resume 01a205e1-e790 --reason "all is well"'))
    .action(async (session: string, options: SuperviseOptions) => finish(await (await load()).resumeSession(session, options)));
  remote(program.command('step').description('from here on each next action of a session waits for approval'))
    .argument(...SESSION)
    .option('--off', 'not any more')
    .requiredOption(...REASON)
    .addHelpText('after', examples('step 01a205e1-e790 --reason "first run of this agent"'))
    .action(async (session: string, options: SuperviseOptions & { off?: boolean }) =>
      finish(await (await load()).stepSession(session, options)),
    );
  remote(program.command('terminate').description('end a running session'))
    .argument(...SESSION)
    .requiredOption(...REASON)
    .option('--yes', 'do not ask first')
    .addHelpText('after', examples('terminate 01a205e1-e790 --reason "it deletes the wrong files" --yes'))
    .action(async (session: string, options: SuperviseOptions & { yes?: boolean }) =>
      finish(await (await load()).terminateSession(session, options)),
    );
  remote(
    program.command('lock').description('lock a principal: sessions end, also those of agents acting for it, and new ones are refused'),
  )
    .argument('<principal>', 'name of a human or an agent')
    .requiredOption(...REASON)
    .addHelpText('after', examples('lock deploy-bot --reason "key was leaked"'))
    .action(async (principal: string, options: SuperviseOptions) => finish(await (await load()).lockPrincipal(principal, options)));
  remote(program.command('unlock').description('unlock a principal'))
    .argument('<principal>', 'name of a human or an agent')
    .requiredOption(...REASON)
    .addHelpText('after', examples('unlock deploy-bot --reason "it has a new key"'))
    .action(async (principal: string, options: SuperviseOptions) => finish(await (await load()).unlockPrincipal(principal, options)));
  remote(program.command('locks').description('principals that are locked'))
    .addHelpText('after', examples('locks --json'))
    .action(async (options: OperatorOptions) => finish(await (await load()).listLocks(options)));
}

function registerCredentials({ program, finish, examples, wholeNumber, collect }: Registering): void {
  const credentials = program.command('credentials').description('short-lived SSH certificates of the gateway');
  const load = async (options: OperatorOptions) => {
    const [commands, { askOperator }] = await Promise.all([import('./credentials.ts'), import('./operator-client.ts')]);
    const ask: Parameters<typeof commands.revokeCredentials>[2] = (name, input) => askOperator(options, name, input);
    return { ...commands, ask };
  };
  credentials
    .command('issue')
    .description('have your SSH key certified, for whoever has logged in or for the workload that a token speaks of')
    .requiredOption('--key <file>', 'the public key, for example ~/.ssh/id_ed25519.pub')
    .option('--token <file>', 'a file with a token of the issuer of the workload, or - for standard input')
    .option('--target <name>', 'only for this target; again for more', collect, [])
    .option('--seconds <seconds>', 'how long it is good, as far as the configuration allows', wholeNumber)
    .option('-o, --output <file>', 'instead of beside the key; - for standard output')
    .option(...GATEWAY)
    .option(...JSON_OUTPUT)
    .addHelpText('after', examples('credentials issue --key ~/.ssh/id_ed25519.pub', 'credentials issue --key key.pub --token /run/token'))
    .action(async (options: IssueOptions & OperatorOptions) => {
      const { issueCredentials, ask } = await load(options);
      finish(await issueCredentials(options, ask));
    });
  remote(credentials.command('revoke').description('revoke a certificate of the gateway'))
    .argument('<serial>', 'its serial number: ssh-keygen -L -f FILE-cert.pub')
    .requiredOption(...REASON)
    .addHelpText('after', examples('credentials revoke 12345 --reason "the machine was stolen"'))
    .action(async (serial: string, options: SuperviseOptions) => {
      const { revokeCredentials, ask } = await load(options);
      finish(await revokeCredentials(serial, options, ask));
    });
  remote(credentials.command('authority').description("the public key of the gateway's certificate authority, for other servers"))
    .addHelpText('after', examples('credentials authority', 'credentials authority --data ./data --json'))
    .action(async (options: OperatorOptions) => {
      const { showAuthority, ask } = await load(options);
      finish(await showAuthority(options, ask));
    });
}

function registerWatch({ program, finish, examples }: Registering): void {
  program
    .command('watch')
    .description('see a running session in this terminal, as it is now and as it goes on; q leaves')
    .argument('<session>', 'id of a session that runs, or the beginning of one, and a channel behind a slash if not the first terminal')
    .option(...GATEWAY)
    .addHelpText('after', examples('watch 01a205e1-e790', 'watch 01a205e1-e790/2 --gateway https://bastion.example.com:7443'))
    .action(async (session: string, options: OperatorOptions) => finish(await (await import('./watch.ts')).watch(session, options)));
}
