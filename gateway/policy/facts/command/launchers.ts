/**
 * Programs that run other programs. No list of them can be complete: whoever may install or write a file makes new
 * ones. It keeps a rule about `rm` from being passed by with `env rm`; it does not make a rule about names a sandbox.
 */

/** How a program that runs the rest of its words takes its own options. */
export interface Launcher {
  /** Options without a value, by letter or whole. */
  readonly flags: readonly string[];
  /** Options whose value is the next word, or stands in the same one. */
  readonly valued: readonly string[];
  /** Words of its own before the program. */
  readonly operands?: number;
  /** Whether variables may be set before the program. */
  readonly assignments?: true;
  /** Whether more is run, or otherwise, than its words say. */
  readonly opaque?: true;
}

/** Any other option makes the line opaque: it may change what is run, as `env -S` and `sudo -s` do. */
export const launchers: ReadonlyMap<string, Launcher> = new Map<string, Launcher>([
  ['sudo', { flags: ['-n', '-E', '-H', '-k', '-A', '-b', '-P'], valued: ['-u', '-g', '--user', '--group'], assignments: true }],
  ['doas', { flags: ['-n'], valued: ['-u'] }],
  ['env', { flags: ['-i', '-0', '--ignore-environment'], valued: ['-u', '--unset'], assignments: true }],
  ['nice', { flags: [], valued: ['-n', '--adjustment'] }],
  ['ionice', { flags: ['-t'], valued: ['-c', '-n'] }],
  ['nohup', { flags: [], valued: [] }],
  ['setsid', { flags: ['-c', '-f', '-w'], valued: [] }],
  ['stdbuf', { flags: [], valued: ['-i', '-o', '-e', '--input', '--output', '--error'] }],
  ['time', { flags: ['-p'], valued: [] }],
  ['timeout', { flags: ['-v', '--foreground', '--preserve-status'], valued: ['-s', '-k', '--signal', '--kill-after'], operands: 1 }],
  ['command', { flags: ['-p'], valued: [] }],
  ['builtin', { flags: [], valued: [] }],
  ['exec', { flags: [], valued: [] }],
  ['!', { flags: [], valued: [] }],
  ['busybox', { flags: [], valued: [] }],
  ['toybox', { flags: [], valued: [] }],
  ['xargs', { flags: ['-0', '-r', '-t', '-x'], valued: ['-n', '-I', '-P', '-L', '-d', '-s', '-a'], opaque: true }],
  ['watch', { flags: ['-d', '-t', '-c'], valued: ['-n'], opaque: true }],
  ['chroot', { flags: [], valued: ['--userspec', '--groups'], operands: 1, opaque: true }],
  ['flock', { flags: ['-n', '-x', '-s'], valued: ['-w', '-E'], operands: 1, opaque: true }],
  ['strace', { flags: ['-f', '-ff', '-q'], valued: ['-e', '-o', '-s'], opaque: true }],
  ['taskset', { flags: ['-c'], valued: [], operands: 1, opaque: true }],
  ['unshare', { flags: ['-r', '-m', '-n', '-p', '-f', '-U'], valued: [], opaque: true }],
  ['repeat', { flags: [], valued: [], operands: 1, opaque: true }],
  // Words before a command, of POSIX shells and of others that a target may have: what runs, and how often, depends on more.
  ...['if', 'then', 'elif', 'else', 'while', 'until', 'do', '{', 'and', 'or', 'not', 'begin', 'noglob', 'nocorrect'].map(
    (word): [string, Launcher] => [word, { flags: [], valued: [], opaque: true }],
  ),
]);

