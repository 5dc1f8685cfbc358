import { DataFault } from '../../evidence/data-fault.ts';

/**
 * A page that was opened from the file system can read nothing but scripts, so a bundle's data are scripts that call
 * `sallyport(name, payload)`. Only names of this form are ever turned into a path: what a bundle says cannot make the
 * page load anything but its own data.
 */
const SCRIPT_NAME = /^(?:bundle|(?:records|casts)\/[0-9a-f-]+(?:\/[0-9]+){0,2})$/;

export class ScriptLoader {
  readonly #document: Document;
  readonly #url: (path: string) => string;
  readonly #delivered = new Map<string, unknown>();
  readonly #loading = new Map<string, Promise<unknown>>();

  /** `base` is the folder of the scripts, relative to the page. */
  constructor(window: Window, base: string) {
    this.#document = window.document;
    this.#url = trustedUrls(window, base);
    Object.defineProperty(window, 'sallyport', {
      value: (name: unknown, payload: unknown) => {
        if (typeof name === 'string' && this.#loading.has(name)) this.#delivered.set(name, payload);
      },
    });
  }

  /** What the script of this name delivers. Throws DataFault. One script is fetched once at a time and never kept. */
  load(name: string): Promise<unknown> {
    if (!SCRIPT_NAME.test(name)) return Promise.reject(new DataFault(`“${name.slice(0, 100)}” is no name of a part of a bundle.`));
    const loading = this.#loading.get(name);
    if (loading !== undefined) return loading;
    const started = this.#run(name).finally(() => this.#loading.delete(name));
    this.#loading.set(name, started);
    return started;
  }

  #run(name: string): Promise<unknown> {
    const script = this.#document.createElement('script');
    return new Promise((resolve, reject) => {
      script.addEventListener('load', () => {
        script.remove();
        const found = this.#delivered.has(name);
        const payload = this.#delivered.get(name);
        this.#delivered.delete(name);
        if (found) resolve(payload);
        else reject(new DataFault(`The file page/${name}.js is damaged: it does not hold what its name says.`));
      });
      script.addEventListener('error', () => {
        script.remove();
        reject(new DataFault(`The file page/${name}.js is missing or cannot be read.`));
      });
      script.src = this.#url(`${name}.js`);
      this.#document.head.append(script);
    });
  }
}

interface TrustedTypesHost {
  trustedTypes?: { createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string } };
}

/** Where the browser has Trusted Types, this is the only place that may name a script; the policy demands it. */
function trustedUrls(window: Window, base: string): (path: string) => string {
  const { trustedTypes } = window as TrustedTypesHost;
  const plain = (path: string) => `${base}/${path}`;
  if (trustedTypes === undefined) return plain;
  const policy = trustedTypes.createPolicy('sallyport-data', { createScriptURL: (url) => url });
  return (path) => policy.createScriptURL(plain(path));
}
