import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { readImports } from './read-imports.ts';

const protocols = ['protocol', 'protocol/ssh', 'protocol/postgres', 'protocol/mysql', 'protocol/mcp'] as const;
const access = ['identity', 'policy', 'approval'] as const;
const evidence = ['ledger', 'recording', 'indexing', 'store', 'query', 'retention'] as const;
const flow = [...protocols, ...access, ...evidence, 'relay', 'session', 'operator-api'] as const;

/**
 * docs/architecture.md, "Who may import whom", as a table. A part is a folder, or one of the few files at the top of
 * gateway/ that put the folders together. Files of one part may always import each other.
 */
export const parts = {
  contract: { imports: [], packages: ['zod'], builtins: false },
  'frame-codec': { imports: [], packages: [], builtins: false },
  // How a recording becomes a screen again: the same in the gateway, in a browser and in a bundle's page.
  replay: { imports: ['contract', 'frame-codec'], packages: ['zod', '@xterm/headless'], builtins: false },
  electron: { imports: ['contract', 'frame-codec', 'replay'] },
  renderer: { imports: ['contract', 'frame-codec', 'replay'], builtins: false },

  base: { imports: [] },
  policy: { imports: [] },
  identity: { imports: [] },
  approval: { imports: [] },
  ledger: { imports: [] },
  recording: { imports: ['ledger'] },
  // What makes a recording quick to replay and to search, made from it at any time.
  indexing: { imports: ['recording', 'replay'] },
  relay: { imports: ['recording'] },
  session: { imports: ['identity', 'policy', 'approval', 'relay', 'recording', 'ledger'] },
  protocol: { imports: ['session', 'relay', 'recording'] },
  'protocol/ssh': { imports: ['protocol', 'session', 'relay', 'recording'] },
  'protocol/postgres': { imports: ['protocol', 'session', 'relay', 'recording'] },
  'protocol/mysql': { imports: ['protocol', 'session', 'relay', 'recording'] },
  'protocol/mcp': { imports: ['protocol', 'session', 'relay', 'recording'] },
  // Implements storage interfaces that these folders declare, and takes nothing but their types.
  store: { imports: [], types: ['policy', 'identity', 'approval', 'ledger', 'recording', 'indexing', 'relay', 'session'] },
  query: { imports: ['store', 'ledger', 'recording', 'indexing', 'replay'] },
  // Decides what goes and when, and has store and recording take it away. Who may ask for it is a principal's.
  retention: { imports: ['store', 'ledger', 'recording', 'indexing'], types: ['identity'] },
  // The ledger is served as it is, and signs what it is asked to. Queries are put to the database that is passed in.
  'operator-api': { imports: ['query', 'approval', 'session', 'relay', 'ledger', 'replay'], types: ['store', 'indexing'] },

  // The parts that compose, and the version that they tell. config.ts reads the nouns that identity, policy and approval define;
  // evidence.ts opens what is written to; serve.ts and serve/ build every part of the flow; a command may use anything
  // except the dangerous packages; main.ts knows commands only.
  version: { imports: [], packages: [] },
  config: { imports: ['identity', 'policy', 'approval'] },
  evidence: { imports: ['config', 'identity', 'ledger', 'store'] },
  serve: { imports: ['version', 'config', 'evidence', ...flow, 'replay'] },
  commands: { imports: ['version', 'config', 'evidence', 'serve', ...flow, 'replay'] },
  main: { imports: ['version', 'commands'] },

  // Not part of the product: these may reach for anything in the gateway and the contract, and for any package.
  test: { imports: 'everything' },
  bench: { imports: 'everything' },
  // Configuration of tools at the top level; that of the tests names a reporter of theirs.
  tooling: { imports: ['test'] },
} as const satisfies Record<string, PartRule>;

interface PartRule {
  imports: readonly string[] | 'everything';
  types?: readonly string[];
  packages?: readonly string[];
  builtins?: boolean;
}

export type Part = keyof typeof parts;

const productFolders = ['contract', 'gateway', 'electron', 'renderer'];
const outsideProduct: readonly Part[] = ['test', 'bench', 'tooling'];
const besidesGateway: readonly Part[] = ['contract', 'frame-codec', 'replay', 'electron', 'renderer', ...outsideProduct];

const topFiles = { 'main.ts': 'main', 'serve.ts': 'serve', 'evidence.ts': 'evidence', 'version.ts': 'version' } as const;
const besideFolders: readonly Part[] = ['main', 'evidence', 'version'];

/** Each dangerous package has one home. `gatewayOnly`: the rule says nothing about the desktop app. */
const homes: readonly { packages: readonly string[]; home: Part; gatewayOnly?: true }[] = [
  { packages: ['electron'], home: 'electron' },
  { packages: ['ssh2', 'node-pty', 'cpu-features'], home: 'protocol/ssh' },
  { packages: ['@xterm/headless'], home: 'replay' },
  { packages: ['sqlite3', 'node:sqlite', 'better-sqlite3'], home: 'store' },
  { packages: ['node:child_process', 'node:cluster'], home: 'protocol/mcp', gatewayOnly: true },
];

