import { SallyportError } from '../base/errors.ts';
import { Database } from '../store/database.ts';

/** How a reading command is told where the data is. */
export interface DataOptions {
  data?: string;
  config?: string;
}

/** Opens the data for reading, gives it to `use` and closes it whatever happens. */
export async function withData<Result>(options: DataOptions, use: (database: Database) => Promise<Result>): Promise<Result> {
  const database = await Database.openForReading(await dataDirectory(options));
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

/** The data directory that is meant. Throws USAGE when nothing says which. */
export async function dataDirectory(options: DataOptions): Promise<string> {
  if (options.data !== undefined) return options.data;
  if (options.config === undefined) {
    throw new SallyportError('USAGE', 'It is not said which data to read', { remedy: 'add --data DIR, or --config FILE of the gateway' });
  }
  const { loadConfig } = await import('../config.ts');
  return loadConfig(options.config).gateway.data;
}
