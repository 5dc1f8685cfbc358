import { isAbsolute, resolve } from 'node:path';
import { LINK_SCHEME, routeOfLink } from '../../contract/deep-link.ts';

/** What a start, a second start or the system wants shown. */
export type Launch = { readonly route: string } | { readonly file: string } | undefined;

const BUNDLE = /\.(zip|sallyport)$/i;
/** More than these are not typed by a person, nor handed over by a desktop. */
const MOST_ARGUMENTS = 64;
const LONGEST_ARGUMENT = 4096;

/**
 * What the arguments of a start ask for: a link, or a bundle's file. Other programs can start this one with arguments of
 * theirs, so nothing else in them means anything.
 */
export function launchOf(argv: readonly string[], workingDirectory: string): Launch {
  for (const argument of argv.slice(1, MOST_ARGUMENTS)) {
    if (argument.length > LONGEST_ARGUMENT || argument.startsWith('-')) continue;
    if (argument.toLowerCase().startsWith(`${LINK_SCHEME}:`)) {
      const route = routeOfLink(argument);
      if (route !== undefined) return { route };
      continue;
    }
    // An address is no file, whatever it ends with.
    if (BUNDLE.test(argument) && !/^[a-z][a-z0-9+.-]+:/i.test(argument))
      return { file: isAbsolute(argument) ? argument : resolve(workingDirectory, argument) };
  }
  return undefined;
}
