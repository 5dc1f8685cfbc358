import { contextBridge, ipcRenderer } from 'electron';
import { ASK_CHANNEL, BRIDGE_NAME, EVENT_CHANNEL, type RawBridge } from '../contract/desktop-channels.ts';

// Keep it so small: whatever stands here is the page's. What may be asked is decided in the main process, which checks
// every message; neither `ipcRenderer` nor an event of it gets into the page.
const bridge: RawBridge = {
  ask: (message) => ipcRenderer.invoke(ASK_CHANNEL, message),
  listen: (listener) => {
    const pass = (_event: unknown, event: unknown): void => listener(event);
    ipcRenderer.on(EVENT_CHANNEL, pass);
    return () => void ipcRenderer.off(EVENT_CHANNEL, pass);
  },
};

contextBridge.exposeInMainWorld(BRIDGE_NAME, bridge);
