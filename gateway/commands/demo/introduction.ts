import { join } from 'node:path';
import { AGENT, HUMAN_KEY, REVIEWER } from './prepare.ts';

export interface Introduced {
  readonly directory: string;
  /** Of the console, with the code in it. */
  readonly address: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** Of the first session. */
  readonly session: string;
}

/** What somebody who has just started the demo needs to read, and no more. */
export function introduction({ directory, address, fingerprint, session }: Introduced): string {
  const self = import.meta.url.endsWith('.ts') ? 'npm run -s sallyport --' : 'sallyport';
  const data = join(directory, 'data');
  const ssh = `ssh -F ${directory}/ssh_config`;
  return `Open the console:

  ${address}

It lets you in once, within ten minutes, as ${REVIEWER}. Another such address:
  ${self} console --data ${data}
The gateway has made its certificate itself, so the browser warns you. Go on when the SHA-256 is
  ${fingerprint}

Then, in another terminal:

${columns([
  [`${ssh} ${AGENT}`, `a shell as the agent ${AGENT}: see it live`],
  [`${ssh} ${AGENT} 'touch /tmp/by-an-agent'`, 'waits for your approval, in the console'],
  [`${ssh} ${HUMAN_KEY} 'uname -a'`, 'one command as a human'],
  [`${ssh} menu@${HUMAN_KEY}`, 'choose a target from a menu'],
])}

Without a browser:

${columns([
  [`${self} sessions --data ${data}`, 'who was where'],
  [`${self} transcript ${session} --data ${data}`, 'read a session; play shows it'],
])}

The configuration is ${directory}/gateway.yaml. Press Ctrl-C to stop.
`;
}

function columns(lines: readonly (readonly [line: string, comment: string])[]): string {
  const width = Math.max(...lines.map(([line]) => line.length));
  return lines.map(([line, comment]) => `  ${line.padEnd(width)}  ${comment}`).join('\n');
}
