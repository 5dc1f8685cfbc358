import { element } from '../dom/element.ts';
import { BundleData } from '../evidence/bundle-data.ts';
import { readBundlePage } from '../evidence/bundle-shape.ts';
import { DataFault, wordsOf } from '../evidence/data-fault.ts';
import { startApp } from './app.ts';
import { ScriptLoader } from './data/script-loader.ts';
import { printable } from './interface/printable.ts';
import { applyKeptTheme } from './interface/theme.ts';

/** What this page cannot do without, and since when browsers have it. */
function whatIsMissing(): string | undefined {
  if (typeof DecompressionStream === 'undefined') return 'it cannot unpack compressed data (DecompressionStream)';
  if (typeof ResizeObserver === 'undefined') return 'it has no ResizeObserver';
  if (typeof Array.prototype.findLast !== 'function') return 'its JavaScript is too old';
  return undefined;
}

function giveUp(title: string, ...words: string[]): void {
  const node = element(
    'main',
    { class: 'empty', role: 'alert' },
    element('h1', {}, title),
    ...words.map((each) => element('p', {}, printable(each))),
  );
  document.body.replaceChildren(node);
  document.title = `${title} · Sallyport`;
}

async function start(): Promise<void> {
  applyKeptTheme();
  const missing = whatIsMissing();
  if (missing !== undefined) {
    giveUp(
      'This browser is too old for this page',
      `To verify and replay the bundle here, the browser would need more than it has: ${missing}. Chrome or Edge from 2022, Firefox from 2023 and Safari from 2023 have it.`,
      'Nothing is lost: the recordings are plain asciicast files in data/recordings, the transcripts plain text in data/transcripts, and data/verify.sh verifies everything without a browser.',
    );
    return;
  }
  try {
    const loader = new ScriptLoader(window, 'page');
    const bundle = readBundlePage(await loader.load('bundle'));
    startApp(bundle, new BundleData(loader));
  } catch (thrown) {
    const words = thrown instanceof DataFault ? thrown.message : `The page itself failed: ${wordsOf(thrown)}`;
    giveUp(
      'This bundle cannot be shown',
      words,
      'If the page stands alone, unpack the whole zip first and open data/index.html from there. Else a file was changed or lost since the bundle was written.',
      'The recordings are plain asciicast files in data/recordings, and data/verify.sh says which file is not as it was.',
    );
  }
}

void start();
