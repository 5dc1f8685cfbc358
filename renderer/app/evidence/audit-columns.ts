import type { OperationOutput } from '../../../contract/operator-api.ts';
import type { TableColumn } from '../design/virtual-table.tsx';

export type AuditAnswer = OperationOutput<'audit.ask'>;
export type AuditCell = AuditAnswer['rows'][number][string];

/** What a cell says, on one line. */
export function cellText(value: AuditCell | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.join(', ');
  return String(value);
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/;

export function isTime(value: AuditCell | undefined): value is string {
  return typeof value === 'string' && TIME.test(value);
}

const SESSION = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether it leads to a replay. */
export function isSession(column: string, value: AuditCell | undefined): value is string {
  return /^(session|asked_in)$/.test(column) && typeof value === 'string' && SESSION.test(value);
}

/** `on_behalf_of` as people write it. */
export function columnTitle(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

const CHARACTER = 7.2;
const PADDING = 4;
const NARROWEST = 46;
const WIDEST = 460;
const TIME_WIDTH = 120;
const SESSION_WIDTH = 78;
/** Rows that are measured: they say how wide a column has to be. */
const MEASURED = 400;

/** The columns that are shown, each as wide as what stands in it. */
export function tableColumns(answer: Pick<AuditAnswer, 'columns' | 'rows'>, wide: boolean): TableColumn[] {
  const shown = answer.columns.filter((column) => wide || !column.wide);
  return shown.map(({ name, says }) => {
    const title = columnTitle(name);
    let characters = title.length + 1;
    let fixed: number | undefined;
    for (const row of answer.rows.slice(0, MEASURED)) {
      const value = row[name];
      if (isTime(value)) fixed = TIME_WIDTH;
      else if (isSession(name, value)) fixed = SESSION_WIDTH;
      else characters = Math.max(characters, cellText(value).length);
    }
    const width = fixed ?? Math.min(WIDEST, Math.max(NARROWEST, Math.ceil(characters * CHARACTER) + PADDING));
    return { name, title, says, width, grows: fixed === undefined };
  });
}
