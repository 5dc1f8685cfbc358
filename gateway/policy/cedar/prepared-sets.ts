import type { CedarLibrary } from './library.ts';
import { type Needs, needsOfAll } from './needs.ts';
import type { CedarPolicy } from './read-policies.ts';

/** Policies that Cedar holds ready at once, over all sets: some tens of MiB at most. */
const MAX_HELD = 8192;

export interface PreparedSet {
  /** By which Cedar knows it. */
  readonly name: string;
  readonly needs: Needs;
  readonly size: number;
}

/**
 * Sets of policies that Cedar has parsed already, least recently used first. Cedar's time grows with the size of a set,
 * whether its policies speak of a request or not; so it is given small ones. It has no way to forget a set: a name that
 * is no longer needed is given to the next one.
 */
export class PreparedSets {
  readonly #cedar: CedarLibrary;
  readonly #held = new Map<string, PreparedSet>();
  readonly #free: string[] = [];
  #names = 0;
  #policies = 0;

  constructor(cedar: CedarLibrary) {
    this.#cedar = cedar;
  }

  /** These policies of a file, ready to decide; their ids are their places in it. */
  of(policySet: string, members: readonly number[], policies: readonly CedarPolicy[]): PreparedSet {
    const key = `${policySet} ${members.join()}`;
    const held = this.#held.get(key);
    if (held !== undefined) {
      this.#held.delete(key);
      this.#held.set(key, held);
      return held;
    }
    this.#makeRoom(members.length);
    const name = this.#free.pop() ?? `set-${this.#names++}`;
    const chosen = members.map((member): [string, CedarPolicy] => [String(member), policies[member] as CedarPolicy]);
    const texts = Object.fromEntries(chosen.map(([id, { text }]) => [id, text]));
    const parsed = this.#cedar.preparsePolicySet(name, { staticPolicies: texts });
    if (parsed.type === 'failure') {
      this.#free.push(name);
      throw new Error(`policies that were read cannot be read again: ${parsed.errors[0]?.message}`);
    }
    const set = { name, size: members.length, needs: needsOfAll(chosen.map(([, { needs }]) => needs)) };
    this.#held.set(key, set);
    this.#policies += set.size;
    return set;
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
