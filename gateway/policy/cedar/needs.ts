import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/** What a policy looks at: what it does not look at need not be made, and making it costs more than deciding. */
export interface Needs {
  /** Members of `context` that are read, or asked for with `has`. */
  readonly context: ReadonlySet<string>;
  /** Whether `context` is used as a whole. */
  readonly wholeContext: boolean;
  /** Whether the human behind an agent is looked at. */
  readonly human: boolean;
  /** Whether it matters in which group an action is. */
  readonly action: boolean;
}

export function needsOf({ action, conditions }: PolicyJson): Needs {
  const context = new Set<string>();
  const seen = { wholeContext: false, human: false, action: action.op === 'in' };
  const left: unknown[] = [conditions];
  while (left.length > 0) {
    const node = left.pop();
    if (typeof node !== 'object' || node === null) {
      if (node === 'onBehalfOf') seen.human = true;
      continue;
    }
    for (const [operator, operands] of Object.entries(node)) {
      if (operator === 'Var' && operands === 'context') seen.wholeContext = true;
      if (operator === 'Var' && operands === 'action') seen.action = true;
      if ((operator === '.' || operator === 'has') && isOfContext(operands)) {
        const [member] = [operands.attr].flat();
        if (member !== undefined) context.add(member);
      } else left.push(operands);
    }
  }
  return { context, ...seen };
}

/** What any of several policies looks at. */
export function needsOfAll(all: readonly Needs[]): Needs {
  return {
    context: new Set(all.flatMap(({ context }) => [...context])),
    wholeContext: all.some(({ wholeContext }) => wholeContext),
    human: all.some(({ human }) => human),
    action: all.some(({ action }) => action),
  };
}

function isOfContext(node: unknown): node is { attr: string | string[] } {
  if (typeof node !== 'object' || node === null || !('left' in node) || !('attr' in node)) return false;
  const { left } = node;
  return typeof left === 'object' && left !== null && 'Var' in left && left.Var === 'context';
}
