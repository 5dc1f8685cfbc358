import { type BrowserWindow, ipcMain } from 'electron';
import { ASK_CHANNEL } from '../../contract/desktop-channels.ts';
import type { Dispatch } from '../bridge/dispatch.ts';

/** The one channel on which anything is asked. Who asks is what Electron says, and not what the message does. */
export function answerThePage(dispatch: Dispatch, window: () => BrowserWindow | undefined): void {
  ipcMain.handle(ASK_CHANNEL, ({ sender, senderFrame }, message: unknown) =>
    dispatch(
      {
        url: senderFrame?.url ?? '',
        isMainFrame: senderFrame !== null && senderFrame.parent === null,
        isOurWindow: sender === window()?.webContents,
      },
      message,
    ),
  );
}
