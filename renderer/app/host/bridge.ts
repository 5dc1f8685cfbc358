import {
  type BridgeEvent,
  bridgeAnswer,
  bridgeEvent,
  bridgeSchemas,
  type QuestionInput,
  type QuestionName,
  type QuestionOutput,
} from '../../../contract/desktop-bridge.ts';
import type { RawBridge } from '../../../contract/desktop-channels.ts';
import { Problem } from '../client/problem.ts';

type Listener<E extends BridgeEvent['event']> = (event: Extract<BridgeEvent, { event: E }>) => void;

const MOST_UNHEARD = 16;

/** What the preload of the desktop app exposes, with its types. */
export class Bridge {
  readonly #raw: RawBridge;
  /** What came before anybody listened: a link that the app was started with. */
  #unheard: readonly BridgeEvent[] = [];
  readonly #listeners = new Map<BridgeEvent['event'], Set<(event: never) => void>>();

  constructor(raw: RawBridge) {
    this.#raw = raw;
    raw.listen((event) => {
      const read = bridgeEvent.parse(event);
      const listeners = this.#listeners.get(read.event);
      if (listeners === undefined || listeners.size === 0) this.#unheard = [...this.#unheard, read].slice(-MOST_UNHEARD);
      else for (const listener of listeners) (listener as (event: BridgeEvent) => void)(read);
    });
  }

  /** Throws a Problem with what the main process says went wrong. */
  async ask<N extends QuestionName>(name: N, input: QuestionInput<N>): Promise<QuestionOutput<N>> {
    const answer = bridgeAnswer.parse(await this.#raw.ask({ ask: name, input }));
    if (answer.ok) return bridgeSchemas(name).output.parse(answer.output);
    const { code, message, remedy } = answer.error;
    const status = code === 'GATEWAY_UNREACHABLE' ? 0 : code === 'LOGIN_REQUIRED' ? 401 : -1;
    throw new Problem(status, code, message, remedy);
  }

  /** Returns how to stop listening. */
  on<E extends BridgeEvent['event']>(event: E, listener: Listener<E>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    const missed = this.#unheard.filter((unheard) => unheard.event === event);
    this.#unheard = this.#unheard.filter((unheard) => unheard.event !== event);
    for (const unheard of missed) (listener as (event: BridgeEvent) => void)(unheard);
    return () => void listeners.delete(listener);
  }
}
