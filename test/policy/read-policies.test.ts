import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitPolicies } from '../../gateway/policy/cedar/policy-text.ts';
import { MAX_POLICY_BYTES, readPolicies } from '../../gateway/policy/cedar/read-policies.ts';
import { cedarSchema, coveredByOpaque } from '../../gateway/policy/cedar/schema.ts';
import { agent, circumstances, exec, human, linesOf, policiesOf, policyOfText, prod, request } from './written-policies.ts';

const exact = 'permit(principal, action == Action::"ssh:exec", resource)';

describe('a policy file with a fault does not load, and the fault is told with its place', () => {
  const rows: [what: string, text: string, fault: string][] = [
    ['what is no policy', 'hello', '1:6 unexpected end of input'],
    ['a word that is not known', '\n  permit(principal, action, resource) whn { true };', '2:39 invalid policy condition: whn'],
    ['the end before the end', '// one\npermit(principal, action', '2:25 unexpected end of input'],
    ['an action that is not known', 'permit(principal, action == Action::"ssh:exc", resource);', '1:'],
    ['an action that cannot be decided yet', 'permit(principal, action == Action::"sql:read", resource);', '1:'],
    ['what only an operator holds', 'permit(principal, action == Action::"ssh:input", resource);', '1:'],
    ['an entity that is not known', '\n\npermit(principal == User::"x", action, resource);', '3:21 unrecognized entity type `User`'],
    ['a fact that the action does not have', 'permit(principal, action, resource) when { context.terminal };', '1:44 '],
    ['a fact that is called otherwise', `${exact} when { context.comand == "x" };`, '1:66 '],
    ['a fact of another type', `${exact} when { context.opaque == "x" };`, '1:66 '],
    ['a tag without asking for it', 'permit(principal, action, resource) when { resource.getTag("env") == "x" };', '1:44 '],
    [
      'characters of more than one byte before it',
      '// \u00e9\u00e9\u{1f600}\npermit(principal == User::"\u00e9", action, resource);',
      '2:21 unrecognized entity type `User`',
    ],
    ['a template', 'permit(principal == ?principal, action, resource);', '1:21 expected a static policy, got a template'],
    [
      'two policies with one id',
      '@id("a") permit(principal, action, resource);\n@id("a") forbid(principal, action, resource);',
      '2:1 the id "a" is that of the policy in line 1 already',
    ],
    [
      'an id that is the number of another',
      '@id("policy1") permit(principal, action, resource);\nforbid(principal, action, resource);',
      '2:1 the id "policy1"',
    ],
    ['a typing mistake in @approval', '@aproval("r") permit(principal, action, resource);', '1:1 the annotation @aproval is not known'],
    ['@approval without a rule', '@approval permit(principal, action, resource);', '1:1 @approval has no text of its own'],
    ['@approval with an empty rule', '@approval("") permit(principal, action, resource);', '1:1 @approval has no text of its own'],
    ['a forbid that asks', '@approval("r") forbid(principal, action, resource);', '1:1 a forbid cannot ask for an approval'],
    ['an id that a terminal would obey', '@id("\\u{1b}[2J") permit(principal, action, resource);', '1:1 @id has no text of its own'],
    [
      'one policy that is too deep',
      `permit(principal, action, resource) when { ${'('.repeat(200)}true${')'.repeat(200)} };`,
      '1:1 this policy is too long or nested too deeply',
    ],
    [
      'one that is too long',
      `permit(principal, action, resource) when { true${' || true'.repeat(400)} };`,
      '1:1 this policy is too long or nested too deeply',
    ],
  ];

  test.each(rows)('%s', async (_what, text, fault) => {
    const lines = linesOf(await readPolicies(text));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.slice(0, fault.length)).toBe(fault);
  });

  test('a policy that looks at what was understood, and not at whether all was', async () => {
    const conditions: Record<string, [action: string, condition: string]> = {
      command: ['ssh:exec', 'context.command == "x"'],
      program: ['ssh:exec', 'context.program == "x"'],
      programs: ['ssh:exec', 'context.programs.contains("x")'],
      words: ['ssh:exec', 'context["words"].contains("x")'],
      path: ['ssh:read-file', 'context.path like "/x*"'],
      to: ['ssh:write-file', 'context has to && context.to == "/x"'],
      host: ['ssh:forward', 'context.host == "x"'],
      address: ['ssh:forward', 'context has address && context.address.isLoopback()'],
      socket: ['ssh:forward', 'context has socket'],
    };
    expect(Object.keys(conditions).toSorted()).toEqual([...coveredByOpaque].toSorted());
    for (const [member, [action, condition]] of Object.entries(conditions))
      for (const effect of ['permit', 'forbid']) {
        const policy = (more: string) => `${effect}(principal, action == Action::"${action}", resource) when { ${condition}${more} };`;
        expect(linesOf(await readPolicies(policy('')))).toEqual([`1:1 this policy looks at context.${member} and not at context.opaque`]);
        expect(linesOf(await readPolicies(policy(' && !context.opaque')))).toEqual([]);
      }
  });

  test('too large a file', async () => {
    expect(linesOf(await readPolicies(`//${' '.repeat(MAX_POLICY_BYTES)}`))).toEqual([
      `1:1 the file has more than ${MAX_POLICY_BYTES} bytes`,
    ]);
    expect(linesOf(await readPolicies(';'.repeat(5000)))).toEqual(['1:1 there are more than 4000 policies']);
  });

  test('every fault is told, in the order of the file', async () => {
    const text =
      'permit(principal, action, resource) when { context.nme };\npermt(principal, action, resource);\n@x permit(principal, action, resource);';
    expect(linesOf(await readPolicies(text)).map((line) => line.split(':')[0])).toEqual(['2', '3']);
  });
});

