import { Notification } from 'electron';
import type { Notice } from '../watch/notices.ts';

/** A second one of the same tag within this time is the page's word on what was told already. */
const SAME_MILLIS = 30_000;
/** Whoever is told of more than these at once reads none of them. */
const MOST_SHOWN = 10;

/** Notifications of the system; a click leads to what they are about. */
export class NativeNotices {
  readonly #open: (route: string) => void;
  readonly #shown = new Map<string, { readonly notification: Notification; readonly at: number }>();

  constructor(open: (route: string) => void) {
    this.#open = open;
  }

  show({ title, body, route, tag, urgent }: Notice): void {
    const before = this.#shown.get(tag);
    if (before !== undefined && Date.now() - before.at < SAME_MILLIS) return;
    before?.notification.close();
    const [oldest] = this.#shown.keys();
    if (this.#shown.size >= MOST_SHOWN && oldest !== undefined) this.close(oldest);
    const notification = new Notification({ title, body, urgency: urgent ? 'critical' : 'normal' });
    notification.on('click', () => {
      this.#shown.delete(tag);
      this.#open(route);
    });
    // Kept for as long as it may be clicked: one that nobody holds is collected, and with it the click.
    this.#shown.set(tag, { notification, at: Date.now() });
    notification.show();
  }

  /** What it was about is over. */
  close(tag: string): void {
    this.#shown.get(tag)?.notification.close();
    this.#shown.delete(tag);
  }

  closeAllBut(tags: ReadonlySet<string>): void {
    for (const tag of [...this.#shown.keys()]) if (!tags.has(tag)) this.close(tag);
  }
}
