import { createHash } from 'node:crypto';
import { alternate } from './alternate.ts';
import type { Corpus } from './corpus.ts';
import { proxyJump, type Routes, throughGateway } from './openssh-routes.ts';
import { verifyRecording } from './recorded-bytes.ts';

export interface Transfer {
  readonly corpus: Corpus;
  /** From the client to the target; otherwise the other way. */
  readonly upload: boolean;
}

/** One run through the gateway. */
export interface Transferred {
  /** From the start of `ssh` to its end. */
  readonly clientSeconds: number;
  /** From then until no journal was left. */
  readonly sealSeconds: number;
  readonly processorSeconds: number;
  readonly peakBytes: number;
}

/**
 * Moves a file through the gateway and through ProxyJump in turn. The peer never runs while our sealer still works. After
 * each of our runs, outside the time that counts, the recording is compared with the file.
 */
export async function transfer(
  routes: Routes,
  what: Transfer,
  options: { runs: number; say: (text: string) => void },
): Promise<{ ours: Transferred[]; peer: number[] }> {
  await warmUp(routes, what);
  const move = (host: string) =>
    what.upload
      ? routes.client.seconds(host, 'cat >/dev/null', what.corpus.path)
      : routes.client.seconds(host, `cat '${what.corpus.path}'`);
  return alternate(options.runs, {
    ours: async (run) => {
      const { gateway } = routes;
      gateway.peakSince();
      const processorBefore = gateway.processorSeconds();
      const clientSeconds = await move(throughGateway);
      const end = performance.now();
      await gateway.sealed();
      const sealSeconds = (performance.now() - end) / 1000;
      const transferred = {
        clientSeconds,
        sealSeconds,
        processorSeconds: gateway.processorSeconds() - processorBefore,
        peakBytes: gateway.peakSince(),
      };
      const { id } = await gateway.latestSession();
      await verifyRecording(gateway, id, what.corpus, what.upload ? 'i' : 'o');
      options.say(
        `run ${run + 1} of ${options.runs}: ${clientSeconds.toFixed(2)} s, sealed ${sealSeconds.toFixed(2)} s later, recording verified`,
      );
      return transferred;
    },
    peer: () => move(proxyJump),
  });
}

/** Not counted: caches get warm, and what arrives is compared with what was sent, which the counted runs have no time for. */
async function warmUp(routes: Routes, what: Transfer): Promise<void> {
  for (const host of [proxyJump, throughGateway]) {
    const hash = createHash('sha256');
    if (what.upload) {
      let answer = '';
      await routes.client.output(host, 'sha256sum', (chunk) => (answer += chunk.toString()), what.corpus.path);
      same(host, answer.split(' ')[0], what.corpus);
    } else {
      await routes.client.output(host, `cat '${what.corpus.path}'`, (chunk) => hash.update(chunk));
      same(host, hash.digest('hex'), what.corpus);
    }
  }
  await routes.gateway.sealed();
}

function same(host: string, sha256: string | undefined, corpus: Corpus): void {
  if (sha256 !== corpus.sha256)
    throw new Error(`${host} delivered other bytes than those that were sent (SHA-256 ${sha256} for ${corpus.sha256})`);
}
