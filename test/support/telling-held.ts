import { isMainThread } from 'node:worker_threads';
import { heldBytes } from './held-memory.ts';

// Loaded into a program whose memory is the promise. It says at its end what it ever held and what was resident, see
// `tellingHeld`; with SALLYPORT_TEST_TELLS=asked it says what it holds whenever it gets a SIGUSR2, see `Gateway.held`.
if (isMainThread) {
  if (process.env.SALLYPORT_TEST_TELLS === 'asked') tellWhenAsked();
  else tellAtEnd();
}

function tellAtEnd(): void {
  let most = 0;
  const look = () => {
    const began = performance.now();
    most = Math.max(most, heldBytes());
    // On a busy machine that takes long: the program has to come to its own work.
    setTimeout(look, Math.max(500, 10 * (performance.now() - began))).unref();
  };
  setTimeout(look, 500).unref();
  process.on('exit', () => {
    look();
    process.stderr.write(`\nheld ${most} resident ${process.resourceUsage().maxRSS * 1024}\n`);
  });
}

function tellWhenAsked(): void {
  let times = 0;
  process.on('SIGUSR2', () => {
    times += 1;
    process.stderr.write(`${JSON.stringify({ msg: `held ${process.pid} ${times}`, held: heldBytes() })}\n`);
  });
}
