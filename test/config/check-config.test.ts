import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { plainEnvironment, run } from '../support/run.ts';
import { Belongings } from '../support/temp.ts';
import { changed, environment, hostKey, valid, writeConfig } from './written.ts';

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'gateway', 'main.ts');
const belongings = new Belongings();
const directory = belongings.directory('check-config');
afterAll(() => belongings.release());

async function check(content: string, ...options: string[]) {
  const file = writeConfig(directory, content);
  const { status, stdout } = await run(process.execPath, [main, 'check-config', file, ...options], { env: plainEnvironment(environment) });
  return { status, said: stdout.toString().replaceAll(`${directory}/`, '') };
}

describe('check-config', () => {
  test('says what a valid file means, and who may reach each target', async () => {
    const local = '  - { name: local, kind: shell }\n';
    const idle = '  - { name: former@example.com, groups: [platform], disabled: true }\nagents:';
    expect(await check(`${changed('agents:', idle)}${local}`)).toEqual({
      status: 0,
      said: `gateway.yaml: the configuration is valid
Listeners:
  ssh on 127.0.0.1:0
Principals:
  reviewer@example.com, human, 1 key
  former@example.com, human, 0 keys, disabled
  deploy-bot, agent for reviewer@example.com, 1 key
Targets, and who may reach them:
  web-1, ssh at 10.0.0.5:22: reviewer@example.com, deploy-bot
  local, shell: nobody may connect
`,
    });
  });

  test('says the same to a program, in one line', async () => {
    const { status, said } = await check(valid, '--json');
    expect([status, said.split('\n').length]).toEqual([0, 2]);
    expect(JSON.parse(said)).toMatchObject({
      valid: true,
      file: 'gateway.yaml',
      listeners: [{ protocol: 'ssh', address: '127.0.0.1:0' }],
      principals: [
        { name: 'reviewer@example.com', keys: [hostKey] },
        { name: 'deploy-bot', onBehalfOf: 'reviewer@example.com' },
      ],
      targets: [{ name: 'web-1', kind: 'ssh', address: '10.0.0.5:22', reachableBy: ['reviewer@example.com', 'deploy-bot'] }],
    });
  });

  const faulty = changed('login: deploy', 'logn: deploy');

  test('prints every fault with its place, and exits with 1', async () => {
    expect(await check(faulty)).toEqual({
      status: 1,
      said: `gateway.yaml:8:5: "login" is missing. Write the name of a user of the target.
gateway.yaml:12:5: unknown key "logn". Did you mean "login"?

2 faults in gateway.yaml
`,
    });
  });

  test('prints one object a fault to a program', async () => {
    const { status, said } = await check(faulty, '--json');
    expect(status).toBe(1);
    const lines = said
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toEqual([
      {
        valid: false,
        file: 'gateway.yaml',
        line: 8,
        column: 5,
        code: 'CONFIG_INVALID',
        problem: '"login" is missing',
        mend: 'Write the name of a user of the target.',
      },
      {
        valid: false,
        file: 'gateway.yaml',
        line: 12,
        column: 5,
        code: 'CONFIG_INVALID',
        problem: 'unknown key "logn"',
        mend: 'Did you mean "login"?',
      },
    ]);
  });

  test('counts what is too much to list', async () => {
    const { status, said } = await check(
      `${valid}limits: {\n${Array.from({ length: 1200 }, (_, index) => `  k${index}: 1`).join(',\n')} }\n`,
    );
    const lines = said.trimEnd().split('\n');
    expect([status, lines.length, lines.at(-1)]).toEqual([1, 1002, '1200 faults in gateway.yaml, of which the first 1000 are listed']);
  });

  test('says in one line when there is no file to check', async () => {
    const { status, stdout } = await run(process.execPath, [main, 'check-config', join(directory, 'none.yaml')]);
    expect([status, stdout.toString().split('\n').length]).toEqual([1, 2]);
    expect(stdout.toString()).toContain('none.yaml cannot be opened: there is no such file (Check the path');
  });
});