/** Programs whose words, input or configuration say what else is run. */
export const interpreters: ReadonlySet<string> = new Set(
  `sh bash rbash dash ash zsh ksh mksh pdksh yash fish csh tcsh pwsh powershell rc es nu xonsh elvish
   eval source . trap alias unalias set unset export declare typeset readonly local read readarray mapfile let getopts enable hash
   bind complete compgen shopt setopt unsetopt coproc fc history jobs fg
   emulate print integer float nameref vared autoload functions disable zmodload zle zpty zstyle zformat zparseopts zargs zcompile
   sched compctl compadd hist r
   if then elif else fi for while until do done case esac select function [[ ]] { }
   xargs parallel awk gawk mawk nawk original-awk sed gsed ed ex vi vim vimdiff view nvim
   rvi rvim rview gvim gvimdiff gview rgvim rgview evim eview vimx emacs emacsclient nano pico less more most man
   perl python python2 python3 pypy pypy3 ruby irb node nodejs deno bun php lua luajit tclsh wish expect guile sbcl ghci runghc
   java jshell groovy scala kotlin julia R Rscript octave gnuplot m4 dc make gmake ninja cmake bazel rake ant mvn gradle
   npm npx pnpm yarn pip pip3 pipx uv uvx poetry cargo go gem bundle composer
   gcc g++ cc clang ld as gdb lldb strace ltrace valgrind perf
   ssh slogin sftp sftp-server internal-sftp telnet rsh rlogin mosh socat nc ncat netcat openssl gpg ftp lftp rsync scp rclone
   su runuser sg newgrp setpriv capsh run0 chpst chroot unshare nsenter firejail bwrap systemd-run systemd-inhibit systemd-nspawn machinectl service at batch crontab watch
   flock script scriptreplay screen tmux byobu dtach start-stop-daemon daemonize run-parts entr inotifywait unbuffer rlwrap chronic
   docker podman nerdctl ctr crictl kubectl oc helm lxc lxc-attach virsh vagrant ansible ansible-playbook terraform salt puppet chef-client
   psql mysql mariadb sqlite3 mongosh redis-cli sqlplus dpkg apt apt-get yum dnf rpm apk snap pacman zypper
   split zip logrotate tcpdump nmap pkexec dbus-run-session dbus-launch xvfb-run cpulimit taskset chrt numactl prlimit choom
   setarch linux32 linux64 uname26 i386 i486 i586 i686 x86_64
   logsave fakeroot ld.so ld-linux.so.2 ld-linux-x86-64.so.2 ld-linux-aarch64.so.1 ip ssh-agent ssh-add sshpass hg svn
   sudoedit visudo vipw vigr crontab ldd`
    .split(/\s+/)
    .filter((name) => name !== ''),
);

/** Words of programs that are otherwise seen through, which make them run something else; also when they are abbreviated. */
export const opaqueWords: ReadonlyMap<string, RegExp> = new Map([
  ['find', /^-(?:exec|execdir|ok|okdir)$/],
  ['tar', /^(?:--(?:to|ch|us|rs|inf|ne|rm).*|-?[A-Za-z]*[IF].*)$/],
  ['sort', /^--co/],
  ['install', /^--strip-/],
  // Each takes the name of a variable, and what stands in brackets behind such a name is evaluated: `-v 'a[$(rm x)]'`.
  ['test', /^-[vR]$/],
  ['[', /^-[vR]$/],
  ['printf', /^-v/],
  ['wait', /^-[A-Za-z]*p/],
  ['systemctl', /^(?:edit|link|-[A-Za-z]*[HM]|--(?:ho|m|ro|im))/],
  ['git', /^(?:--(?:u|rec|ex|op|conf|gi|pag)|-[ucxO]|ext::)/],
]);

/** What shells have built in and may take a number for: some calculate it, and what stands in brackets in it is run. */
export const calculators: ReadonlySet<string> = new Set('test [ printf shift exit return break continue ulimit sleep'.split(' '));

/** What git does by itself; anything else may be an alias. Hooks and the configuration of a repository are beyond sight. */
export const gitCommands: ReadonlySet<string> = new Set(
  `add blame branch checkout clone commit describe diff fetch grep init log ls-files ls-remote merge mv pull push remote
   reset restore rev-parse rm show stash status switch tag`.split(/\s+/),
);
