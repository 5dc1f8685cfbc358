import { join } from 'node:path';
import { app, Menu, type MenuItemConstructorOptions, nativeImage, Tray } from 'electron';
import { type TrayFacts, type TrayItem, trayModel } from '../look/tray-model.ts';
import { iconFolder } from './files-of-app.ts';

export interface TrayDeeds {
  readonly show: () => void;
  readonly open: (route: string) => void;
  readonly quit: () => void;
}

/** The tray, as the model has it. */
export class AppTray {
  readonly #tray: Tray;
  readonly #deeds: TrayDeeds;

  constructor(deeds: TrayDeeds) {
    this.#deeds = deeds;
    this.#tray = new Tray(iconOf('idle'));
    // On a Mac a click opens the menu.
    if (process.platform !== 'darwin') this.#tray.on('click', () => deeds.show());
  }

  update(facts: TrayFacts): void {
    const { icon, tooltip, title, items } = trayModel(facts);
    this.#tray.setImage(iconOf(icon));
    this.#tray.setToolTip(tooltip);
    if (process.platform === 'darwin') this.#tray.setTitle(title);
    this.#tray.setContextMenu(Menu.buildFromTemplate(items.map((item) => this.#optionsOf(item))));
    app.setBadgeCount(facts.waiting.length);
  }

  close(): void {
    this.#tray.destroy();
  }

  #optionsOf(item: TrayItem): MenuItemConstructorOptions {
    switch (item.kind) {
      case 'line':
        return { type: 'separator' };
      case 'note':
        return { label: item.label, enabled: false };
      case 'route':
        return { label: item.label, click: () => this.#deeds.open(item.route) };
      case 'show':
        return { label: item.label, click: () => this.#deeds.show() };
      default:
        return { label: item.label, click: () => this.#deeds.quit() };
    }
  }
}

/** A Mac colours a template itself, as the bar is; it finds the finer one by its name. */
function iconOf(icon: 'idle' | 'waiting') {
  const mac = process.platform === 'darwin';
  const image = nativeImage.createFromPath(join(iconFolder, mac ? `tray-${icon}Template.png` : `tray-${icon}.png`));
  if (mac) image.setTemplateImage(true);
  return image;
}
