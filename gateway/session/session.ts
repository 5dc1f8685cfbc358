import type { RecordedEvent } from '../../contract/frame-codec.ts';
import type { Action, Decision, PrincipalFacts } from '../../contract/policy.ts';
import type { Actor, RecordDraft, Resource } from '../../contract/record.ts';
import type { Consent } from '../approval/approvals.ts';
import { asSallyportError, type SallyportError } from '../base/errors.ts';
import { uuidV7 } from '../base/ids.ts';
import type { ChannelRecording } from '../recording/recorder.ts';
import { appendPersistently } from './append-persistently.ts';
import { circumstancesOf, decisionBody, factsDigest, resourceOf } from './decision-facts.ts';
import { obtainConsent, type WaitingConsent, type WantedConsent } from './obtain-consent.ts';
import type { InForce, SessionParts, SessionTarget } from './session-parts.ts';
import { type Conduct, type LiveState, STEP_RULE } from './supervised.ts';

/** Somebody whom `authenticate` has let in. */
export interface Authenticated {
  readonly actor: Actor;
  readonly facts: PrincipalFacts;
  /** What a certificate takes away from whoever logged in with it; missing for a plain key. */
  readonly restrictions?: SessionRestrictions;
}

/** Limits of a credential. Policy may allow less, never more. */
export interface SessionRestrictions {
  /** Runs instead of whatever the client asks for (`force-command` of OpenSSH's certificates). */
  readonly forcedCommand?: string;
  /** Names of the only targets that it is good for. */
  readonly targets?: readonly string[];
  readonly terminal: boolean;
  readonly portForwarding: boolean;
  readonly agentForwarding: boolean;
}

/** How a channel ended, as far as its protocol knows. */
export interface ChannelEnd {
  reason: string;
  exit?: { status?: number; signal?: string };
}

/**
 * One principal's access to one target. Channels are opened through it, so none is without a recording; actions are
 * decided through it, so none is without a record. What fails in the background ends the session.
 */
export class Session {
  readonly id: string;
  readonly protocol: string;
  readonly actor: Actor;
  readonly target: SessionTarget;
  readonly resource: Resource;
  readonly openedAt: number;
  readonly #facts: PrincipalFacts;
  readonly #parts: SessionParts;
  /** What was in force when the session began decides until it ends. */
  readonly #inForce: InForce;
  readonly #channels = new Map<number, OpenChannel>();
  readonly #finishing = new Set<Promise<void>>();
  readonly #bytes = { i: 0, o: 0, e: 0 };
  #opened = 0;
  #unrecorded = 0;
  #whenRecorded: (() => void) | undefined;
  readonly #leaving = new AbortController();
  readonly #restrictions: SessionRestrictions | undefined;
  /** Ids of requests for approval that it waits for. */
  readonly #awaited = new Set<string>();
  #conduct: Conduct | undefined;
  #paused = false;
  #stepping = false;
  #ended: SallyportError | undefined;
  #onEnd: ((reason: SallyportError) => void) | undefined;

  constructor(protocol: string, who: Authenticated, target: SessionTarget, parts: SessionParts) {
    this.openedAt = parts.clock.wallMicros();
    this.id = uuidV7(this.openedAt);
    this.protocol = protocol;
    this.actor = who.actor;
    this.target = target;
    this.resource = resourceOf(target);
    this.#facts = who.facts;
    this.#restrictions = who.restrictions;
    this.#parts = parts;
    this.#inForce = parts.inForce();
  }

  get channelsOpened(): number {
    return this.#opened;
  }

  get bytes(): { readonly i: number; readonly o: number; readonly e: number } {
    return this.#bytes;
  }

  /** Facts of this session that are not durable yet, and channels that are being sealed. */
  get unrecorded(): number {
    return this.#unrecorded + this.#finishing.size;
  }

  /** Calls once when the next of them is durable. One listener at a time: the session's relay. */
  whenRecorded(listener: () => void): void {
    this.#whenRecorded = listener;
  }

  get endReason(): SallyportError | undefined {
    return this.#ended;
  }

  /** Runs instead of what the client asks for. */
  get forcedCommand(): string | undefined {
    return this.#restrictions?.forcedCommand;
  }

  get mayHaveTerminal(): boolean {
    return this.#restrictions?.terminal ?? true;
  }

  get mayForward(): boolean {
    return this.#restrictions?.portForwarding ?? true;
  }

  get mayForwardAgent(): boolean {
    return this.#restrictions?.agentForwarding ?? true;
  }

