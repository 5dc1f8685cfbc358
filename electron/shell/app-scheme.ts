import { protocol } from 'electron';
import { answerPage } from '../page/app-files.ts';
import { APP_SCHEME } from '../page/app-origin.ts';

/** Before the app is ready: a scheme with an origin, which nothing else on this machine can claim. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

export function serveAppScheme(folder: string): void {
  protocol.handle(APP_SCHEME, async ({ method, url }) => {
    const { status, headers, body } = await answerPage(folder, method, url);
    return new Response(method === 'HEAD' ? null : body, { status, headers });
  });
}
