import { app } from 'electron';
import type { Desk } from '../bridge/desk.ts';
import { ApprovalWatch, type WatchState } from '../watch/approval-watch.ts';
import { noticeFor } from '../watch/notices.ts';
import { AppTray } from './app-tray.ts';
import { log } from './log.ts';
import type { MainWindow } from './main-window.ts';
import type { NativeNotices } from './native-notices.ts';

export interface FollowParts {
  readonly desk: Desk;
  readonly notices: NativeNotices;
  readonly window: MainWindow;
  readonly open: (route: string) => void;
}

/** What waits at the gateway in use, in the tray and as notifications, whether there is a window or not. */
export function followApprovals({ desk, notices, window, open }: FollowParts): { stop(): void } {
  const tray = new AppTray({ show: () => window.show(), open, quit: () => app.quit() });
  const update = ({ state, waiting }: WatchState): void => {
    const gateway = desk.inUse.known.current()?.name;
    tray.update({
      gateway,
      state,
      waiting: waiting.map(({ request: { id, principal, target, action } }) => ({ id, principal, target: target.name, action })),
    });
    notices.closeAllBut(new Set(['update', ...waiting.map(({ request }) => `approval-${request.id}`)]));
  };
  const watch = new ApprovalWatch(desk.inUse, {
    changed: update,
    arrived: (approval) => {
      const notice = noticeFor(approval, window.shown, Date.now());
      if (notice !== undefined && desk.settings.value.notifications) notices.show(notice);
    },
    log,
  });
  update(watch.state);
  desk.onGateway(() => watch.follow());
  watch.follow();
  return {
    stop: () => {
      watch.stop();
      tray.close();
    },
  };
}