  /** Whether what happens to single files is decided, beyond being recorded. Allow lists say nothing of files. */
  get decidesFiles(): boolean {
    return this.#stepping || this.#inForce.policy.source === 'cedar';
  }

  get stepping(): boolean {
    return this.#stepping;
  }

  get state(): LiveState {
    return { session: this.id, paused: this.#paused, stepping: this.#stepping, waiting: [...this.#awaited] };
  }

  /** Asks policy, and records what it said. `channel` is undefined for the connection itself. */
  decide(action: Action, facts: Readonly<Record<string, unknown>>, channel?: number): Decision {
    const { name, kind, tags } = this.target;
    const circumstances = circumstancesOf(this.actor, this.#parts.clock.wallMicros(), this.openedAt);
    const request = { principal: this.#facts, target: { name, kind, tags }, action, facts, circumstances };
    let decision = action === 'ssh:input' ? undecided(this.#inForce.policy.policySet) : this.#inForce.policy.decide(request);
    if (this.#stepping && this.#goesUnasked(decision)) decision = { ...decision, verdict: 'ask', rule: STEP_RULE };
    if (channel !== undefined) this.#recordDecision(action, facts, channel, decision);
    return decision;
  }

  /** An operator who steps through the session wants to be asked about what would happen without anybody being asked. */
  #goesUnasked({ verdict, rule }: Decision): boolean {
    if (verdict !== 'ask') return verdict === 'allow';
    return rule !== undefined && this.#parts.approvals.allowsAtOnce(rule);
  }

  /** Refuses an action that no policy can allow, for a reason of the gateway's own, and records it. `rule` names the reason. */
  prohibit(action: Action, facts: Readonly<Record<string, unknown>>, channel: number, rule: string): void {
    const { policySet } = this.#inForce.policy;
    this.#recordDecision(action, facts, channel, { verdict: 'deny', policies: [rule], policySet, reason: rule });
  }

  #recordDecision(action: Action, facts: Readonly<Record<string, unknown>>, channel: number, decision: Decision): void {
    this.#record({
      type: 'action.decided',
      outcome: decision.verdict === 'deny' ? 'denied' : 'success',
      actor: this.actor,
      target: this.resource,
      session: this.id,
      body: {
        channel,
        action,
        digest: factsDigest(facts),
        facts: { ...facts },
        ...(decision.understood === undefined ? {} : { understood: { ...decision.understood } }),
        decision: decisionBody(decision),
      },
    });
  }

  /** Consent for what a decision asks about; see obtainConsent. What waits when the client leaves or the session ends is withdrawn. */
  consent(wanted: WantedConsent, asked: (waiting: WaitingConsent) => void): Promise<Consent> {
    const leaving = this.#leaving.signal;
    const signal = wanted.signal === undefined ? leaving : AbortSignal.any([leaving, wanted.signal]);
    // Who steps through a session sees each action before it happens, also one that somebody consented to before.
    const each = this.#stepping ? { ...wanted, eachUse: true } : wanted;
    return obtainConsent(this.#parts.approvals, this, each, signal, this.#awaited, asked);
  }

  /** The protocol says how a running session is supervised. A pause that was ordered while the target was being reached begins to hold. */
  superviseWith(conduct: Conduct): void {
    this.#conduct = conduct;
    if (this.#paused) conduct.hold(true);
  }

  /** Stops everything in both directions, or lets it go on. False where it is so already. */
  pause(on: boolean): boolean {
    if (this.#paused === on) return false;
    this.#paused = on;
    this.#conduct?.hold(on);
    return true;
  }

  /** From here on what policy allows asks as well; or not any more. False where it is so already. */
  step(on: boolean): boolean {
    if (this.#stepping === on) return false;
    this.#stepping = on;
    return true;
  }

  /** Shows a line to whoever is at the client's end. The number of channels on which it was shown. */
  say(text: string): number {
    return this.#conduct?.say(text) ?? 0;
  }

  /** Writes into every recording that is open what an operator did. */
  note(event: RecordedEvent, marker: string): void {
    this.#conduct?.note(event, marker);
  }

  /** The client has gone: nobody waits for consent any more. */
  leave(): void {
    this.#leaving.abort(new Error('the client disconnected'));
  }

  /**
   * Opens the recording of a new channel. Throws when it can't be recorded: then there is no channel. `startChannel`
   * follows as soon as it is known what the channel is for.
   */
  openChannel(kind: string, options: { binary?: 'bulk-only' } = {}): ChannelRecording {
    const channel = this.#opened;
    const { content, input } = this.target.recording;
    const recording = this.#parts.recorder.openChannel({
      session: this.id,
      channel,
      protocol: this.protocol,
      kind,
      actor: this.actor,
      target: this.resource,
      openedAt: this.#parts.clock.wallMicros(),
      ...(options.binary === undefined ? {} : { binary: options.binary }),
      ...(content === undefined ? {} : { content }),
      ...(input === undefined ? {} : { recordInput: input }),
    });
    this.#opened += 1;
    this.#channels.set(channel, { recording, kind, started: false });
    return recording;
  }

  /** Records what a channel is for: its command, its terminal, where it leads. Before its first byte of content. */
  startChannel(channel: number, kind: string, detail: Readonly<Record<string, unknown>>): void {
    const open = this.#channels.get(channel);
    if (open === undefined || open.started) return;
    open.started = true;
    this.#record({
      type: 'channel.open',
      outcome: 'success',
      actor: this.actor,
      target: this.resource,
      session: this.id,
      body: { channel, kind, detail: { ...detail } },
    });
  }

  /** Seals a channel. Resolves when its recording and its record are durable; failures end the session. */
  closeChannel(channel: number, end: ChannelEnd): void {
    const open = this.#channels.get(channel);
    if (open === undefined) return;
    this.startChannel(channel, open.kind, {});
    this.#channels.delete(channel);
    const finishing = this.#finish(channel, open.recording, end)
      .catch((error: unknown) => this.end(asSallyportError(error, 'RECORDING_FAILED')))
      .finally(() => {
        this.#finishing.delete(finishing);
        this.#recorded();
      });
    this.#finishing.add(finishing);
  }

  /** Closes what is still open and waits until everything is sealed. */
  async closeChannels(reason: string): Promise<void> {
    for (const channel of [...this.#channels.keys()]) this.closeChannel(channel, { reason });
    await Promise.all(this.#finishing);
  }

  /** Records that an action, decided before, is over; `refused` when the target did not begin it. */
  finished(
    channel: number,
    action: Action,
    facts: Readonly<Record<string, unknown>>,
    exit: ChannelEnd['exit'],
    result: Record<string, unknown>,
    refused = false,
  ): void {
    this.#record({
      type: 'action.finished',
      outcome: !refused && (exit === undefined || exit.status === 0) ? 'success' : 'failure',
      actor: this.actor,
      target: this.resource,
      session: this.id,
      body: { channel, action, digest: factsDigest(facts), ...(exit === undefined ? {} : { exit }), result },
    });
  }

  /** The protocol says how it tears itself down. Called at most once, right away if the session is over already. */
  onEnd(listener: (reason: SallyportError) => void): void {
    this.#onEnd = listener;
    if (this.#ended !== undefined) listener(this.#ended);
  }

  /** Ends the session for a reason of the gateway's own: recording failed, disk low, idle, shut down. */
  end(reason: SallyportError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#leaving.abort(reason);
    this.#onEnd?.(reason);
  }

  async #finish(channel: number, recording: ChannelRecording, end: ChannelEnd): Promise<void> {
    const bytes = { ...recording.bytes };
    this.#bytes.i += bytes.i;
    this.#bytes.o += bytes.o;
    this.#bytes.e += bytes.e;
    const { segments } = await recording.finish();
    const draft: RecordDraft<'channel.close'> = {
      type: 'channel.close',
      outcome: end.exit?.status === undefined || end.exit.status === 0 ? 'success' : 'failure',
      actor: this.actor,
      target: this.resource,
      session: this.id,
      body: { channel, reason: end.reason, ...(end.exit === undefined ? {} : { exit: end.exit }), bytes, segments },
    };
    await appendPersistently(draft, this.#parts);
  }

  /** Not awaited by the data path: the journal already holds the fact. A ledger that refuses it ends the session. */
  #record(draft: RecordDraft): void {
    this.#unrecorded += 1;
    this.#parts.records.append(draft).then(
      () => this.#settled(),
      (error: unknown) => {
        this.end(asSallyportError(error, 'LEDGER_FAILED'));
        this.#settled();
      },
    );
  }

  #settled(): void {
    this.#unrecorded -= 1;
    this.#recorded();
  }

  #recorded(): void {
    const listener = this.#whenRecorded;
    this.#whenRecorded = undefined;
    listener?.();
  }
}

interface OpenChannel {
  recording: ChannelRecording;
  kind: string;
  started: boolean;
}

/** What is typed is decided by nobody but an operator who steps through the session. */
function undecided(policySet: string): Decision {
  return { verdict: 'allow', policies: [], policySet, reason: 'what is typed is not decided by rules' };
}
