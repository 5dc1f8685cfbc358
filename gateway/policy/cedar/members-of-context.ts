import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/** The members of `context` that the conditions of a policy read, or ask whether they are there. */
export function membersOfContext({ conditions }: Pick<PolicyJson, 'conditions'>): ReadonlySet<string> {
  const members = new Set<string>();
  const left: unknown[] = [conditions];
  while (left.length > 0) {
    const node = left.pop();
    if (typeof node !== 'object' || node === null) continue;
    for (const [operator, operands] of Object.entries(node)) {
      if ((operator === '.' || operator === 'has') && isOfContext(operands)) {
        const [member] = [operands.attr].flat();
        if (typeof member === 'string') members.add(member);
      }
      left.push(operands);
    }
  }
  return members;
}

function isOfContext(node: unknown): node is { attr: string | string[] } {
  if (typeof node !== 'object' || node === null || !('left' in node) || !('attr' in node)) return false;
  const { left } = node;
  return typeof left === 'object' && left !== null && 'Var' in left && left.Var === 'context';
}
