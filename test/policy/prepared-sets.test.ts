import { expect, test } from 'vitest';
import { loadCedar } from '../../gateway/policy/cedar/library.ts';
import { PreparedSets } from '../../gateway/policy/cedar/prepared-sets.ts';
import { policiesOf } from './written-policies.ts';

test('sets that are no longer asked for make room, and a name that is given again means the new set', async () => {
  const cedar = await loadCedar();
  const count = 200;
  const text = Array.from({ length: count }, (_, index) => `permit(principal == Human::"h${index}", action, resource);`).join('\n');
  const { policySet, policies } = await policiesOf(text);
  const sets = new PreparedSets(cedar);
  const fits = (name: string, human: number) => {
    const answer = cedar.statefulIsAuthorized({
      principal: { type: 'Human', id: `h${human}` },
      action: { type: 'Action', id: 'connect' },
      resource: { type: 'Target', id: 't' },
      context: {},
      preparsedPolicySetId: name,
      entities: [],
    });
    if (answer.type === 'failure') throw new Error(answer.errors[0]?.message);
    return answer.response.diagnostics.reason;
  };
  const names = new Set<string>();
  const size = 60;
  // All but the policy of one human, each time another one: more than are held at once.
  for (let round = 0; round < 160; round += 1) {
    const members = Array.from({ length: size }, (_, index) => (round + index) % count);
    const { name } = sets.of(policySet, members, policies);
    names.add(name);
    expect(fits(name, round)).toEqual([String(round)]);
    expect(fits(name, (round + size) % count)).toEqual([]);
    // What is asked for again and again stays.
    expect(sets.of(policySet, [7], policies).name).toBe(sets.of(policySet, [7], policies).name);
  }
  expect(names.size).toBeLessThan(150);
  expect(fits(sets.of(policySet, [7], policies).name, 7)).toEqual(['7']);
  expect(fits(sets.of('another file', [3], policies).name, 7)).toEqual([]);
});
