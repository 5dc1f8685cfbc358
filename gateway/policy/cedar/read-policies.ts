import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DetailedError, PolicyJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import { entitiesIn } from './entities-in.ts';
import { type CedarLibrary, loadCedar } from './library.ts';
import { type Needs, needsOf } from './needs.ts';
import { MAX_WEIGHT, splitPolicies, TextPlaces, unitsOf, type WrittenPolicy } from './policy-text.ts';
import { cedarSchema, coveredByOpaque } from './schema.ts';
import { type Scope, scopeOf } from './scope.ts';

/** One policy that can decide. */
export interface CedarPolicy {
  /** Its `@id`, or `policy` and its place in the file from 0. */
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly text: string;
  readonly scope: Scope;
  readonly needs: Needs;
  /** Whom and what it names. */
  readonly entities: readonly TypeAndId[];
  /** The name of the rule by which it asks. */
  readonly approval?: string;
  /** What a `forbid` says to whoever is refused. */
  readonly reason?: string;
  readonly line: number;
  readonly column: number;
}

/** A file of policies that say nothing wrong. */
export interface CedarPolicies {
  readonly text: string;
  /** SHA-256 of the text in UTF-8, in hexadecimal. */
  readonly policySet: string;
  /** In the order of the file. */
  readonly policies: readonly CedarPolicy[];
}

/** Something wrong, or worth a look, at one place of a policy file. Lines and columns count from 1. */
export interface PolicyFault {
  readonly line: number;
  readonly column: number;
  readonly problem: string;
  readonly mend: string;
}

export type PolicyReading =
  | { readonly policies: CedarPolicies; readonly notes: readonly PolicyFault[] }
  | { readonly faults: readonly PolicyFault[]; readonly more: number };

export const MAX_POLICY_BYTES = 1024 * 1024;
const MAX_POLICIES = 4000;
const MAX_FAULTS = 200;
/** Milliseconds for which one turn of the event loop reads. */
const TURN = 4;
const BATCH = 8;

const annotations = ['id', 'approval', 'reason', 'description'] as const;

/** Reads and checks a whole file against our schema. Takes its time in pieces: a running gateway relays meanwhile. */
export async function readPolicies(text: string): Promise<PolicyReading> {
  const found = new Faults(text);
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) {
    found.add(
      0,
      `the file has more than ${MAX_POLICY_BYTES} bytes`,
      'Say it with groups, environments and tags instead of one policy each.',
    );
    return { faults: found.all, more: 0 };
  }
  const written = splitPolicies(text);
  if (written.length > MAX_POLICIES)
    found.add(0, `there are more than ${MAX_POLICIES} policies`, 'Say it with groups, environments and tags instead of one policy each.');
  if (found.none) {
    const cedar = await loadCedar();
    const policies = await readEach(cedar, written, found);
    if (found.none) await validate(cedar, written, policies, found);
    if (found.none) return { policies: { text, policySet: createHash('sha256').update(text).digest('hex'), policies }, notes: found.notes };
  }
  return { faults: found.all.toSorted((a, b) => a.line - b.line || a.column - b.column), more: found.more };
}

async function readEach(cedar: CedarLibrary, written: readonly WrittenPolicy[], found: Faults): Promise<CedarPolicy[]> {
  const policies: CedarPolicy[] = [];
  const ids = new Map<string, CedarPolicy>();
  let began = performance.now();
  for (const [index, piece] of written.entries()) {
    if (performance.now() - began > TURN) {
      await nextTurn();
      began = performance.now();
    }
    const policy = readOne(cedar, piece, index, found);
    if (policy === undefined) continue;
    const other = ids.get(policy.id);
    if (other === undefined) ids.set(policy.id, policy);
    else found.add(piece.offset, `the id "${policy.id}" is that of the policy in line ${other.line} already`, 'Give each policy its own.');
    policies.push(policy);
  }
  return policies;
}

function readOne(cedar: CedarLibrary, { text, offset, weight }: WrittenPolicy, index: number, found: Faults): CedarPolicy | undefined {
  if (weight > MAX_WEIGHT) {
    found.add(offset, 'this policy is too long or nested too deeply', 'Make several policies of it: each `||` can be one of its own.');
    return undefined;
  }
  const read = cedar.policyToJson(text);
  if (read.type === 'failure') {
    for (const error of read.errors) found.addError(error, text, offset);
    return undefined;
  }
  const { json } = read;
  const noted = annotationsOf(json, offset, found);
  const needs = needsOf(json);
  checkOpaque(json.effect, needs, offset, found);
  const { id = `policy${index}`, approval, reason } = noted;
  if (approval !== undefined && json.effect === 'forbid')
    found.add(offset, 'a forbid cannot ask for an approval', 'Put @approval on the permit, or remove it here: a forbid always wins.');
  return {
    id,
    effect: json.effect,
    text,
    scope: scopeOf(json),
    needs,
    entities: entitiesIn(json),
    ...(approval === undefined ? {} : { approval }),
    ...(reason === undefined ? {} : { reason }),
    ...found.place(offset),
  };
}

