import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import { BundleProvider } from './bundle/bundle-context.tsx';
import { newQueryClient } from './client/queries.ts';
import { theme } from './design/theme.ts';
import { Boundary } from './frame/boundary.tsx';
import { Frame } from './frame/frame.tsx';
import { Gate } from './frame/gate.tsx';
import type { Host } from './host/host.ts';
import { HostProvider } from './host/host-context.tsx';
import { KeyProvider } from './keyboard/use-keys.tsx';

export function App({ host }: { host: Host }) {
  const [client] = useState(newQueryClient);
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <Notifications position="bottom-right" limit={4} />
      <Boundary>
        <HostProvider host={host}>
          <QueryClientProvider client={client}>
            <KeyProvider>
              <BundleProvider>
                <Gate>
                  <Frame />
                </Gate>
              </BundleProvider>
            </KeyProvider>
          </QueryClientProvider>
        </HostProvider>
      </Boundary>
    </MantineProvider>
  );
}
