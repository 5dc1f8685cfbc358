import { linkToRoute } from '../../../contract/deep-link.ts';
import { BRIDGE_NAME, type RawBridge } from '../../../contract/desktop-channels.ts';
import { Problem } from '../client/problem.ts';
import { Bridge } from './bridge.ts';
import { desktopDoor } from './desktop-door.ts';
import { desktopTransport } from './desktop-transport.ts';
import { type BundleFile, type Host, NoSigningKey, type Signer } from './host.ts';

/** Undefined in a browser. */
export function bridgeOfPreload(): RawBridge | undefined {
  return (globalThis as { readonly [BRIDGE_NAME]?: RawBridge })[BRIDGE_NAME];
}

/** What the menu asks for is what these keys with Ctrl ask for: whichever screen is there knows what to do. */
const menuKeys = { palette: 'k', find: 'f' } as const;

/** In the desktop app: everything goes over the one bridge to the main process. */
export async function desktopHost(raw: RawBridge, press: (key: string) => void = () => undefined): Promise<Host> {
  const bridge = new Bridge(raw);
  bridge.on('command', ({ command }) => press(menuKeys[command]));
  const { demo } = await bridge.ask('app.info', {});
  return {
    kind: 'desktop',
    transport: desktopTransport(bridge),
    signer: desktopSigner(bridge),
    door: desktopDoor(bridge, demo),
    save: async (name, path) => {
      // Nothing saved is no fault: the person has closed the dialog.
      await bridge.ask('file.save', { saving: crypto.randomUUID(), name, path });
    },
    notify: ({ title, body, route, tag }) => void bridge.ask('notify', { title, body, route, tag }),
    onOpened: (listener) => {
      const stops = [
        bridge.on('open.route', ({ route }) => listener({ route })),
        bridge.on('open.file', ({ file: { file, name, size } }) => listener({ bundle: bundleFile(bridge, file, name, size) })),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    copy: async (text) => {
      await bridge.ask('copy', { text });
    },
    linkTo: linkToRoute,
    preferences: {
      read: () => bridge.ask('settings.get', {}),
      change: (change) => bridge.ask('settings.set', change),
      protection: async () => (await bridge.ask('app.info', {})).secrets,
    },
  };
}

function desktopSigner(bridge: Bridge): Signer {
  return {
    key: async () => (await bridge.ask('signer.key', {})).key ?? undefined,
    create: async () => (await bridge.ask('signer.create', {})).key,
    sign: async (statement) => {
      // The main process logs in by itself, and signs challenges for nobody else.
      if (statement.kind === 'login') throw new TypeError('the desktop app logs in with door.keyLogin');
      try {
        return await bridge.ask('signer.sign', { statement });
      } catch (thrown) {
        if (thrown instanceof Problem && thrown.code === 'NOT_FOUND' && (await bridge.ask('signer.key', {})).key === null)
          throw new NoSigningKey();
        throw thrown;
      }
    },
    forget: async () => {
      const { forgotten } = await bridge.ask('signer.forget', {});
      if (!forgotten) throw new Problem(-1, 'NOT_CONFIRMED', 'You said no, and the key is still there.');
    },
  };
}

function bundleFile(bridge: Bridge, file: string, name: string, size: number): BundleFile {
  return {
    name,
    size,
    read: async (at, length) => (await bridge.ask('file.read', { file, at, length })).bytes,
    close: async () => {
      await bridge.ask('file.close', { file });
    },
  };
}
