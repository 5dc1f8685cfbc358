// Makes a checkout ready to run: builds the native modules for the Node that runs Sallyport, and proves that they load;
// and builds the page that lies in every bundle and the console that the gateway serves.
//
// Runs after `npm ci` and `npm install` (postinstall), and again before start and test, where it costs a few
// milliseconds when nothing is missing. Why the dependencies' own install scripts do not do this: see CONTRIBUTING.md,
// "Install scripts". Plain JavaScript for Node 20 or later, because it may run before there is anything newer.
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { installPackages, missingCommands } from './debian-packages.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const oldestNode = 24;

/** Each native module: where its binding.gyp stands, what the build makes, and what the build needs beyond node-gyp. */
const bindings = [
  { package: 'sqlite3', folder: '.', product: 'build/Release/node_sqlite3.node' },
  { package: 'node-pty', folder: '.', product: 'build/Release/pty.node' },
  // The flag is the one that ssh2's install.js passes: the binding's source differs by OpenSSL's major version.
  { package: 'ssh2', folder: 'lib/protocol/crypto', product: 'build/Release/sshcrypto.node', openssl: true },
  { package: 'cpu-features', folder: '.', product: 'build/Release/cpufeatures.node', generate: ['buildcheck.js', 'buildcheck.gypi'] },
];

class SetUpError extends Error {}

function packageFolder(name) {
  for (let at = root; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(at) === at) return undefined;
  }
}

function versionOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

/** The pinned Node where there is one for this platform, else the Node that runs this program. */
function chooseNode() {
  const name = `node-${process.platform}-${process.arch}`;
  const pinned = packageFolder(name);
  if (pinned !== undefined) return { program: join(pinned, 'bin', 'node'), version: `v${versionOf(pinned)}`, headers: pinned };
  if (Number.parseInt(process.versions.node, 10) < oldestNode) {
    throw new SetUpError(
      `Sallyport runs on Node ${oldestNode} or later; this is Node ${process.versions.node}, and the package ${name}, which would bring its own, is not installed.\n` +
        `Install Node ${oldestNode} and run \`npm ci\` again (without --omit=optional, on Linux x64 and arm64 that brings Node along).`,
    );
  }
  const prefix = resolve(dirname(process.execPath), '..');
  const headers = existsSync(join(prefix, 'include', 'node', 'node.h')) ? prefix : undefined;
  return { program: process.execPath, version: process.version, headers };
}

function locate(binding) {
  const folder = packageFolder(binding.package);
  if (folder === undefined) throw new SetUpError(`The package ${binding.package} is not installed. Run \`npm ci\` in ${root}.`);
  const at = join(folder, binding.folder);
  return { ...binding, at, product: join(at, binding.product), stamp: join(at, 'build', 'built-for'), version: versionOf(folder) };
}

/** What a binding was built for. A stamp that differs means another Node, another processor or another version of the package. */
function stampOf(binding, node) {
  return `${binding.package} ${binding.version} for Node ${node.version} on ${process.platform} ${process.arch}\n`;
}

function isStamped(binding, node) {
  return existsSync(binding.product) && existsSync(binding.stamp) && readFileSync(binding.stamp, 'utf8') === stampOf(binding, node);
}

/** Loads the binding in a process of its own. Returns undefined when that works, else what Node said. */
async function loadFailure(binding, node) {
  if (!existsSync(binding.product)) return 'it has not been built';
  try {
    await promisify(execFile)(node.program, ['-e', 'require(process.argv[1])', binding.product], { cwd: root });
    return undefined;
  } catch (error) {
    return String(error.stderr || error.message).trim();
  }
}

/** Runs a program quietly; what it printed is shown only when it fails. */
function runQuietly(program, args, options) {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const standardOutput = [];
    const everything = [];
    child.stdout.on('data', (bytes) => {
      standardOutput.push(bytes);
      everything.push(bytes);
    });
    child.stderr.on('data', (bytes) => everything.push(bytes));
    child.on('error', failed);
    child.on('close', (status, signal) => {
      if (status === 0) return done(Buffer.concat(standardOutput).toString());
      const how = signal === null ? `status ${status}` : `signal ${signal}`;
      failed(
        new SetUpError(
          `${Buffer.concat(everything).toString().trimEnd()}\n\n${program} ${args.join(' ')}\nin ${options.cwd} ended with ${how}.`,
        ),
      );
    });
  });
}

