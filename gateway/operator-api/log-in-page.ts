/*
 * The few words that somebody sees in a browser when a log-in has ended. No script and nothing from elsewhere, as the
 * content security policy of every answer demands.
 */

export interface LogInPage {
  readonly title: string;
  readonly text: string;
  /** A path of this gateway, and what the link to it says. */
  readonly link: { readonly path: string; readonly text: string };
  /** Goes there by itself. */
  readonly goesOn?: boolean;
}

export function logInPage({ title, text, link, goesOn }: LogInPage): string {
  const path = escaped(link.path);
  const refresh = goesOn === true ? `<meta http-equiv="refresh" content="0;url=${path}">` : '';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">${refresh}<title>${escaped(title)}</title></head>
<body><main><h1>${escaped(title)}</h1><p>${escaped(text)}</p><p><a href="${path}">${escaped(link.text)}</a></p></main></body></html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
