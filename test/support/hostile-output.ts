/**
 * What a target sends that wants to reach the terminal of whoever reviews the session, or to keep the gateway busy
 * for ever. Each trick with a name, as bytes.
 */
export function hostileOutput(): { name: string; bytes: Buffer }[] {
  const huge = String(2 ** 31 - 1);
  const osc = (text: string) => `\x1b]${text}\x07\x1b]${text}\x1b\\\u009d${text}\u009c`;
  const dcs = (text: string) => `\x1bP${text}\x1b\\\u0090${text}\u009c`;
  const csi = (text: string) => `\x1b[${text}\u009b${text}`;
  const tricks: [name: string, output: string | Buffer][] = [
    ['titles', ['0;OWNED', '1;OWNED', '2;OWNED', 'lOWNED', 'LOWNED'].map(osc).join('')],
    ['links', osc('8;id=1;https://evil.example/OWNED') + Array.from({ length: 3000 }, (_, at) => osc(`8;;file:///OWNED/${at}`)).join('x')],
    ['the clipboard', osc('52;c;T1dORUQ=') + osc('52;p;?') + osc('5522;type=read')],
    [
      'colours of the palette',
      Array.from({ length: 256 }, (_, at) => osc(`4;${at};rgb:00/00/00`)).join('') + osc('10;#000000') + osc('11;#000000') + osc('104'),
    ],
    [
      'commands of some terminals',
      [
        '9;OWNED',
        '777;notify;OWNED;OWNED',
        '1337;File=inline=1:T1dORUQ=',
        '133;A',
        '7;file:///OWNED',
        '99;;OWNED',
        '50;OWNED',
        '51;AOWNED',
        '3;OWNED=1',
      ]
        .map(osc)
        .join(''),
    ],
    [
      'questions',
      `${[
        'c',
        '0c',
        '>c',
        '=c',
        '>q',
        '5n',
        '6n',
        '?6n',
        '?15n',
        'x',
        '1x',
        '18t',
        '21t',
        '20t',
        '14t',
        '?1$p',
        '4$p',
        '?u',
        '?996n',
        '1;1;1;1;1;1*y',
        '&u',
        '?2026$p',
      ]
        .map(csi)
        .join('')}\x05\x1bZ\u009a`,
    ],
    [
      'questions in strings',
      ['$qm', '$q"p', '$qr', '+q544e', '=1s', '1$r0m', '>|OWNED', '@kOWNED', '+p544e'].map(dcs).join('') +
        osc('4;1;?') +
        osc('10;?') +
        osc('11;?') +
        osc('12;?'),
    ],
    ['orders to the window', ['8;1;1t', '3;0;0t', '2t', '9;1t', '10;1t', '22;0t', '23;0t', '5i', '4i', '?5i'].map(csi).join('')],
    [
      'keyboards and mice',
      [
        '?1000h',
        '?1003h',
        '?1006h',
        '?1016h',
        '?1004h',
        '?2004h',
        '?9h',
        '>4;2m',
        '>1u',
        '=31u',
        '?66h',
        '?1h',
        '?2048h',
        '?9001h',
        '20h',
        '2h',
        '12h',
      ]
        .map(csi)
        .join(''),
    ],
    [
      'other character sets and modes',
      '\x1b(0\x0e\x1b)0\x1bn\x1b%@\x1b%G\x1b F\x1b G\x1b#3\x1b#6\x1bc\x1b[?3h\x1b[?5h\x1b[?69h\x1b[61"p\x1b[1;2;3"v\x1b>\x1b=\x1b[?1049h\x1b[?1049l',
    ],
    ['strings that nobody reads', '\x1b_OWNED\x1b\\\x1b^OWNED\x1b\\\x1bXOWNED\x1b\\\u009fOWNED\u009c\u009eOWNED\u009c\u0098OWNED\u009c'],
    ['single bytes of C1', Buffer.from('9d323b4f574e454407 9b6e 9b63 9035 9c 85 8d 9f4f574e45449c 84 88 9a'.replaceAll(' ', ''), 'hex')],
    [
      'text that turns round or joins',
      '\u202egnp.exe\u202c\u2066\u2067x\u2069\u200f\u061c\ufff9a\ufffab\ufffb\u2028\u2029\ufeff\u{e0041}\u{e007f}\u180e',
    ],
    [
      'counts of two thousand millions',
      [...'@ILMPSTXZbABCDEFG`ade']
        .map((final) => `x\x1b[${huge}${final}`)
        .join('')
        .repeat(10),
    ],
    ['places out of this world', `\x1b[${huge};${huge}H\x1b[${huge};${huge}r\x1b[${huge}d\x1b[0;0r`],
    ['endless parameters', `\x1b[${'1;'.repeat(150_000)}m\x1b[${'38:2:'.repeat(50_000)}m\x1b[${'9'.repeat(100_000)}A`],
    ['whole screens', '\x1b[2J\x1b#8'.repeat(4000)],
    ['other screens', '\x1b[?1049h\x1b[?1049l\x1b[?47h\x1b[?47l'.repeat(5000)],
    [
      'images',
      `\x1bPq${'"1;1;9999;9999#0;2;0;0;0#1~~@@vv!99999~-'.repeat(30_000)}\x1b\\\x1b_Ga=T,f=24,s=9999,v=9999;${'AAAA'.repeat(50_000)}\x1b\\`,
    ],
    ['combining characters without end', `a${'\u0301'.repeat(400_000)}`],
    ['a title of megabytes', `\x1b]2;${'OWNED'.repeat(200_000)}\x07`],
    ['a command that does not end', `\x1b]52;c;${'T1dORUQ='.repeat(100_000)}`],
  ];
  return tricks.map(([name, output]) => ({ name, bytes: Buffer.isBuffer(output) ? output : Buffer.from(output) }));
}
