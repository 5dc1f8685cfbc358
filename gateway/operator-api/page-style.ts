import type { FastifyInstance } from 'fastify';
import { PAGE_STYLE_PATH } from './plain-page.ts';
import { readOnly } from './read-only-route.ts';

/** The style sheet of the pages that the gateway makes itself: with it they look like the console that comes after them. */
export function servePageStyle(app: FastifyInstance): void {
  readOnly(app, PAGE_STYLE_PATH, async (_request, reply) => {
    reply.header('cache-control', 'public, max-age=3600').type('text/css; charset=utf-8');
    return style;
  });
}

/** The colours of renderer/app/design/tokens.css. */
const style = `:root {
  color-scheme: dark light;
  --bg: #0d1015;
  --panel: #13171e;
  --line: #27303c;
  --text: #dbe2ea;
  --muted: #a0acba;
  --accent: #45b8ac;
}
@media (prefers-color-scheme: light) {
  :root {
    --bg: #f4f6f8;
    --panel: #fff;
    --line: #dfe4ea;
    --text: #1b232d;
    --muted: #4c5866;
    --accent: #0a7a70;
  }
}
* {
  box-sizing: border-box;
}
body {
  display: grid;
  min-height: 100vh;
  margin: 0;
  padding: 24px;
  place-items: center;
  background: var(--bg);
  color: var(--text);
  font: 15px/1.55 "Inter Variable", system-ui, sans-serif;
}
main {
  width: 100%;
  max-width: 440px;
  padding: 32px;
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--panel);
}
.brand {
  display: flex;
  align-items: center;
  gap: 10px;
  margin-bottom: 24px;
  color: var(--muted);
  font-weight: 600;
}
.brand svg {
  fill: none;
  stroke: var(--accent);
  stroke-linecap: round;
  stroke-width: 3;
}
h1 {
  margin: 0 0 8px;
  font-size: 21px;
  line-height: 1.3;
}
p {
  margin: 0 0 16px;
  color: var(--muted);
  overflow-wrap: anywhere;
}
main > p:last-child {
  margin-bottom: 0;
}
a {
  color: var(--accent);
  font-weight: 550;
  text-underline-offset: 3px;
}
a:focus-visible {
  border-radius: 3px;
  outline: 2px solid var(--accent);
  outline-offset: 3px;
}
`;
