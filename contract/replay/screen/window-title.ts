import type { OscHandler, TerminalCore } from './terminal-internals.ts';

const LONGEST_TITLE = 1024;

/** Operating system commands that xterm.js knows: names of icons, colours, links, clipboard. None is part of the screen. */
const OTHERS = [1, 4, 8, 10, 11, 12, 104, 110, 111, 112];

const IGNORED: OscHandler = { start() {}, put() {}, end: () => true };

/**
 * Of all strings in output only the title counts, and of that so much. Any other string, however long, is neither kept nor
 * looked at: xterm.js would gather megabytes of each, and take a list of colours apart in quadratic time.
 */
export function takeTitles(core: TerminalCore): void {
  const parser = core._inputHandler._parser;
  for (const number of [0, 2, ...OTHERS]) parser.clearOscHandler(number);
  for (const number of OTHERS) parser._oscParser.registerHandler(number, IGNORED);
  for (const number of [0, 2]) parser._oscParser.registerHandler(number, titleTaker(core));
  parser.clearDcsHandler({ intermediates: '$', final: 'q' });
  const ignore = () => {};
  parser.setOscHandlerFallback(ignore);
  parser.setDcsHandlerFallback(ignore);
  parser.setCsiHandlerFallback(ignore);
  parser.setEscHandlerFallback(ignore);
}

function titleTaker(core: TerminalCore): OscHandler {
  let title = '';
  return {
    start() {
      title = '';
    },
    put(codes, start, end) {
      for (let at = start; at < end && title.length < LONGEST_TITLE; at += 1) title += String.fromCodePoint(codes[at] as number);
    },
    end(complete) {
      if (complete) core._inputHandler.setTitle(title);
      title = '';
      return true;
    },
  };
}
