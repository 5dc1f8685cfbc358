/**
 * Of every file of the console, scripts too: a worker is bound by the policy of its own script's answer. `'self'` covers
 * `wss:` of this very host (CSP3 section 6.7.2.8, "scheme-part match"). Nothing that a page of somebody else could put in here runs.
 */
export const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** What a console has no use for, it cannot be made to do. Copying a command and a full screen are its own. */
const DENIED = [
  'accelerometer',
  'autoplay',
  'browsing-topics',
  'camera',
  'clipboard-read',
  'display-capture',
  'encrypted-media',
  'gamepad',
  'geolocation',
  'gyroscope',
  'hid',
  'identity-credentials-get',
  'idle-detection',
  'local-fonts',
  'magnetometer',
  'microphone',
  'midi',
  'otp-credentials',
  'payment',
  'picture-in-picture',
  'publickey-credentials-create',
  'publickey-credentials-get',
  'screen-wake-lock',
  'serial',
  'storage-access',
  'usb',
  'window-management',
  'xr-spatial-tracking',
];

export const consoleHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': CONSOLE_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'permissions-policy': [...DENIED.map((feature) => `${feature}=()`), 'clipboard-write=(self)', 'fullscreen=(self)'].join(', '),
  'x-frame-options': 'DENY',
};

/**
 * A host without a port is one whose own HTTPS this is: nobody may lead its visitors to HTTP any more (RFC 6797). On
 * another port the rule would be for whatever else the host serves. Browsers keep no such rule under a certificate that
 * they do not trust, nor for an address.
 */
export function strictTransport(host: string | undefined): Readonly<Record<string, string>> {
  return host === undefined || /:\d+$/.test(host) ? {} : { 'strict-transport-security': 'max-age=31536000' };
}
