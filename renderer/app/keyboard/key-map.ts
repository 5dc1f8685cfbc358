import { type KeyText, pressedKey } from './key-text.ts';

export interface KeyCommand {
  readonly keys: readonly KeyText[];
  /** What it does, as help and palette say it. */
  readonly label: string;
  /** Under which heading help shows it. */
  readonly group: string;
  run(event: KeyboardEvent): void;
  /** Also while somebody types in a field. Keys with `mod` do so anyway. */
  readonly inFields?: boolean;
}

/** The keys that mean something at the moment. Those that were added last come first. */
export class KeyMap {
  #layers: { readonly commands: readonly KeyCommand[] }[] = [];
  #prefix: KeyText | undefined;
  #prefixAt = 0;
  #behindDialog = false;
  readonly #listeners = new Set<() => void>();

  /** Returns how to take them away again. */
  add(commands: readonly KeyCommand[]): () => void {
    const layer = { commands };
    this.#layers = [layer, ...this.#layers];
    this.#tell();
    return () => {
      this.#layers = this.#layers.filter((each) => each !== layer);
      this.#tell();
    };
  }

  get commands(): readonly KeyCommand[] {
    return this.#layers.flatMap(({ commands }) => commands);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To be called before anybody else has seen the key: the dialog that it closes is not there any more afterwards. */
  look(): void {
    this.#behindDialog = isBehindDialog();
  }

  /** Whether something was done; the event has been stopped then. */
  press(event: KeyboardEvent): boolean {
    if (event.defaultPrevented || event.isComposing) return false;
    const pressed = pressedKey(event);
    // What is behind a dialog is not meant by keys that are pressed in it.
    const typing = isField(event.target) || this.#behindDialog || isBehindDialog();
    this.#behindDialog = false;
    const prefix = event.timeStamp - this.#prefixAt < LONGEST_PAUSE ? this.#prefix : undefined;
    this.#prefix = undefined;
    const command = (prefix === undefined ? undefined : this.#find(`${prefix} ${pressed}`, typing)) ?? this.#find(pressed, typing);
    if (command !== undefined) {
      event.preventDefault();
      command.run(event);
      return true;
    }
    if (!typing && this.commands.some(({ keys }) => keys.some((key) => key.startsWith(`${pressed} `)))) {
      this.#prefix = pressed;
      this.#prefixAt = event.timeStamp;
    }
    return false;
  }

  #find(pressed: KeyText, typing: boolean): KeyCommand | undefined {
    return this.commands.find(
      ({ keys, inFields }) => keys.includes(pressed) && (!typing || inFields === true || pressed.startsWith('mod+')),
    );
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Milliseconds between two keys that belong together. */
const LONGEST_PAUSE = 1200;

function isBehindDialog(): boolean {
  return document.querySelector('[aria-modal="true"]') !== null;
}

function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input:not([type=checkbox], [type=radio]), textarea, select, [role=combobox]');
}
