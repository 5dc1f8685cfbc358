const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
const LONGEST = 200;

/** A name that a page proposes, as one that every file system has: no folders, nothing hidden, nothing that is a device. */
export function safeFileName(proposed: string): string {
  const last = proposed.split(/[/\\]/).at(-1) ?? '';
  const plain = last
    .replace(/[\p{C}<>:"|?*]/gu, '')
    .replace(/^[\s.]+|[\s.]+$/g, '')
    .slice(0, LONGEST);
  return plain === '' || RESERVED.test(plain) ? `sallyport-${plain}`.replace(/-$/, '') : plain;
}
