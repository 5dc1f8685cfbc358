/*
 * The few pages that the gateway makes itself: when a log-in in a browser has ended, and when there is no console to show.
 * No script and no style in them, and nothing from elsewhere; their style sheet is a file of its own (page-style.ts).
 */

/** Below /login, so that it can never be a route of the console. */
export const PAGE_STYLE_PATH = '/login/page.css';
export const PAGE_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface PlainPage {
  readonly title: string;
  readonly text: string;
  /** A path of this gateway, and what the link to it says. */
  readonly link?: { readonly path: string; readonly text: string };
  /** Goes there by itself. */
  readonly goesOn?: boolean;
}

export function plainPage({ title, text, link, goesOn }: PlainPage): string {
  const path = link === undefined ? '' : escaped(link.path);
  const refresh = goesOn === true && link !== undefined ? `<meta http-equiv="refresh" content="0;url=${path}">` : '';
  const paragraph = text === '' ? '' : `<p>${escaped(text)}</p>`;
  const onward = link === undefined ? '' : `<p><a href="${path}">${escaped(link.text)}</a></p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="dark light">${refresh}<title>${escaped(title)} · Sallyport</title><link rel="stylesheet" href="${PAGE_STYLE_PATH}"></head>
<body><main><div class="brand">${mark}Sallyport</div><h1>${escaped(title)}</h1>${paragraph}${onward}</main></body></html>
`;
}

/** The gate, as on the console. */
const mark =
  '<svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true"><path d="M6 26V12a6 6 0 0 1 6-6h8a6 6 0 0 1 6 6v14M12 26V16a3 3 0 0 1 3-3h2a3 3 0 0 1 3 3v10"/></svg>';

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
