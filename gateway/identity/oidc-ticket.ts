import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';

/** What the gateway has to know when a browser comes back from the provider. */
const ticketSchema = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** Where the provider sends the browser back to, and where it wants to go then. */
  redirect: z.string(),
  to: z.string(),
  /** Milliseconds since the epoch. */
  until: z.number(),
});
export type Ticket = z.infer<typeof ticketSchema>;

const IV = 12;
const TAG = 16;
const purpose = Buffer.from('sallyport-oidc-ticket');

/**
 * Keeps tickets with the browsers that they are of, and nothing of them here: beginning a log-in needs no name, and
 * strangers can begin as many as they like. A browser can neither read nor change what it keeps. The key is made at the
 * start, so a log-in does not outlive the gateway.
 */
export class TicketSeal {
  readonly #key = randomBytes(32);

  seal(ticket: Ticket): string {
    const iv = randomBytes(IV);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(purpose);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(ticket)), cipher.final()]);
    return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /** Undefined for what this gateway has not sealed, or whose time is over. */
  open(sealed: string, nowMs: number): Ticket | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length <= IV + TAG) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, IV), { authTagLength: TAG })
      .setAAD(purpose)
      .setAuthTag(bytes.subarray(-TAG));
    let opened: string;
    try {
      opened = Buffer.concat([decipher.update(bytes.subarray(IV, -TAG)), decipher.final()]).toString('utf8');
    } catch {
      return undefined; // Another key, or another text: node:crypto says no more than that.
    }
    const ticket = ticketSchema.parse(JSON.parse(opened));
    return nowMs < ticket.until ? ticket : undefined;
  }
}
