import { heldBytes } from './held-memory.ts';

// Loaded into a program whose memory is the promise, see `tellingHeld`.
let most = 0;
const look = () => {
  most = Math.max(most, heldBytes());
};
setInterval(look, 500).unref();
process.on('exit', () => {
  look();
  process.stderr.write(`\nheld ${most} resident ${process.resourceUsage().maxRSS * 1024}\n`);
});
