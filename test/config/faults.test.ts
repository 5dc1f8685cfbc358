import { afterAll, describe, expect, test } from 'vitest';
import { Belongings } from '../support/temp.ts';
import { changed, faultsOf, hostKey, keys, valid } from './written.ts';

const belongings = new Belongings();
const directory = belongings.directory('config');
afterAll(() => belongings.release());

const faults = (content: string) => faultsOf(directory, content);

test('the configuration that all of these start from has no fault', () => {
  expect(faults(valid)).toEqual([]);
});

/** What is changed in the valid configuration, and the one fault that has to be reported, exactly. */
const table: [promise: string, content: string, fault: string][] = [
  [
    'an unknown key is a fault with a suggestion',
    `${valid}limits: { sesions: 3 }\n`,
    'gateway.yaml:15:11: unknown key "sesions". Did you mean "sessions"?',
  ],
  [
    'an unknown key that resembles nothing is answered with the known ones',
    `${valid}limits:\n  lockout: { colour: red }\n`,
    'gateway.yaml:16:14: unknown key "colour". Known here: failures, within, for.',
  ],
  [
    'an underscore for a hyphen is recognised',
    `${valid}limits: { keep_alive: 30s }\n`,
    'gateway.yaml:15:11: unknown key "keep_alive". Did you mean "keep-alive"?',
  ],
  [
    'a key named __proto__ is unknown like any other',
    `${valid}__proto__: { limits: 1 }\n`,
    'gateway.yaml:15:1: unknown key "__proto__". Known here: gateway, humans, agents, targets, recording, limits, ssh, ledger, oidc, certificates, workloads, policy, approvals.',
  ],
  [
    'a key that is there twice is a fault',
    changed('    login: deploy\n', '    login: deploy\n    login: root\n'),
    'gateway.yaml:13:5: the key "login" is there a second time. Keep one of them.',
  ],
  [
    'two humans cannot have one name',
    changed('agents:', '  - name: reviewer@example.com\nagents:'),
    'gateway.yaml:5:11: the name "reviewer@example.com" is taken by entry 1 of humans. Give each its own name.',
  ],
  [
    'a human and an agent cannot have one name',
    changed('agents:\n', 'agents:\n  - { name: reviewer@example.com, on-behalf-of: reviewer@example.com }\n'),
    'gateway.yaml:6:13: the name "reviewer@example.com" is taken by entry 1 of humans. Give each its own name.',
  ],
  [
    'two targets cannot have one name',
    `${valid}  - { name: web-1, kind: shell }\n`,
    'gateway.yaml:15:13: the name "web-1" is taken by entry 1 of targets. Give each its own name.',
  ],
  [
    'a principal cannot have the name that records give to the gateway',
    changed('agents:', '  - name: gateway\nagents:'),
    'gateway.yaml:5:11: the name "gateway" has a meaning of its own in records. Choose another one.',
  ],
  [
    'two principals cannot have one key, whatever its comment',
    changed(keys.bot, `${keys.reviewer} but of another`),
    'gateway.yaml:6:72: the key SHA256:WcXQLMV/+rX0B/sOyXsbEB0CIDs27Bdr13k9Mef9gFI belongs to "reviewer@example.com" already. A key says who somebody is: give everybody their own.',
  ],
  [
    'a principal cannot have one key twice',
    changed(`["${keys.bot}"]`, `["${keys.bot}", "${keys.bot} again"]`),
    'gateway.yaml:6:160: the key SHA256:VKc87N9sdKF7fqzDFPRCfkQYunjAXPPRRai0/bx4XVM is there a second time. Keep one of them.',
  ],
  [
    'a public key that is cut off is a fault',
    changed(keys.bot, 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHsjyVSYMt7gcFzNCRT64eXomHF1EKyxw0QAsZGsg=='),
    'gateway.yaml:6:72: the key is cut off or damaged. Write one line of a .pub file, for example "ssh-ed25519 AAAA… comment".',
  ],
  [
    'an agent acts for a human who is known',
    changed('on-behalf-of: reviewer@example.com', 'on-behalf-of: engineer@example.com'),
    'gateway.yaml:6:39: no human is named "engineer@example.com". Add { name: "engineer@example.com" } to humans; a key is not needed.',
  ],
  [
    'an agent does not act for an agent',
    changed('on-behalf-of: reviewer@example.com', 'on-behalf-of: deploy-bot'),
    'gateway.yaml:6:39: "deploy-bot" is an agent. Name the human for whom this agent acts.',
  ],
  [
    'an agent always acts for somebody',
    changed(' on-behalf-of: reviewer@example.com,', ''),
    'gateway.yaml:6:5: "on-behalf-of" is missing. A name is up to 128 letters, digits and . _ @ + - and begins with a letter or a digit.',
  ],
  [
    'allow names principals who are known',
    changed('[deploy-bot,', '[deply-bot,'),
    'gateway.yaml:14:13: no principal is named "deply-bot". Did you mean "deploy-bot"?',
  ],
  [
    'a group in the place of a principal is recognised',
    changed('[deploy-bot,', '[platform,'),
    'gateway.yaml:14:13: no principal is named "platform". There is a group of that name: write { group: "platform" }.',
  ],
  [
    'allow names groups that somebody is in',
    changed('{ group: platform }', '{ group: operations }'),
    'gateway.yaml:14:34: nobody is in a group "operations". Add the group to the `groups` of a human or an agent, or remove it here.',
  ],
  [
    'an entry of allow is a name or a group',
    changed('{ group: platform }', '{ team: platform }'),
    'gateway.yaml:14:25: a section stands where the name of a principal or a group belongs. Name a principal, or write { group: NAME }.',
  ],
  [
    'an environment variable that is not set is a fault',
    changed('WEB_PASSWORD', 'WEB_PASWORD'),
    'gateway.yaml:13:17: the environment variable WEB_PASWORD is not set. Set it in the environment of the gateway.',
  ],
  [
    'a file that is not there is a fault',
    changed('{ env: WEB_PASSWORD }', '{ file: keys/none }'),
    'gateway.yaml:13:17: there is no file keys/none. Put it there, or correct the path, which is relative to the configuration file.',
  ],
  [
    'a secret is never written into the file, and is not repeated when it is',
    changed('{ env: WEB_PASSWORD }', 'hunter2'),
    'gateway.yaml:13:17: text stands where a reference to a secret belongs. Name where the secret is, and not the secret: { env: NAME } or { file: PATH }; { password: … } or { key: … } around it says what it is.',
  ],
  [
    'nor in the place of a variable',
    changed('{ env: WEB_PASSWORD }', '{ password: { env: "hunter 2" } }'),
    'gateway.yaml:13:17: this is not the name of an environment variable. Name where the secret is, and not the secret: { env: NAME } or { file: PATH }; { password: … } or { key: … } around it says what it is.',
  ],
  [
    'an address has a port',
    changed('"10.0.0.5:22"', '"10.0.0.5"'),
    'gateway.yaml:10:14: "10.0.0.5" has no port. Write host:port or [IPv6 address]:port, for example "10.0.0.5:22" or "[fd00::5]:22".',
  ],
  [
    'a port has a range',
    changed('"10.0.0.5:22"', '"10.0.0.5:65536"'),
    'gateway.yaml:10:14: "65536" is not a port from 1 to 65535. Write host:port or [IPv6 address]:port, for example "10.0.0.5:22" or "[fd00::5]:22".',
  ],
  [
    'an address of digits is an IPv4 address',
    changed('"10.0.0.5:22"', '"10.0.0.256:22"'),
    'gateway.yaml:10:14: "10.0.0.256" is not a host name or an IPv4 address. Write host:port or [IPv6 address]:port, for example "10.0.0.5:22" or "[fd00::5]:22".',
  ],
  [
    'an IPv6 address stands in brackets',
    changed('"10.0.0.5:22"', '"fd00::5:22"'),
    'gateway.yaml:10:14: "fd00::5:22" is an IPv6 address without brackets and a port. Write host:port or [IPv6 address]:port, for example "10.0.0.5:22" or "[fd00::5]:22".',
  ],
  [
    'what stands in brackets is an IPv6 address',
    changed('"10.0.0.5:22"', '"[fd00::g]:22"'),
    'gateway.yaml:10:14: "fd00::g" is not an IPv6 address. Write host:port or [IPv6 address]:port, for example "10.0.0.5:22" or "[fd00::5]:22".',
  ],
  [
    'a host to listen on is never guessed',
    changed('"127.0.0.1:0"', '":2222"'),
    'gateway.yaml:2:18: ":2222" has no host. Write host:port or [IPv6 address]:port, for example "127.0.0.1:2222" for this machine only, or "0.0.0.0:2222" and "[::]:2222" for every IPv4 or IPv6 interface.',
  ],
  [
    'there is something to listen on',
    changed('{ ssh: "127.0.0.1:0" }', '{}'),
    'gateway.yaml:2:11: there is nothing to listen on. Add ssh, for example listen: { ssh: "127.0.0.1:2222" }.',
  ],
  [
    'a protocol that is not served is not listened for in silence',
    changed('{ ssh: "127.0.0.1:0" }', '{ ssh: "127.0.0.1:0", mysql: "127.0.0.1:3307" }'),
    'gateway.yaml:2:33: listening for mysql is not available in this version. Remove it.',
  ],
  [
    'a host key is a SHA-256 fingerprint, and the command that prints it is named',
    changed(hostKey, 'ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89'),
    'gateway.yaml:11:15: this is an MD5 fingerprint. Write the fingerprint that `ssh-keyscan HOST | ssh-keygen -lf -` prints, "SHA256:" and 43 characters, and compare it with what the host\'s owner says.',
  ],
  [
    'a whole host key is answered with its fingerprint',
    changed(hostKey, keys.bot),
    'gateway.yaml:11:15: this is a whole key, and its fingerprint belongs here: "SHA256:VKc87N9sdKF7fqzDFPRCfkQYunjAXPPRRai0/bx4XVM". Write the fingerprint that `ssh-keyscan HOST | ssh-keygen -lf -` prints, "SHA256:" and 43 characters, and compare it with what the host\'s owner says.',
  ],
  [
    'a fingerprint that lost a character is a fault',
    changed(hostKey, hostKey.slice(0, -1)),
    `gateway.yaml:11:15: "${hostKey.slice(0, -1)}" is not a SHA-256 fingerprint. Write the fingerprint that \`ssh-keyscan HOST | ssh-keygen -lf -\` prints, "SHA256:" and 43 characters, and compare it with what the host's owner says.`,
  ],
  [
    'a missing key is reported where its section begins',
    changed('    login: deploy\n', ''),
    'gateway.yaml:8:5: "login" is missing. Write the name of a user of the target.',
  ],
  [
    'a duration has a unit',
    `${valid}limits: { idle: 30 }\n`,
    'gateway.yaml:15:17: 30 has no unit. Write a number and a unit, for example 30s, 10m, 12h or 400d; up to 30d is possible, and off for none.',
  ],
  [
    'a duration has one of four units',
    `${valid}recording: { retain: 13 months }\n`,
    'gateway.yaml:15:22: "13 months" is not a duration. Write a number and a unit, for example 30s, 10m, 12h or 400d; from 1d to 36500d is possible.',
  ],
  [
    'a duration has a range',
    `${valid}limits: { handshake: 1h }\n`,
    'gateway.yaml:15:22: "1h" is not from 1s to 10m. Write a number and a unit, for example 30s, 10m, 12h or 400d; from 1s to 10m is possible.',
  ],
  [
    'a size has a binary unit',
    `${valid}recording: { segment: 4MB }\n`,
    'gateway.yaml:15:23: "4MB" is not a size. Write a number and a unit, for example 512KiB, 4MiB or 1GiB; from 64KiB to 256MiB is possible.',
  ],
  [
    'a size has a range',
    `${valid}recording: { segment: 1TiB }\n`,
    'gateway.yaml:15:23: "1TiB" is not from 64KiB to 256MiB. Write a number and a unit, for example 512KiB, 4MiB or 1GiB; from 64KiB to 256MiB is possible.',
  ],
  [
    'a backlog has room for what is being sealed',
    `${valid}recording: { segment: 8MiB, backlog: 8MiB }\n`,
    'gateway.yaml:15:38: the backlog has no room for two segments. Make `backlog` at least twice as large as `segment`.',
  ],
  [
    'a count is a whole number',
    `${valid}limits: { sessions: 1.5 }\n`,
    'gateway.yaml:15:21: 1.5 is not a whole number from 1 to 100000. Write a whole number from 1 to 100000.',
  ],
  [
    'yes is not true',
    `${valid}recording: { input: yes }\n`,
    'gateway.yaml:15:21: text stands where true or false belongs. Write true or false.',
  ],
  [
    'one of several words is suggested',
    `${valid}recording: { durability: strikt }\n`,
    'gateway.yaml:15:26: "strikt" is not known here. Did you mean "strict"? It is relaxed or strict.',
  ],
  [
    'a list stands in brackets',
    changed('operator: [reviewer]', 'operator: reviewer'),
    'gateway.yaml:4:170: text stands where a list belongs. Write a list of roles, for example operator: [reviewer].',
  ],
  [
    'a section that was left empty is a fault',
    `${valid}recording:\n`,
    'gateway.yaml:15:11: nothing stands where a section belongs. Write a section, for example recording: { segment: 4MiB, reserve: 512MiB }.',
  ],
  ['a target has a kind', `${valid}  - { name: other }\n`, 'gateway.yaml:15:5: "kind" is missing. It is ssh or shell.'],
  [
    'a target has a known kind',
    `${valid}  - { name: other, kind: telnet }\n`,
    'gateway.yaml:15:26: "telnet" is no kind of target. It is ssh or shell.',
  ],
  [
    "a target's name can be written as a user name",
    `${valid}  - { name: "a+b@c", kind: shell }\n`,
    'gateway.yaml:15:13: "a+b@c" does not have the right form. A target\'s name is up to 63 letters, digits and . _ - and begins with a letter or a digit: clients write it as a user name.',
  ],
  [
    'a shell has no forwarding',
    `${valid}  - { name: local, kind: shell, forwarding: [agent] }\n`,
    'gateway.yaml:15:33: unknown key "forwarding". Known here: name, tags, allow, retain, environment, recording, idle, kind, user, shell, directory.',
  ],
  [
    'a database is announced and not served',
    `${valid}  - { name: orders, kind: postgres, address: "10.0.0.6:5432", database: orders, login: app, credential: { env: WEB_PASSWORD } }\n`,
    'gateway.yaml:15:27: targets of kind postgres are not available in this version. Remove the target; the kinds are ssh and shell.',
  ],
  [
    'an MCP server is announced and not served',
    `${valid}  - { name: files, kind: mcp, command: [npx, server] }\n`,
    'gateway.yaml:15:26: targets of kind mcp are not available in this version. Remove the target; the kinds are ssh and shell.',
  ],
  [
    'a weak algorithm is switched on by its name',
    `${valid}ssh: { weak-algorithms: [hmac-sha2-256] }\n`,
    'gateway.yaml:15:26: "hmac-sha2-256" is not known here. It is ssh-rsa, ssh-dss, diffie-hellman-group-exchange-sha1, diffie-hellman-group14-sha1, diffie-hellman-group1-sha1, aes256-cbc, aes192-cbc, aes128-cbc, 3des-cbc, hmac-sha1, hmac-sha1-etm@openssh.com, hmac-sha1-96, hmac-md5 or hmac-md5-96.',
  ],
  [
    'a banner cannot drive a terminal',
    `${valid}ssh: { banner: "\\e[2J" }\n`,
    'gateway.yaml:15:16: the banner has control characters. Write up to 4096 characters of text.',
  ],
  [
    'a tag is text',
    changed('    login: deploy\n', '    login: deploy\n    tags: { version: 3 }\n'),
    'gateway.yaml:13:11: the tag "version" is not text of 1 to 256 characters. Write names and texts, for example tags: { env: prod }.',
  ],
];

describe('a fault is reported with its place and its mend', () => {
  test.each(table)('%s', (_promise, content, fault) => {
    expect(faults(content)).toEqual([fault]);
  });
});

const syntax: [promise: string, content: string, fault: string][] = [
  ['a tab', 'gateway:\n\tlisten: {}\n', 'gateway.yaml:2:1: a tab is used for indentation. Use spaces.'],
  ['a bracket that is never closed', 'gateway: { listen: [\n', 'gateway.yaml:2:1: '],
  ['a tag', 'gateway: !secret hunter2\n', 'gateway.yaml:1:10: a tag (`!name`) is used. Remove it, or put the text in quotes.'],
  [
    'an alias without an anchor',
    'gateway: *hunter2\n',
    'gateway.yaml:1:10: an alias (`*name`) has no anchor of its name. Define the anchor (`&name`) above, or put the text in quotes.',
  ],
  [
    'an alias inside its own anchor',
    'gateway: &a { listen: *a }\n',
    'gateway.yaml:1:23: an alias stands inside its own anchor. Write out what it stands for.',
  ],
  [
    'two documents',
    `${valid}---\n${valid}`,
    'gateway.yaml:15:1: the file has more than one YAML document. Keep one, and remove the `---` between them.',
  ],
  ['a key that is a number', `${valid}1: 2\n`, 'gateway.yaml:15:1: this key is not text. Put it in quotes, if it is meant to be a key.'],
  [
    'a control character',
    'gateway:\n  name: "a\0b"\n',
    'gateway.yaml:2:11: there is a control character, so this is not a text file. Check that this is the configuration, and remove the character.',
  ],
  ['an empty file', '# nothing yet\n', 'gateway.yaml:1:1: the file is empty. Start with the `gateway:` section.'],
  [
    'a list instead of sections',
    '- gateway\n',
    'gateway.yaml:1:1: a list stands where a section belongs. The file is a mapping: start with the `gateway:` section.',
  ],
];

describe('what is not this kind of YAML is refused in words, without repeating it', () => {
  test.each(syntax)('%s', (_promise, content, fault) => {
    const [first] = faults(content);
    expect(first).toBeDefined();
    expect(first?.slice(0, fault.length)).toBe(fault);
    expect(first).not.toContain('hunter2');
  });
});

test('every fault is reported at once, in the order of the file', () => {
  const many = changed('"127.0.0.1:0"', '"127.0.0.1"')
    .replace('operator: [reviewer]', 'operator: [king]')
    .replace('"10.0.0.5:22"', '22')
    .replace('login: deploy', 'logn: deploy');
  expect(faults(many).map((fault) => fault.split('. ')[0])).toEqual([
    'gateway.yaml:2:18: "127.0.0.1" has no port',
    'gateway.yaml:4:171: "king" is not known here',
    'gateway.yaml:8:5: "login" is missing',
    'gateway.yaml:10:14: a number stands where text belongs',
    'gateway.yaml:12:5: unknown key "logn"',
  ]);
});

test('a fault in one entry does not hide what is wrong between entries', () => {
  const twofold = changed(`ssh-keys: ["${keys.bot}"]`, `ssh-keys: ["${keys.reviewer}"], groop: x`);
  expect(faults(twofold).map((fault) => /(?:belongs to|unknown key) "[^"]+"/.exec(fault)?.[0])).toEqual([
    'belongs to "reviewer@example.com"',
    'unknown key "groop"',
  ]);
});

test('aliases are a fair way to repeat something', () => {
  const content = `${changed('allow: [deploy-bot, { group: platform }]', 'allow: &everybody [deploy-bot, { group: platform }]')}  - { name: local, kind: shell, allow: *everybody }\n`;
  expect(faults(content)).toEqual([]);
});
