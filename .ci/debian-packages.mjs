// What a checkout needs from the operating system: which commands are missing, and installing the packages that have
// them. Installs only as root on Debian or a relative of it; everywhere else it says what to install and stops.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Servers live in sbin, which people who are not root often do not have in their PATH. */
const searchPath = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

export function hasCommand(command) {
  return searchPath.some((folder) => folder !== '' && existsSync(join(folder, command)));
}

/** Takes commands with the Debian package of each; returns the packages of the missing ones, each once. */
export function missingCommands(packageOfCommand) {
  const missing = Object.entries(packageOfCommand).filter(([command]) => !hasCommand(command));
  return [...new Set(missing.map(([, name]) => name))];
}

/** Installs the packages or ends this program with the line to type. Does nothing, and asks nothing, for an empty list. */
export function installPackages(names, purpose) {
  if (names.length === 0) return;
  const line = `apt-get install --yes --no-install-recommends ${names.join(' ')}`;
  if (process.getuid?.() !== 0 || !hasCommand('apt-get')) {
    const how = hasCommand('apt-get')
      ? `Type this, then try again:\n  sudo ${line}`
      : "Install them with the package manager of this system, then try again (the names are Debian's).";
    stop(`Missing ${purpose}: ${names.join(', ')}.\n${how}`);
  }
  process.stderr.write(`Installing ${names.join(', ')} ${purpose}.\n`);
  // A stale list of packages names files that are gone; a failed update may still leave a list that works.
  const update = apt(['update']);
  const install = apt(line.split(' ').slice(1));
  if (install.status === 0) return;
  stop(
    `${update.status === 0 ? '' : update.output}${install.output}\nCould not install ${names.join(', ')} ${purpose}. What was tried:\n  apt-get update && ${line}`,
  );
}

function apt(args) {
  const ran = spawnSync('apt-get', ['--quiet', '--option', 'DPkg::Lock::Timeout=120', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status: ran.status, output: `${ran.stdout ?? ''}${ran.stderr ?? ''}${ran.error?.message ?? ''}` };
}

function stop(message) {
  process.stderr.write(`\n${message}\n`);
  process.exit(1);
}
