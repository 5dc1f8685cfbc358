import { connect, type Socket } from 'node:net';

/*
 * A program of its own, so that it may have more files open than the test: opens so many connections and says nothing
 * on them. Arguments: host, port, how many, local address. Prints how many it could open when it has tried them all;
 * ends when its standard input does.
 */

const [host = '', port = '', count = '', localAddress = ''] = process.argv.slice(2);
const sockets: Socket[] = [];
let settled = 0;
let opened = 0;

function another(): void {
  if (sockets.length >= Number(count)) return;
  const socket = connect({ host, port: Number(port), localAddress });
  sockets.push(socket);
  let done = false;
  const settle = (ok: boolean): void => {
    if (done) return;
    done = true;
    settled += 1;
    if (ok) opened += 1;
    if (settled === Number(count)) process.stdout.write(`${opened}\n`);
    another();
  };
  socket.on('connect', () => settle(true));
  socket.on('error', () => settle(false));
  socket.on('close', () => settle(false));
  socket.resume();
}

for (let lane = 0; lane < 200; lane += 1) another();
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
