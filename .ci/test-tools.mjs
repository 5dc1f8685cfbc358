// Makes sure that the real clients, servers and players which the tests talk to are installed. Runs before the tests;
// where everything is present it only looks, and needs no network.
import { existsSync } from 'node:fs';
import { installPackages, missingCommands } from './debian-packages.mjs';

const missing = missingCommands({
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  scp: 'openssh-client',
  sftp: 'openssh-client',
  dropbear: 'dropbear-bin',
  dbclient: 'dropbear-bin',
  plink: 'putty-tools',
  psftp: 'putty-tools',
  rsync: 'rsync',
  git: 'git',
  asciinema: 'asciinema',
  zstd: 'zstd',
  vim: 'vim',
  htop: 'htop',
  tmux: 'tmux',
  less: 'less',
  expect: 'expect',
  'ansible-playbook': 'ansible-core',
  chromium: 'chromium',
  // A bundle's verify.sh has to run on every awk and sh.
  gawk: 'gawk',
  busybox: 'busybox',
  unzip: 'unzip',
  // How docs/operating.md backs up the database of a running gateway.
  sqlite3: 'sqlite3',
  // Everywhere but in the smallest of containers.
  mount: 'mount',
  useradd: 'passwd',
});
// Paramiko is a library of the system's Python; importing it to ask would take longer than all the rest.
if (!existsSync('/usr/lib/python3/dist-packages/paramiko')) missing.push('python3-paramiko');

installPackages(missing, 'for the tests');
