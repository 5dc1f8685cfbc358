import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeFault, readConfig } from '../../gateway/config.ts';

/** Keys that were made for these tests with ssh-keygen and open nothing. */
export const keys = {
  reviewer: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOjbXKdjHkjIY4hmJzqnycLbcQ1xApDh6nTwUR0wM5jp reviewer',
  bot: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEVxo8S1LqrigZL9ZlrxMG2EsDxcXxqycDKmX4rNc9OE bot',
};

export const hostKey = 'SHA256:WcXQLMV/+rX0B/sOyXsbEB0CIDs27Bdr13k9Mef9gFI';

/** A configuration without a fault; tests put one in. Its credential is in the variable WEB_PASSWORD. */
export const valid = `gateway:
  listen: { ssh: "127.0.0.1:0" }
humans:
  - { name: reviewer@example.com, groups: [platform], ssh-keys: ["${keys.reviewer}"], operator: [reviewer] }
agents:
  - { name: deploy-bot, on-behalf-of: reviewer@example.com, ssh-keys: ["${keys.bot}"] }
targets:
  - name: web-1
    kind: ssh
    address: "10.0.0.5:22"
    host-key: "${hostKey}"
    login: deploy
    credential: { env: WEB_PASSWORD }
    allow: [deploy-bot, { group: platform }]
`;

export const environment = { WEB_PASSWORD: 'correct horse' };

export function writeConfig(directory: string, content: string | Uint8Array, name = 'gateway.yaml'): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(path, content);
  chmodSync(path, 0o644);
  return path;
}

/** Every fault as it is printed, without the directory of the file; none for a valid one. */
export function faultsOf(directory: string, content: string | Uint8Array): string[] {
  const path = writeConfig(directory, content);
  const reading = readConfig(path, environment);
  return 'faults' in reading ? reading.faults.map((fault) => describeFault(fault).replaceAll(`${directory}/`, '')) : [];
}

/** The valid configuration with one piece replaced, which has to be there. */
export function changed(piece: string, replacement: string): string {
  if (!valid.includes(piece)) throw new Error(`the valid configuration has no ${piece}`);
  return valid.replace(piece, () => replacement);
}
