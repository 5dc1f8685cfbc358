/** Builds the console into dist/renderer where it is not there as its sources are now. */
export function buildConsole(): Promise<void>;
export function isConsoleBuilt(): boolean;
