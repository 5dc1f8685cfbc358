import { join } from 'node:path';
import { app, type BrowserWindow, dialog, type MessageBoxOptions } from 'electron';
import type { FileDialogs } from '../bridge/file-answers.ts';
import type { Confirmation } from '../bridge/sign-statement.ts';

const CANCEL = 0;

export function fileDialogs(window: () => BrowserWindow | undefined): FileDialogs {
  return {
    saveAs: async (name) => {
      const options = { defaultPath: join(app.getPath('downloads'), name) };
      const parent = window();
      const { canceled, filePath } = await (parent === undefined ? dialog.showSaveDialog(options) : dialog.showSaveDialog(parent, options));
      return canceled || filePath === '' ? undefined : filePath;
    },
    openBundle: async () => {
      const options = {
        title: 'Open a bundle',
        properties: ['openFile' as const],
        filters: [
          { name: 'Evidence bundles', extensions: ['zip', 'sallyport'] },
          { name: 'All files', extensions: ['*'] },
        ],
      };
      const parent = window();
      const { filePaths } = await (parent === undefined ? dialog.showOpenDialog(options) : dialog.showOpenDialog(parent, options));
      return filePaths[0];
    },
  };
}

/** No is what Enter and Escape mean: a page that has the dialog come up under somebody's typing gets nothing by it. */
export async function confirmWith(parent: BrowserWindow | undefined, { title, detail, yes }: Confirmation): Promise<boolean> {
  const options: MessageBoxOptions = {
    type: 'question',
    message: title,
    detail,
    buttons: ['Cancel', yes],
    defaultId: CANCEL,
    cancelId: CANCEL,
    noLink: true,
  };
  const { response } = await (parent === undefined ? dialog.showMessageBox(options) : dialog.showMessageBox(parent, options));
  return response !== CANCEL;
}
