import { Menu, type MenuItemConstructorOptions } from 'electron';
import { type MenuDeed, type MenuItem, menuModel, type Platform } from '../look/menu-model.ts';

/** Puts the menus of the model into the app. */
export function setMenus(platform: Platform, inspect: boolean, does: (deed: MenuDeed) => void): void {
  const template = menuModel(platform, { inspect }).map(
    ({ label, role, items }): MenuItemConstructorOptions => ({
      label,
      ...(role === undefined ? {} : { role }),
      submenu: items.map((item) => optionsOf(item, does)),
    }),
  );
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

function optionsOf(item: MenuItem, does: (deed: MenuDeed) => void): MenuItemConstructorOptions {
  if ('line' in item) return { type: 'separator' };
  if ('role' in item) return { role: item.role };
  const { label, accelerator } = item;
  return { label, ...(accelerator === undefined ? {} : { accelerator }), click: () => does(item.does) };
}

export function platformOf(name: NodeJS.Platform): Platform {
  return name === 'linux' || name === 'darwin' || name === 'win32' ? name : 'other';
}
