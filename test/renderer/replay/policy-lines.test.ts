import { describe, expect, it } from 'vitest';
import { policyLines } from '../../../renderer/app/replay/policy-lines.ts';

const policy = `// A comment; with a semicolon
@id("in") permit (principal, action, resource);
@id("asks") @approval("prod")
permit (principal, action, resource)
when { context.program == "a;b \\" // no comment" };
forbid (principal, action, resource)
unless { true };
`;

const marked = (deciding: string[]) => policyLines('cedar', policy, deciding).flatMap(({ deciding: is }, index) => (is ? [index + 1] : []));

describe('the text of a policy', () => {
  it('has the lines marked of the policy that decided', () => {
    expect(marked(['in'])).toEqual([2]);
    expect(marked(['asks'])).toEqual([3, 4, 5]);
    expect(marked(['in', 'asks'])).toEqual([2, 3, 4, 5]);
  });

  it('knows a policy without a name by its place', () => {
    expect(marked(['policy2'])).toEqual([6, 7]);
    expect(marked(['policy0'])).toEqual([]);
  });

  it('marks nothing for a policy that is not there, and loses no line', () => {
    expect(marked(['gone'])).toEqual([]);
    expect(
      policyLines('cedar', policy, [])
        .map(({ text }) => text)
        .join('\n'),
    ).toBe(policy.trimEnd());
  });

  it('of a text that is no policy is shown as it is', () => {
    expect(policyLines('cedar', '@id("x" permit "', ['x']).map(({ text }) => text)).toEqual(['@id("x" permit "']);
    expect(policyLines('cedar', '', ['x'])).toEqual([{ text: '', deciding: false }]);
  });
});