/** An annotation that is not known is a fault: `@aproval` would allow what was meant to be asked. */
function annotationsOf(json: PolicyJson, offset: number, found: Faults): Partial<Record<(typeof annotations)[number], string>> {
  const noted: Partial<Record<(typeof annotations)[number], string>> = {};
  for (const [name, value] of Object.entries(json.annotations ?? {})) {
    const known = annotations.find((one) => one === name);
    if (known === undefined)
      found.add(offset, `the annotation @${name} is not known`, `Known are ${annotations.map((one) => `@${one}`).join(', ')}.`);
    else if (typeof value !== 'string' || !/^(?! )[^\p{Cc}\p{Cf}]{1,500}$/u.test(value) || (known === 'id' && value.length > 128))
      found.add(offset, `@${known} has no text of its own`, `Write @${known}("…") with up to ${known === 'id' ? 128 : 500} characters.`);
    else noted[known] = value;
  }
  return noted;
}

/** The schema makes policies face what is opaque: whoever looks at what was understood has to look whether all was. */
function checkOpaque(effect: PolicyJson['effect'], { context }: Needs, offset: number, found: Faults): void {
  if (context.has('opaque')) return;
  const looked = [...context].find((member) => coveredByOpaque.has(member));
  if (looked === undefined) return;
  found.add(
    offset,
    `this policy looks at context.${looked} and not at context.opaque`,
    effect === 'permit'
      ? 'Add `!context.opaque &&`: what cannot be seen through should not be permitted by what is seen of it.'
      : 'Add `context.opaque ||`: what cannot be seen through may be what you forbid.',
  );
}

async function validate(
  cedar: CedarLibrary,
  written: readonly WrittenPolicy[],
  policies: readonly CedarPolicy[],
  found: Faults,
): Promise<void> {
  for (let at = 0; at < policies.length; at += BATCH) {
    await nextTurn();
    const batch = Object.fromEntries(policies.slice(at, at + BATCH).map(({ text }, index) => [String(at + index), text]));
    const answer = cedar.validate({ schema: cedarSchema, policies: { staticPolicies: batch } });
    if (answer.type === 'failure') {
      for (const error of answer.errors) found.addError(error, text(written, at), offset(written, at));
      continue;
    }
    for (const { policyId, error } of answer.validationErrors)
      found.addError(error, text(written, Number(policyId)), offset(written, Number(policyId)));
    for (const { policyId, error } of answer.validationWarnings)
      found.addNote(error, text(written, Number(policyId)), offset(written, Number(policyId)));
  }
}

function text(written: readonly WrittenPolicy[], index: number): string {
  return written[index]?.text ?? '';
}

function offset(written: readonly WrittenPolicy[], index: number): number {
  return written[index]?.offset ?? 0;
}

class Faults {
  readonly all: PolicyFault[] = [];
  readonly notes: PolicyFault[] = [];
  more = 0;
  readonly #places: TextPlaces;
  readonly #told = new Set<number>();

  constructor(text: string) {
    this.#places = new TextPlaces(text);
  }

  get none(): boolean {
    return this.all.length === 0;
  }

  place(offset: number): { line: number; column: number } {
    return this.#places.of(offset);
  }

  add(offset: number, problem: string, mend: string): void {
    if (this.all.length >= MAX_FAULTS) this.more += 1;
    else this.all.push({ ...this.place(offset), problem, mend });
  }

  addError(error: DetailedError, policy: string, offset: number): void {
    const { at, problem, mend } = inOurWords(error, policy, 'Correct it; docs/policy.md says what a policy may speak of.');
    // One policy is checked for every action that it may speak of, and may fail for many of them at one place.
    if (this.#told.has(offset + at)) return;
    this.#told.add(offset + at);
    this.add(offset + at, problem, mend);
  }

  addNote(error: DetailedError, policy: string, offset: number): void {
    if (this.notes.length >= MAX_FAULTS) return;
    const { at, problem, mend } = inOurWords(error, policy, 'Look whether this is what you mean.');
    this.notes.push({ ...this.place(offset + at), problem, mend });
  }
}

/** Cedar's own words, without what we had to call the policy and without anything that a terminal would obey. */
function inOurWords(error: DetailedError, policy: string, otherwise: string): { at: number; problem: string; mend: string } {
  const [location] = error.sourceLocations ?? [];
  const problem = error.message.replace(/^for policy `\d+`, /, '').replace(/^failed to parse policy(?: with id `\d+`)? from string: /, '');
  const help = error.help ?? location?.label ?? undefined;
  const mend =
    help === undefined || help === null ? otherwise : `${help.charAt(0).toUpperCase()}${help.slice(1)}${/[.?!]$/.test(help) ? '' : '.'}`;
  return { at: location === undefined ? 0 : unitsOf(policy, location.start), problem: plain(problem), mend: plain(mend) };
}

function plain(text: string): string {
  const one = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ');
  return one.length > 400 ? `${one.slice(0, 400)}…` : one;
}
