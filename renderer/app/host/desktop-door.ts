import { Problem } from '../client/problem.ts';
import type { Bridge } from './bridge.ts';
import type { DesktopDoor, HostDoor, KnownGateway } from './host.ts';

/** Gateways, log-in and log-out in the desktop app. Tokens stay in the main process. */
export function desktopDoor(bridge: Bridge, demo: boolean): HostDoor & { readonly desktop: DesktopDoor } {
  return {
    gateways: async (): Promise<readonly KnownGateway[]> => (await bridge.ask('gateways.list', {})).gateways,
    // In the system's browser, which comes back to the app and not to a route.
    providerLogin: async () => {
      await bridge.ask('login.provider', {});
    },
    codeLogin: async (code) => {
      await bridge.ask('login.code', { code });
    },
    keyLogin: async (operator) => {
      await bridge.ask('login.key', { operator });
    },
    logOut: async () => {
      await bridge.ask('login.out', {});
    },
    takeCode: () => undefined,
    desktop: {
      look: (address) => bridge.ask('gateways.look', { address }),
      trust: async (origin, fingerprint, name) => {
        const { gateway } = await bridge.ask('gateways.trust', { origin, fingerprint, name });
        if (gateway === null) throw new Problem(-1, 'NOT_CONFIRMED', 'You said no, and the certificate is not trusted.');
        await bridge.ask('gateways.use', { id: gateway.id });
      },
      use: async (id) => {
        await bridge.ask('gateways.use', { id });
      },
      remove: async (id) => {
        await bridge.ask('gateways.remove', { id });
      },
      ...(demo
        ? {
            startDemo: async () => {
              await bridge.ask('demo.start', {});
            },
          }
        : {}),
    },
  };
}
