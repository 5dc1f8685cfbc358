import type { PolicyJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';

/** Every principal, group, target and environment that a policy names, but no actions. */
export function entitiesIn({ principal, resource, conditions }: PolicyJson): TypeAndId[] {
  const named = new Map<string, TypeAndId>();
  const left: unknown[] = [principal, resource, conditions];
  // Grows while it is read, so that what stands first is named first.
  for (const node of left) {
    if (typeof node !== 'object' || node === null) continue;
    if ('type' in node && 'id' in node && typeof node.type === 'string' && typeof node.id === 'string')
      named.set(`${node.type}::${node.id}`, { type: node.type, id: node.id });
    for (const [, member] of Object.entries(node)) left.push(member as unknown);
  }
  return [...named.values()].filter(({ type }) => type !== 'Action');
}
