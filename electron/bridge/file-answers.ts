import type { BridgeEvent } from '../../contract/desktop-bridge.ts';
import { DesktopError } from '../base/desktop-error.ts';
import { safeFileName } from '../files/file-name.ts';
import type { OpenedFiles } from '../files/opened-files.ts';
import { saveDownload } from '../files/save-download.ts';
import { requirePagePath } from '../gateway/gateway-path.ts';
import type { Answers } from './dispatch.ts';
import type { GatewayInUse } from './gateway-in-use.ts';

/** Dialogs of the system. Undefined: the person would rather not. */
export interface FileDialogs {
  saveAs(name: string): Promise<string | undefined>;
  openBundle(): Promise<string | undefined>;
}

export interface FileParts {
  readonly inUse: GatewayInUse;
  readonly dialogs: FileDialogs;
  readonly files: OpenedFiles;
  readonly emit: (event: BridgeEvent) => void;
}

const MOST_SAVING = 8;

type FileAnswers = Pick<Answers, 'file.save' | 'file.save-stop' | 'file.open' | 'file.read' | 'file.close'>;

export function fileAnswers({ inUse, dialogs, files, emit }: FileParts): FileAnswers {
  const savings = new Map<string, AbortController>();
  return {
    'file.save': async ({ saving, name, path }) => {
      requirePagePath(path);
      if (savings.has(saving) || savings.size >= MOST_SAVING) throw new DesktopError('REQUEST_INVALID', 'too much is being saved already');
      const { client, logIn } = inUse.reachLoggedIn();
      const stop = new AbortController();
      savings.set(saving, stop);
      try {
        const file = await dialogs.saveAs(safeFileName(name));
        if (file === undefined || stop.signal.aborted) return { saved: null };
        const progress = (bytes: number, of: number | null): void => emit({ event: 'saving', saving, bytes, of });
        return { saved: await saveDownload({ client, token: logIn.token, path, file, signal: stop.signal, progress }) };
      } finally {
        savings.delete(saving);
      }
    },
    'file.save-stop': async ({ saving }) => {
      savings.get(saving)?.abort();
      return {};
    },
    'file.open': async () => {
      const path = await dialogs.openBundle();
      return { file: path === undefined ? null : await files.open(path) };
    },
    'file.read': async ({ file, at, length }) => ({ bytes: await files.read(file, at, length) }),
    'file.close': async ({ file }) => {
      await files.close(file);
      return {};
    },
  };
}
