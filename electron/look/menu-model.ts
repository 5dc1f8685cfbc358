export type Platform = 'linux' | 'darwin' | 'win32' | 'other';

/** What an item of ours does. */
export type MenuDeed = { readonly route: string } | { readonly command: 'palette' | 'find' } | { readonly deed: 'open-bundle' | 'about' };

/** Parts of a menu that the platform knows itself. */
export type MenuRole =
  | 'about'
  | 'services'
  | 'hide'
  | 'hideOthers'
  | 'unhide'
  | 'quit'
  | 'undo'
  | 'redo'
  | 'cut'
  | 'copy'
  | 'paste'
  | 'selectAll'
  | 'resetZoom'
  | 'zoomIn'
  | 'zoomOut'
  | 'togglefullscreen'
  | 'toggleDevTools'
  | 'reload'
  | 'minimize'
  | 'zoom'
  | 'close'
  | 'front';

export type MenuItem =
  | { readonly role: MenuRole }
  | { readonly line: true }
  | { readonly label: string; readonly accelerator?: string; readonly does: MenuDeed };

export interface Menu {
  readonly label: string;
  /** The platform's own: it adds to these what belongs there. */
  readonly role?: 'window' | 'help';
  readonly items: readonly MenuItem[];
}

const line: MenuItem = { line: true };
const roles = (...names: readonly MenuRole[]): MenuItem[] => names.map((role) => ({ role }));

/** Menus as each platform's people expect them. Accelerators are those that the page does not take itself. */
export function menuModel(platform: Platform, { inspect }: { readonly inspect: boolean }): Menu[] {
  const mac = platform === 'darwin';
  const settings: MenuItem = { label: 'Settings…', accelerator: 'CmdOrCtrl+,', does: { route: '/settings' } };
  const bundle: MenuItem = { label: 'Open Bundle…', accelerator: 'CmdOrCtrl+O', does: { deed: 'open-bundle' } };
  const menus: Menu[] = [];
  if (mac) {
    menus.push({
      label: 'Sallyport',
      items: [
        ...roles('about'),
        line,
        settings,
        line,
        ...roles('services'),
        line,
        ...roles('hide', 'hideOthers', 'unhide'),
        line,
        ...roles('quit'),
      ],
    });
  }
  menus.push({
    label: mac ? 'File' : '&File',
    items: mac ? [bundle, line, ...roles('close')] : [bundle, line, settings, line, ...roles('quit')],
  });
  menus.push({
    label: mac ? 'Edit' : '&Edit',
    items: [
      ...roles('undo', 'redo'),
      line,
      ...roles('cut', 'copy', 'paste', 'selectAll'),
      line,
      { label: 'Find…', accelerator: 'CmdOrCtrl+F', does: { command: 'find' } },
    ],
  });
  menus.push({
    label: mac ? 'View' : '&View',
    items: [
      { label: 'Command Palette…', accelerator: 'CmdOrCtrl+K', does: { command: 'palette' } },
      line,
      ...places.map(({ label, route }, index): MenuItem => ({ label, accelerator: `CmdOrCtrl+${index + 1}`, does: { route } })),
      line,
      ...roles('resetZoom', 'zoomIn', 'zoomOut', 'togglefullscreen'),
      ...(inspect ? [line, ...roles('reload', 'toggleDevTools')] : []),
    ],
  });
  menus.push({
    label: mac ? 'Window' : '&Window',
    role: 'window',
    items: roles('minimize', ...(mac ? (['zoom', 'front'] as const) : (['close'] as const))),
  });
  if (!mac) menus.push({ label: '&Help', role: 'help', items: [{ label: 'About Sallyport', does: { deed: 'about' } }] });
  return menus;
}

const places = [
  { label: 'Live', route: '/live' },
  { label: 'Approvals', route: '/approvals' },
  { label: 'Sessions', route: '/sessions' },
  { label: 'Search', route: '/search' },
  { label: 'Evidence', route: '/evidence' },
] as const;
