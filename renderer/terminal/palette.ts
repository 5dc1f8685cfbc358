/** The sixteen basic colours, legible on the terminal's dark ground; the same in light and dark. */
const BASIC = [
  '#2b323c',
  '#e8706c',
  '#62c08d',
  '#dcb25e',
  '#6ea8f5',
  '#b791f0',
  '#52bdb4',
  '#c6cfda',
  '#66717f',
  '#f5928d',
  '#86d8a8',
  '#efcd84',
  '#93c1fb',
  '#cdb0f8',
  '#7ad6ce',
  '#f2f5f8',
] as const;

/** The six levels of the 6×6×6 cube, as xterm defines them. */
const LEVELS = [0, 95, 135, 175, 215, 255] as const;

/** A CSS colour of a palette index (0 to 255) or of 24 bits of RGB. */
export function xtermColour(value: number, rgb: boolean, bold: boolean): string {
  if (rgb) return `#${(value & 0xffffff).toString(16).padStart(6, '0')}`;
  if (value < 16) return BASIC[bold && value < 8 ? value + 8 : value] ?? BASIC[7];
  if (value >= 232) {
    const grey = 8 + (Math.min(value, 255) - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const index = value - 16;
  const level = (part: number) => LEVELS[part % 6] ?? 0;
  return `rgb(${level(Math.floor(index / 36))} ${level(Math.floor(index / 6))} ${level(index)})`;
}
