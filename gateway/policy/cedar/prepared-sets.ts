import type { CedarLibrary } from './library.ts';
import type { CedarPolicy } from './read-policies.ts';

/** Policies that Cedar holds ready at once, over all sets: some tens of MiB at most. */
const MAX_HELD = 8192;

interface HeldSet {
  readonly name: string;
  readonly size: number;
}

/**
 * Sets of policies that Cedar has parsed already, least recently used first. Cedar's time grows with the size of a set,
 * whether its policies speak of a request or not; so it is given small ones. It has no way to forget a set: a name that
 * is no longer needed is given to the next one.
 */
export class PreparedSets {
  readonly #cedar: CedarLibrary;
  readonly #held = new Map<string, HeldSet>();
  readonly #free: string[] = [];
  #names = 0;
  #policies = 0;

  constructor(cedar: CedarLibrary) {
    this.#cedar = cedar;
  }

  /** The name by which Cedar knows these policies of a file; their ids are their places in it. */
  nameOf(policySet: string, members: readonly number[], policies: readonly CedarPolicy[]): string {
    const key = `${policySet} ${members.join()}`;
    const held = this.#held.get(key);
    if (held !== undefined) {
      this.#held.delete(key);
      this.#held.set(key, held);
      return held.name;
    }
    this.#makeRoom(members.length);
    const name = this.#free.pop() ?? `set-${this.#names++}`;
    const texts = Object.fromEntries(members.map((member) => [String(member), policies[member]?.text ?? '']));
    const parsed = this.#cedar.preparsePolicySet(name, { staticPolicies: texts });
    if (parsed.type === 'failure') {
      this.#free.push(name);
      throw new Error(`policies that were read cannot be read again: ${parsed.errors[0]?.message}`);
    }
    this.#held.set(key, { name, size: members.length });
    this.#policies += members.length;
    return name;
  }

  #makeRoom(needed: number): void {
    for (const [key, { name, size }] of this.#held) {
      if (this.#policies + needed <= MAX_HELD) return;
      this.#held.delete(key);
      this.#free.push(name);
      this.#policies -= size;
    }
  }
}
