import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DesktopError } from '../base/desktop-error.ts';
import { KeptDocument } from './kept-document.ts';

const MOST_GATEWAYS = 100;

const knownGateway = z.strictObject({
  id: z.uuid(),
  name: z.string().min(1).max(255),
  origin: z.string().max(300).startsWith('https://'),
  fingerprint: z.string().regex(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/),
  /** The origin of its ledger, as it said at the first log-in: what statements are signed for. */
  ledger: z.string().max(255).optional(),
});
export type TrustedGateway = z.infer<typeof knownGateway>;

const keptGateways = z.strictObject({
  current: z.uuid().nullable(),
  gateways: z.array(knownGateway).max(MOST_GATEWAYS),
});

/** The gateways whose certificates the person has trusted, and which of them is in use. */
export class KnownGateways {
  readonly #kept: KeptDocument<z.infer<typeof keptGateways>>;

  private constructor(kept: KeptDocument<z.infer<typeof keptGateways>>) {
    this.#kept = kept;
  }

  static async open(path: string, tell: (what: string) => void): Promise<KnownGateways> {
    return new KnownGateways(await KeptDocument.open(path, keptGateways, { current: null, gateways: [] }, tell));
  }

  all(): readonly TrustedGateway[] {
    return this.#kept.value.gateways;
  }

  current(): TrustedGateway | undefined {
    const { current, gateways } = this.#kept.value;
    return gateways.find(({ id }) => id === current);
  }

  at(origin: string): TrustedGateway | undefined {
    return this.all().find((gateway) => gateway.origin === origin);
  }

  /** Throws NOT_FOUND. */
  get(id: string): TrustedGateway {
    const found = this.all().find((gateway) => gateway.id === id);
    if (found === undefined) throw new DesktopError('NOT_FOUND', 'This gateway is not known here any more');
    return found;
  }

  /** A new one, or another certificate or name for one that is known; that is another gateway as far as log-ins go. */
  async trust({ origin, fingerprint, name }: { origin: string; fingerprint: string; name: string }): Promise<TrustedGateway> {
    const { current, gateways } = this.#kept.value;
    const before = this.at(origin);
    if (before === undefined && gateways.length >= MOST_GATEWAYS)
      throw new DesktopError('REQUEST_INVALID', `${MOST_GATEWAYS} gateways are known already`, { remedy: 'remove one first' });
    const gateway = { ...(before?.fingerprint === fingerprint ? before : { id: randomUUID() }), origin, fingerprint, name };
    const others = gateways.filter((each) => each.origin !== origin);
    await this.#kept.set({ current: current === before?.id || current === null ? gateway.id : current, gateways: [...others, gateway] });
    return gateway;
  }

  async use(id: string): Promise<TrustedGateway> {
    const gateway = this.get(id);
    await this.#kept.set({ ...this.#kept.value, current: id });
    return gateway;
  }

  async remove(id: string): Promise<void> {
    const { current, gateways } = this.#kept.value;
    await this.#kept.set({ current: current === id ? null : current, gateways: gateways.filter((gateway) => gateway.id !== id) });
  }

  /**
   * Which ledger a gateway writes. It stays the same, and no two have the same: otherwise one gateway could collect
   * signatures that are good at another. Throws GATEWAY_MISMATCH.
   */
  async learnLedger(id: string, ledger: string): Promise<void> {
    const gateway = this.get(id);
    if (gateway.ledger === ledger) return;
    const other = this.all().find((each) => each.id !== id && each.ledger === ledger);
    if (gateway.ledger !== undefined || other !== undefined) {
      const what = other === undefined ? `it was ${gateway.ledger ?? ''} before` : `${other.origin} has the same`;
      throw new DesktopError('GATEWAY_MISMATCH', `${gateway.origin} says that its ledger is ${ledger}, but ${what}`, {
        remedy: 'if that is meant, remove the gateway in Settings that is no more and trust this one anew',
      });
    }
    const gateways = this.all().map((each) => (each.id === id ? { ...each, ledger } : each));
    await this.#kept.set({ ...this.#kept.value, gateways });
  }
}
