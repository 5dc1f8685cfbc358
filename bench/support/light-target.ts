import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';

/**
 * A light SSH server in a process of its own: one shell that sends back what is typed, no process and no terminal behind
 * it. A real sshd with hundreds of shells would be what is measured. Anybody may log in: it listens on loopback only and
 * lives as long as one benchmark. `node light-target.ts HOST_KEY`; tells its parent the port.
 */
const hostKeyFile = process.argv[2];
if (hostKeyFile === undefined) throw new Error('light-target.ts needs the path of a host key');

const server = new ssh2.Server({ hostKeys: [readFileSync(hostKeyFile)] }, (connection) => {
  connection.on('authentication', (attempt) => attempt.accept());
  // A session that is cut off is nothing to report: the typist at the other end does.
  connection.on('error', () => undefined);
  connection.on('session', (accept) => {
    const session = accept();
    session.on('pty', (grant) => grant?.());
    session.on('env', (grant) => grant?.());
    session.on('window-change', (grant) => grant?.());
    session.on('shell', (open) => {
      const shell = open();
      shell.write('ready');
      shell.on('data', (keys: Buffer) => shell.write(keys));
      shell.on('end', () => {
        shell.exit(0);
        shell.end();
      });
    });
  });
});
server.maxConnections = 100_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
// Without its parent nobody would end it.
process.on('disconnect', () => process.exit(0));
