/**
 * What dumps are made and read by: the version of their format, counted up when a dump of the same terminal is another,
 * or the same output shows something else, and that of xterm.js.
 */
export const ENGINE = '1 xterm 6.0.0';
