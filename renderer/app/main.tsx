import './without-eval.ts';
import '@fontsource-variable/inter';
import '@fontsource/jetbrains-mono/400.css';
import '@fontsource/jetbrains-mono/700.css';
import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './design/tokens.css';
import './design/mantine.css';
import './design/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { browserHost } from './host/browser-host.ts';
import { bridgeOfPreload, desktopHost } from './host/desktop-host.ts';

const place = document.getElementById('app');
if (place === null) throw new TypeError('the page has no place for the app');
const press = (key: string) => void window.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey: true, cancelable: true }));
const bridge = bridgeOfPreload();
const host = bridge === undefined ? browserHost() : await desktopHost(bridge, press);
createRoot(place).render(
  <StrictMode>
    <App host={host} />
  </StrictMode>,
);
