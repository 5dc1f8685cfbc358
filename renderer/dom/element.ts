/**
 * Builds the page. Text only ever becomes text nodes and attribute values: nothing from a bundle is read as markup.
 */
export type Child = Node | string | number | undefined | null | false;

export interface Attributes {
  class?: string | undefined;
  title?: string | undefined;
  on?: { [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void };
  [attribute: string]: string | number | boolean | undefined | null | Attributes['on'];
}

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const node = document.createElement(tag);
  const { on, ...plain } = attributes;
  for (const [name, value] of Object.entries(plain)) {
    if (typeof value === 'string' || typeof value === 'number') node.setAttribute(name, String(value));
    else if (value === true) node.setAttribute(name, '');
  }
  for (const [name, listener] of Object.entries(on ?? {})) node.addEventListener(name, listener as EventListener);
  append(node, ...children);
  return node;
}

export function append(node: Element, ...children: readonly Child[]): void {
  for (const child of children) {
    if (child === undefined || child === null || child === false) continue;
    node.append(typeof child === 'number' ? String(child) : child);
  }
}

export function replace(node: Element, ...children: readonly Child[]): void {
  node.replaceChildren();
  append(node, ...children);
}

const SVG = 'http://www.w3.org/2000/svg';

export function svg(tag: string, attributes: Record<string, string | number> = {}, ...children: readonly Node[]): SVGElement {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** Changes text only where it differs, so that a selection in it survives and nothing is drawn anew. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
