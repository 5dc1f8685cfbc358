import type { Approval } from '../../contract/operator-api.ts';
import { operatorEvent } from '../../contract/operator-events.ts';
import { DesktopError } from '../base/desktop-error.ts';
import type { GatewayInUse, LoggedInGateway } from '../bridge/gateway-in-use.ts';
import { askOperation } from '../gateway/operations-client.ts';
import { openPinnedSocket, type PinnedSocket } from '../gateway/pinned-socket.ts';

const FIRST_WAIT_MILLIS = 500;
const LONGEST_WAIT_MILLIS = 30_000;
/** Of waiting approvals, no more than these are fetched: beyond it nobody counts. */
const MOST_FETCHED = 200;

export interface WatchState {
  readonly state: 'logged-out' | 'connecting' | 'up' | 'lost';
  /** Those that wait and that this operator may decide, the next to expire first. */
  readonly waiting: readonly Approval[];
}

export interface WatchEvents {
  changed(state: WatchState): void;
  /** It waits for this operator, and was not there when the watch began. */
  arrived(approval: Approval): void;
  log(what: string, thrown: unknown): void;
}

/**
 * Follows what waits for the person at the gateway in use, with or without a window: for the tray and for notifications.
 * It asks anew whenever an event says that something changed, and after every loss of the connection.
 */
export class ApprovalWatch {
  readonly #inUse: GatewayInUse;
  readonly #events: WatchEvents;
  #watched: { readonly gateway: string; readonly token: string } | undefined;
  #socket: PinnedSocket | undefined;
  #state: WatchState = { state: 'logged-out', waiting: [] };
  /** Ids that are known; undefined before the first list, which announces nothing. */
  #known: Set<string> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  #fetching: Promise<void> | undefined;
  #again = false;
  /** Each begin makes what was begun before void. */
  #turn = 0;

  constructor(inUse: GatewayInUse, events: WatchEvents) {
    this.#inUse = inUse;
    this.#events = events;
  }

  get state(): WatchState {
    return this.#state;
  }

  /** Follows the gateway and the log-in that are in force now; does nothing when it follows them already. */
  follow(): void {
    const there = this.#there();
    const { gateway, token } = { gateway: there?.gateway.id, token: there?.logIn.token };
    if (gateway === this.#watched?.gateway && token === this.#watched?.token) return;
    this.stop();
    if (there === undefined || gateway === undefined || token === undefined) return this.#become({ state: 'logged-out', waiting: [] });
    this.#watched = { gateway, token };
    this.#become({ state: 'connecting', waiting: [] });
    this.#begin();
  }

  stop(): void {
    this.#turn += 1;
    clearTimeout(this.#retry);
    this.#socket?.close();
    this.#socket = undefined;
    this.#watched = undefined;
    this.#known = undefined;
    this.#failures = 0;
  }

  #there(): LoggedInGateway | undefined {
    try {
      return this.#inUse.reachLoggedIn();
    } catch (thrown) {
      if (thrown instanceof DesktopError && thrown.code === 'LOGIN_REQUIRED') return undefined;
      throw thrown;
    }
  }

  #begin(): void {
    this.#turn += 1;
    const turn = this.#turn;
    const there = this.#there();
    if (there === undefined) return this.follow();
    const { gateway, logIn } = there;
    openPinnedSocket(
      gateway,
      { path: '/api/events', token: logIn.token },
      {
        message: (data) => this.#turn === turn && typeof data === 'string' && this.#take(data),
        closed: (_code, reason) => this.#turn === turn && this.#lost(reason),
      },
    ).then(
      (socket) => {
        if (this.#turn !== turn) return socket.close();
        this.#socket = socket;
        this.#failures = 0;
        // What happened before it was open is in the list that is asked for now.
        this.#fetch();
      },
      (thrown: unknown) => {
        if (this.#turn !== turn) return;
        if (thrown instanceof DesktopError && thrown.code === 'LOGIN_REQUIRED') void this.#inUse.isOver(gateway, logIn, thrown.message);
        else this.#lost(thrown);
      },
    );
  }

  #take(text: string): void {
    const read = operatorEvent.safeParse(parsed(text));
    // An event of a newer gateway that means nothing to us.
    if (!read.success) return;
    const { event } = read.data;
    if (event === 'approval.asked' || event === 'approval.changed' || event === 'config.changed' || event === 'missed') this.#fetch();
  }

  #lost(why: unknown): void {
    this.#socket = undefined;
    this.#failures += 1;
    if (this.#failures === 1) this.#events.log('the events of the gateway are lost', why);
    this.#become({ ...this.#state, state: 'lost' });
    const wait = Math.min(FIRST_WAIT_MILLIS * 2 ** (this.#failures - 1), LONGEST_WAIT_MILLIS);
    this.#retry = setTimeout(() => this.#begin(), wait);
    this.#retry.unref();
  }

  /** One at a time; whatever happens during one is seen by the next. */
  #fetch(): void {
    if (this.#fetching !== undefined) {
      this.#again = true;
      return;
    }
    const turn = this.#turn;
    this.#fetching = this.#list(turn)
      .catch((thrown: unknown) => {
        if (this.#turn === turn) this.#failed(thrown);
      })
      .finally(() => {
        this.#fetching = undefined;
        if (!this.#again) return;
        this.#again = false;
        if (this.#socket !== undefined) this.#fetch();
      });
  }

  #failed(thrown: unknown): void {
    // Without a role there are no approvals to see.
    if (thrown instanceof DesktopError && thrown.code === 'ROLE_MISSING') return this.#become({ state: 'up', waiting: [] });
    // Its listener counts it as lost.
    if (this.#socket !== undefined) this.#socket.close();
    else this.#lost(thrown);
  }

  async #list(turn: number): Promise<void> {
    const there = this.#there();
    if (there === undefined) return;
    const { approvals } = await askOperation(there.client, 'approval.list', { limit: MOST_FETCHED, all: false }, there.logIn);
    if (this.#turn !== turn) return;
    const waiting = approvals.filter(({ yours }) => yours.may);
    const before = this.#known;
    this.#known = new Set(waiting.map(({ request }) => request.id));
    this.#become({ state: 'up', waiting });
    if (before !== undefined) for (const approval of waiting) if (!before.has(approval.request.id)) this.#events.arrived(approval);
  }

  #become(state: WatchState): void {
    this.#state = state;
    this.#events.changed(state);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // No event.
  }
}