/**
 * npm passes its configuration on as npm_config_*, and node-gyp lets those override its own arguments: a `nodedir` in
 * somebody's .npmrc would build for another Node. So none of them is passed on.
 */
function buildEnvironment(node) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_(package_)?config_/i.test(name));
  // The build asks `node` for include paths; it has to be the same one.
  return { ...Object.fromEntries(inherited), PATH: `${dirname(node.program)}:${process.env.PATH ?? ''}` };
}

async function build(binding, node) {
  const env = buildEnvironment(node);
  if (binding.generate !== undefined) {
    const [program, output] = binding.generate;
    writeFileSync(join(binding.at, output), await runQuietly(node.program, [program], { cwd: binding.at, env }));
  }
  const gyp = packageFolder('node-gyp');
  if (gyp === undefined) throw new SetUpError('The package node-gyp is not installed. Run `npm ci`.');
  const args = [join(gyp, 'bin', 'node-gyp.js'), 'rebuild', '--release', '--jobs=2'];
  if (node.headers !== undefined) args.push(`--nodedir=${node.headers}`);
  if (binding.openssl) {
    const openssl = await runQuietly(node.program, ['-p', 'process.versions.openssl'], { cwd: root, env });
    args.push(`--real_openssl_major=${Number.parseInt(openssl, 10)}`);
  }
  await runQuietly(node.program, args, { cwd: binding.at, env });
}

function requireCompiler() {
  const wanted = { 'g++': 'build-essential', make: 'build-essential', python3: 'python3' };
  installPackages(missingCommands(wanted), 'to build native modules');
}

async function setUpBindings(node) {
  const unready = [];
  for (const binding of bindings.map(locate)) if (!isStamped(binding, node)) unready.push(binding);
  if (unready.length === 0) return;

  const unbuilt = [];
  for (const binding of unready) if ((await loadFailure(binding, node)) !== undefined) unbuilt.push(binding);
  if (unbuilt.length > 0) {
    requireCompiler();
    process.stderr.write(
      `Building ${unbuilt.map((binding) => binding.package).join(', ')} for Node ${node.version}; this takes a minute or two, once.\n`,
    );
    const queue = [...unbuilt];
    const worker = async () => {
      for (let binding = queue.shift(); binding !== undefined; binding = queue.shift()) await build(binding, node);
    };
    await Promise.all([worker(), worker()]);
  }

  for (const binding of unready) {
    const failure = await loadFailure(binding, node);
    if (failure !== undefined)
      throw new SetUpError(`${binding.package} was built for Node ${node.version}, but does not load:\n${failure}`);
    writeFileSync(binding.stamp, stampOf(binding, node));
  }
  if (unbuilt.length > 0) process.stderr.write('Sallyport is set up.\n');
}

/** The page of bundles: part of the published package, and built in a checkout, where its sources are. */
async function setUpPage(node) {
  const program = join(root, '.ci', 'build-page.mjs');
  if (!existsSync(program) || packageFolder('vite') === undefined) return;
  const { isPageBuilt } = await import(pathToFileURL(program).href);
  if (!isPageBuilt()) await runQuietly(node.program, [program], { cwd: root });
}

/** The same of the console that the gateway serves. */
async function setUpConsole(node) {
  const program = join(root, '.ci', 'build-renderer.mjs');
  if (!existsSync(program) || packageFolder('vite') === undefined) return;
  const { isConsoleBuilt } = await import(pathToFileURL(program).href);
  if (!isConsoleBuilt()) await runQuietly(node.program, [program], { cwd: root });
}

try {
  const node = chooseNode();
  await setUpBindings(node);
  await Promise.all([setUpPage(node), setUpConsole(node)]);
} catch (error) {
  process.stderr.write(`\nSet-up failed.\n${error instanceof SetUpError ? error.message : error.stack}\n`);
  process.exit(1);
}
