import type { SallyportError } from '../base/errors.ts';
import type { CastItem } from '../query/cast-events.ts';
import { TerminalFilter } from '../query/terminal-filter.ts';
import { damageNotice } from './damage-notice.ts';
import type { PlayerTerminal } from './player-terminal.ts';
import type { Stage } from './stage.ts';

/**
 * Output that is no terminal gets what was recorded, without what would act on a terminal that it is shown on later.
 * There are no keys, so it only goes forward.
 */
export class PipedStage implements Stage {
  readonly damage: SallyportError[] = [];
  readonly duration = Number.POSITIVE_INFINITY;
  empty = true;
  readonly #items: AsyncGenerator<CastItem>;
  readonly #terminal: PlayerTerminal;
  #filter = new TerminalFilter();
  #item: CastItem | undefined;

  constructor(items: AsyncGenerator<CastItem>, terminal: PlayerTerminal) {
    this.#items = items;
    this.#terminal = terminal;
  }

  async next(): Promise<number | undefined> {
    while (this.#item === undefined) {
      const step = await this.#items.next();
      if (step.done === true) return undefined;
      if (step.value.kind !== 'header') this.#item = step.value;
    }
    return this.#item.kind === 'header' ? undefined : this.#item.at;
  }

  async show(at: number): Promise<void> {
    for (let next = await this.next(); next !== undefined && next <= at; next = await this.next()) {
      const item = this.#item;
      this.#item = undefined;
      this.empty &&= item?.kind !== 'damage' && !(item?.kind === 'event' && item.code === 'o');
      if (item?.kind === 'damage') await this.#terminal.write(this.#notice(item.error));
      else if (item?.kind === 'event' && item.code === 'o') await this.#terminal.write(this.#filter.filter(item.data));
    }
  }

  async seek(at: number): Promise<void> {
    await this.show(at);
  }

  async status(): Promise<void> {
    // Nobody would see it.
  }

  say(): void {
    // Neither would this be seen.
  }

  async finish(): Promise<void> {
    await this.#items.return(undefined);
  }

  #notice(error: SallyportError): string {
    if (!this.damage.some((known) => known.message === error.message)) this.damage.push(error);
    // What was cut off may have been in the middle of a sequence: what follows begins anew, on the same screen.
    const { alternateScreen } = this.#filter;
    this.#filter = new TerminalFilter(alternateScreen);
    return damageNotice(error.message, this.#terminal.size, alternateScreen);
  }
}