/** Which part a file belongs to; undefined for a place that the table does not know. Paths are relative to the root. */
export function partOf(path: string): Part | undefined {
  const [top, second, third, ...rest] = path.split('/');
  if (second === undefined) return /^[a-z]+\.config\.ts$/.test(path) ? 'tooling' : undefined;
  if (path === 'contract/frame-codec.ts') return 'frame-codec';
  if (path.startsWith('contract/replay/')) return 'replay';
  if (top === 'contract' || top === 'electron' || top === 'renderer' || top === 'test' || top === 'bench') return top;
  if (top !== 'gateway') return undefined;
  if (third === undefined) {
    if (second === 'main.ts' || second === 'serve.ts' || second === 'evidence.ts' || second === 'version.ts') return topFiles[second];
    return second === 'config.ts' ? 'config' : undefined;
  }
  if (second === 'protocol') {
    const part = rest.length === 0 ? 'protocol' : `protocol/${third}`;
    return isPart(part) ? part : undefined;
  }
  return isPart(second) && !besidesGateway.includes(second) && !besideFolders.includes(second) ? second : undefined;
}

function isPart(name: string): name is Part {
  return Object.hasOwn(parts, name);
}

export interface Source {
  path: string;
  text: string;
}

/** Every import that the table forbids, as `file:line says why`. */
export function findFaults(sources: Iterable<Source>): string[] {
  const faults: string[] = [];
  for (const { path, text } of sources) {
    const part = partOf(path);
    if (part === undefined) {
      faults.push(`${path} stands in a place that the table of test/architecture/import-rules.ts does not know`);
      continue;
    }
    const { imports, hidden } = readImports(path, text);
    if (!outsideProduct.includes(part)) for (const { what, line } of hidden) faults.push(`${path}:${line} uses ${what}`);
    for (const { specifier, typeOnly, line } of imports) {
      const fault = specifier.startsWith('.') ? faultOfPath(path, part, specifier, typeOnly) : faultOfPackage(part, specifier);
      if (fault !== undefined) faults.push(`${path}:${line} ${fault}`);
    }
  }
  return faults;
}

function faultOfPath(from: string, part: Part, specifier: string, typeOnly: boolean): string | undefined {
  const path = posix.join(posix.dirname(from), specifier);
  if (outsideProduct.includes(part) && path.endsWith('.json')) return undefined;
  const to = partOf(path);
  if (to === undefined) return `imports ${path}, a place that the table does not know`;
  if (to === part) return undefined;
  if (mayImport(part, to, typeOnly)) return undefined;
  return `imports ${path}, but ${part} may not import ${mayImport(part, to, true) ? 'anything but types from ' : ''}${to}`;
}

function mayImport(from: Part, to: Part, typeOnly: boolean): boolean {
  const rule: PartRule = parts[from];
  if (rule.imports === 'everything') return to !== 'bench' || from === 'bench';
  if (rule.imports.includes(to)) return true;
  if (typeOnly && rule.types?.includes(to) === true) return true;
  if (to === 'contract' || to === 'frame-codec') return from !== 'frame-codec' && from !== 'tooling';
  return to === 'base' && !besidesGateway.includes(from);
}

function faultOfPackage(part: Part, specifier: string): string | undefined {
  if (specifier.startsWith('/') || specifier.startsWith('#') || /^(file|data|https?):/.test(specifier)) {
    return `imports ${specifier}, which is neither a package nor a relative path`;
  }
  const name = packageName(specifier);
  const rule: PartRule = parts[part];
  if (rule.builtins === false && isBuiltin(name)) return `imports ${specifier}, but ${part} runs where Node's modules do not exist`;
  if (rule.packages !== undefined && !rule.packages.includes(name)) {
    return `imports ${specifier}, but ${part} may import ${rule.packages.length === 0 ? 'no package' : `only ${rule.packages.join(', ')}`}`;
  }
  if (outsideProduct.includes(part)) return undefined;
  for (const { packages, home, gatewayOnly } of homes) {
    if (!packages.includes(name) || part === home || (gatewayOnly === true && besidesGateway.includes(part))) continue;
    return `imports ${specifier}, whose only home is ${home}`;
  }
  return undefined;
}

/** `ssh2/lib/x.js` is ssh2, `@scope/name/x` is @scope/name, `child_process` and `fs/promises` are node:child_process and node:fs. */
function packageName(specifier: string): string {
  const words = specifier.split('/');
  const name = specifier.startsWith('@') ? words.slice(0, 2).join('/') : (words[0] ?? specifier);
  return isBuiltin(name) && !name.startsWith('node:') ? `node:${name}` : name;
}

export function isProductFolder(name: string): boolean {
  return productFolders.includes(name);
}