describe('reading', () => {
  test('finds where each policy ends, whatever stands in its texts and comments', () => {
    const policies = ['permit(principal, action, resource) when { "a;\\";b" == "//" };', '\n// ; "\nforbid(principal, action, resource);'];
    expect(splitPolicies(`${policies.join('')}\n// the end; `).map(({ text }) => text)).toEqual([
      policies[0],
      'forbid(principal, action, resource);',
    ]);
    expect(splitPolicies(' \n// nothing\n')).toEqual([]);
  });

  test('ends, whatever the text is, and loads nothing that Cedar would not', async () => {
    const piece = fc.constantFrom(
      'permit',
      'forbid',
      '(',
      ')',
      '{',
      '}',
      ';',
      '"',
      '\\',
      '//',
      '\n',
      ' ',
      'principal',
      ',',
      'action',
      'resource',
      '@id',
      'when',
      '!',
      '-',
      '||',
      'if',
      '?principal',
      '\0',
      '\u00e9',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 80 }), async (pieces) => {
        const text = pieces.join('');
        const reading = await readPolicies(text);
        if ('policies' in reading) expect(reading.policies.policies).toHaveLength(splitPolicies(text).length);
        else expect(reading.faults.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  test('survives everything that is just small enough, so that a hostile file cannot break the one in force', async () => {
    const running = await policyOfText('permit(principal, action, resource);');
    const shapes: Record<string, (size: number) => string> = {
      and: (size) => `true${' && context.hour == 1'.repeat(size)}`,
      or: (size) => `true${' || context.hour == 1'.repeat(size)}`,
      plus: (size) => `1${' + 1'.repeat(size)} == 1`,
      if: (size) => `${'if true then '.repeat(size)}true${' else true'.repeat(size)}`,
      dots: (size) => `context${'.a'.repeat(size)}`,
      brackets: (size) => `${'('.repeat(size)}true${')'.repeat(size)}`,
      sets: (size) => `${'['.repeat(size)}${']'.repeat(size)} == []`,
      records: (size) => `${'{a:'.repeat(size)}1${'}'.repeat(size)} == 1`,
      calls: (size) => `${'[1].contains('.repeat(size)}1${')'.repeat(size)}`,
      nots: (size) => `${'!'.repeat(size)}true`,
      both: (size) => `${'(true || '.repeat(size)}true${')'.repeat(size)}${' && true'.repeat(size)}`,
    };
    for (const [shape, condition] of Object.entries(shapes)) {
      let [fits, tooLarge] = [1, 4096];
      const weightOf = (size: number) => splitPolicies(`permit(principal, action, resource) when { ${condition(size)} };`)[0]?.weight ?? 0;
      while (tooLarge - fits > 1) {
        const middle = (fits + tooLarge) >> 1;
        if (weightOf(middle) <= 280) fits = middle;
        else tooLarge = middle;
      }
      const reading = await readPolicies(`permit(principal, action == Action::"connect", resource) when { ${condition(fits)} };`);
      // Right or wrong, it was Cedar who said so; and what is in force goes on.
      if ('faults' in reading)
        expect([shape, reading.faults[0]?.problem]).not.toEqual([shape, 'this policy is too long or nested too deeply']);
      expect(running.decide(request('connect')).verdict).toBe('allow');
    }
  });

  test('of many policies takes its time in pieces', async () => {
    const text = Array.from(
      { length: 400 },
      (_, index) => `@id("p${index}") ${exact} when { !context.opaque && context.programs.contains("x${index}") };`,
    ).join('\n');
    let turns = 0;
    let watching = true;
    const watch = (): void => {
      turns += 1;
      if (watching) setImmediate(watch);
    };
    setImmediate(watch);
    expect((await policiesOf(text)).policies).toHaveLength(400);
    watching = false;
    expect(turns).toBeGreaterThan(20);
  });

  test('keeps ids, rules and reasons', async () => {
    const { policies } = await policiesOf(
      '@id("a") @approval("r") @description("why") permit(principal, action, resource);\n\n  @reason("no") forbid(principal, action, resource);',
    );
    expect(policies.map(({ id, effect, approval, reason, line, column }) => ({ id, effect, approval, reason, line, column }))).toEqual([
      { id: 'a', effect: 'permit', approval: 'r', reason: undefined, line: 1, column: 1 },
      { id: 'policy1', effect: 'forbid', approval: undefined, reason: 'no', line: 3, column: 3 },
    ]);
  });
});

describe('docs/policy.md', () => {
  const page = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
  const starter = /```cedar\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

  test('has a policy to start from, which loads without anything to look at', async () => {
    const reading = await readPolicies(starter);
    expect(linesOf(reading)).toEqual([]);
    expect('notes' in reading && reading.notes).toEqual([]);
  });

  test('and which decides what its comments say', async () => {
    const policy = await policyOfText(starter);
    const verdict = (...args: Parameters<typeof request>) => policy.decide(request(...args)).verdict;
    expect(verdict('connect')).toBe('ask');
    expect(verdict('connect', {}, { target: { ...prod, tags: {} } })).toBe('allow');
    expect(verdict('connect', {}, { principal: human })).toBe('allow');
    expect(verdict('connect', {}, { principal: { ...human, groups: [] } })).toBe('deny');
    expect(verdict('connect', {}, { principal: { ...agent, onBehalfOf: 'stranger' } })).toBe('deny');
    expect(verdict('ssh:shell', { terminal: true })).toBe('deny');
    expect(verdict('ssh:shell', { terminal: true }, { principal: human })).toBe('allow');
    expect(policy.decide(exec('ls -l /srv | head')).verdict).toBe('allow');
    expect(policy.decide(exec('ls; rm -rf /')).verdict).toBe('ask');
    expect(policy.decide(exec('ls $(rm -rf /)')).verdict).toBe('ask');
    expect(policy.decide(exec('ls > /etc/passwd')).verdict).toBe('ask');
    expect(policy.decide(exec('/tmp/ls')).verdict).toBe('ask');
    const saturday = { ...circumstances, time: Date.parse('2026-03-07T10:00:00Z') * 1000 };
    expect(policy.decide(exec('ls', { circumstances: saturday })).reason).toBe(
      'ssh:exec on web-1 is forbidden by "quiet-weekend": nothing is changed in production at the weekend',
    );
    const write = (path: string, more = {}) => verdict('ssh:write-file', { operation: 'open', path, flags: ['write'], ...more });
    expect([write('/srv/app/x'), write('/etc/passwd'), write('/srv/app/../../etc/passwd'), write('srv/app/x')]).toEqual([
      'allow',
      'deny',
      'deny',
      'deny',
    ]);
    expect([write('/tmp/a', { to: '/srv/app/a' }), write('/tmp/a', { to: '/etc/a' })]).toEqual(['allow', 'deny']);
    const read = (path: string) => verdict('ssh:read-file', { operation: 'open', path, flags: ['read'] });
    expect([read('/srv/app/x'), read('/etc/shadow'), read('/root/.ssh/id_ed25519')]).toEqual(['allow', 'deny', 'deny']);
    expect(verdict('ssh:subsystem', { name: 'sftp' })).toBe('allow');
    expect(verdict('ssh:forward', { direction: 'local', to: 'db:5432' })).toBe('deny');
  });

  test('names every member, entity and action of the schema', () => {
    const members = [...cedarSchema.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name]) => name);
    const named = [...cedarSchema.matchAll(/^(?:entity|action) "?([\w:-]+)/gm)].map(([, name]) => name);
    expect(members.length).toBeGreaterThan(30);
    expect([...members, ...named].filter((name) => !new RegExp(`[\`"]${name}[\`:"]`).test(page))).toEqual([]);
  });
});
