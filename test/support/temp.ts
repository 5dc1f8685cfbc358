import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Something a test started or made, and how to get rid of it. */
type Release = () => void | Promise<void>;

/**
 * What belongs to one test file: released in reverse order of its making, all of it even when one release fails.
 * Register a thing before it can fail half-made, so that nothing outlives the test.
 */
export class Belongings {
  readonly #releases: Release[] = [];

  add(release: Release): void {
    this.#releases.push(release);
  }

  /** A directory of its own, removed in the end. */
  directory(purpose: string): string {
    const path = mkdtempSync(join(tmpdir(), `sallyport-${purpose}-`));
    this.add(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  async release(): Promise<void> {
    const failures: unknown[] = [];
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      try {
        await release();
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything that the test made could be cleaned up');
  }
}
