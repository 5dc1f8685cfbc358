import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findFaults, isProductFolder, partOf, type Source } from './architecture/import-rules.ts';

const root = join(import.meta.dirname, '..');
const notSource = new Set(['node_modules', 'dist', 'data', 'coverage']);

/** Every module in the checkout, wherever it stands: a new folder must not escape the rules by being new. */
function readSources(folder: string): Source[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith('.') || notSource.has(entry.name) ? [] : readSources(path);
    if (!/\.[cm]?[jt]sx?$/.test(entry.name)) return [];
    return [{ path: relative(root, path).split(sep).join('/'), text: readFileSync(path, 'utf8') }];
  });
}

function faultsOf(path: string, text: string): string[] {
  return findFaults([{ path, text }]);
}

describe('the source', () => {
  const sources = readSources(root);

  it('is read from every folder that has some', () => {
    const folders = new Set(sources.map((source) => source.path.split('/')[0]));
    expect([...folders].filter((folder) => folder !== undefined && isProductFolder(folder))).toEqual(
      expect.arrayContaining(['contract', 'gateway']),
    );
    expect(sources.length).toBeGreaterThan(20);
  });

  it('imports only what the architecture allows', () => {
    expect(findFaults(sources)).toEqual([]);
  });
});

describe('the checker refuses', () => {
  const forbidden: [path: string, text: string, fault: RegExp][] = [
    ['contract/record.ts', "import { join } from 'node:path';", /contract runs where Node's modules do not exist/],
    ['contract/record.ts', "import canonicalize from 'canonicalize';", /may import only zod/],
    ['contract/record.ts', "import type { Config } from '../gateway/config.ts';", /contract may not import config/],
    ['contract/frame-codec.ts', "import { z } from 'zod';", /may import no package/],
    ['contract/frame-codec.ts', "import type { Actor } from './record.ts';", /frame-codec may not import contract/],
    ['renderer/screens/list.tsx', "import { app } from 'electron';", /only home is electron/],
    ['renderer/screens/list.tsx', "import { bridge } from '../../electron/bridge.ts';", /renderer may not import electron/],
    ['renderer/screens/list.tsx', "import type { Log } from '../../gateway/base/log.ts';", /renderer may not import base/],
    ['renderer/main.ts', "import fs from 'fs';", /Node's modules do not exist/],
    ['electron/main.ts', "import { serve } from '../gateway/serve.ts';", /electron may not import serve/],
    ['gateway/base/ids.ts', "import { Records } from '../ledger/records.ts';", /base may not import ledger/],
    ['gateway/policy/decide.ts', "import type { Principal } from '../identity/principal.ts';", /policy may not import identity/],
    ['gateway/identity/identify.ts', "import { decide } from '../policy/decide.ts';", /identity may not import policy/],
    ['gateway/approval/inbox.ts', "import { Records } from '../ledger/records.ts';", /approval may not import ledger/],
    ['gateway/ledger/records.ts', "import { Database } from '../store/database.ts';", /ledger may not import store/],
    ['gateway/recording/recorder.ts', "import { relay } from '../relay/relay.ts';", /recording may not import relay/],
    ['gateway/relay/relay.ts', "import { Records } from '../ledger/records.ts';", /relay may not import ledger/],
    ['gateway/session/run-session.ts', "import { x } from '../protocol/ssh/ssh-target.ts';", /session may not import protocol\/ssh/],
    ['gateway/session/run-session.ts', "import { Database } from '../store/database.ts';", /session may not import store/],
    ['gateway/protocol/ssh/listener.ts', "import { x } from '../mysql/packet.ts';", /protocol\/ssh may not import protocol\/mysql/],
    ['gateway/protocol/listener.ts', "import { x } from './ssh/listener.ts';", /protocol may not import protocol\/ssh/],
    ['gateway/protocol/ssh/listener.ts', "import { decide } from '../../policy/decide.ts';", /protocol\/ssh may not import policy/],
    ['gateway/store/records-table.ts', "import { Records } from '../ledger/records.ts';", /may not import anything but types from ledger/],
    [
      'gateway/store/records-table.ts',
      "import { type Records } from '../ledger/records.ts';",
      /may not import anything but types from ledger/,
    ],
    ['gateway/store/records-table.ts', "import type { Find } from '../query/find.ts';", /store may not import query/],
    ['gateway/query/find.ts', "import { LiveSessions } from '../session/live-sessions.ts';", /query may not import session/],
    [
      'gateway/operator-api/server.ts',
      "import { Database } from '../store/database.ts';",
      /operator-api may not import anything but types from store/,
    ],
    ['gateway/config.ts', "import { serve } from './serve.ts';", /config may not import serve/],
    ['gateway/main.ts', "import { serve } from './serve.ts';", /main may not import serve/],
    ['gateway/serve.ts', "import { demo } from './commands/demo.ts';", /serve may not import commands/],
    ['gateway/session/run-session.ts', "import ssh2 from 'ssh2';", /only home is protocol\/ssh/],
    ['gateway/session/run-session.ts', "import type { Client } from 'ssh2';", /only home is protocol\/ssh/],
    ['gateway/relay/relay.ts', "import utils from 'ssh2/lib/protocol/utils.js';", /only home is protocol\/ssh/],
    ['gateway/commands/demo.ts', "import { spawn } from 'node-pty';", /only home is protocol\/ssh/],
    ['gateway/query/find.ts', "import sqlite3 from 'sqlite3';", /only home is store/],
    ['gateway/commands/sessions.ts', "import { DatabaseSync } from 'node:sqlite';", /only home is store/],
    ['gateway/commands/demo.ts', "import { spawn } from 'node:child_process';", /only home is protocol\/mcp/],
    ['gateway/protocol/ssh/listener.ts', "import { spawn } from 'child_process';", /only home is protocol\/mcp/],
    ['gateway/serve.ts', "const { fork } = await import('node:child_process');", /only home is protocol\/mcp/],
    ['gateway/serve.ts', "export { exec } from 'node:child_process';", /only home is protocol\/mcp/],
    ['gateway/serve.ts', 'const { exec } = require(`child_process`);', /only home is protocol\/mcp/],
    ['gateway/serve.ts', "import child = require('child_process');", /only home is protocol\/mcp/],
    ['gateway/relay/relay.ts', "type Decision = import('../policy/decide.ts').Decision;", /relay may not import policy/],
    ['gateway/serve.ts', 'const module = await import(name);', /an import whose name is computed/],
    ['gateway/serve.ts', "process.getBuiltinModule('node:child_process');", /getBuiltinModule, which loads modules unseen/],
    ['gateway/serve.ts', "import { createRequire } from 'node:module';", /createRequire, which loads modules unseen/],
    ['gateway/serve.ts', "import x from '/etc/x.js';", /neither a package nor a relative path/],
    ['gateway/serve.ts', "import x from '../helpers/x.ts';", /a place that the table does not know/],
    ['gateway/serve.ts', "import { wait } from '../test/support/wait.ts';", /serve may not import test/],
    ['gateway/utils/strings.ts', '', /stands in a place that the table of .* does not know/],
    ['gateway/protocol/ftp/listener.ts', '', /stands in a place/],
    ['gateway/protocol/config/listener.ts', '', /stands in a place/],
    ['gateway/contract/record.ts', '', /stands in a place/],
    ['gateway/everything.ts', '', /stands in a place/],
    ['tools/x.ts', '', /stands in a place/],
    ['index.ts', '', /stands in a place/],
  ];

  it.each(forbidden)('%s with %s', (path, text, fault) => {
    expect(faultsOf(path, text)).toEqual([expect.stringMatching(fault)]);
  });
});

describe('the checker lets pass', () => {
  const allowed: [path: string, text: string][] = [
    ['gateway/serve.ts', "// import { spawn } from 'node:child_process';\n/* import ssh2 from 'ssh2' */"],
    ['gateway/serve.ts', "const text = \"import { spawn } from 'node:child_process';\";\nconst more = `require('sqlite3')`;"],
    ['contract/approval.ts', "import { z } from 'zod';\nimport type { Actor } from './record.ts';"],
    [
      'electron/main.ts',
      "import { app } from 'electron';\nimport { fork } from 'node:child_process';\nimport { x } from '../contract/operator-api.ts';",
    ],
    ['renderer/main.tsx', "import { createRoot } from 'react-dom/client';\nimport { decode } from '../contract/frame-codec.ts';"],
    ['gateway/base/clock.ts', "import type { ErrorCode } from '../../contract/error-codes.ts';"],
    ['gateway/store/records-table.ts', "import sqlite3 from 'sqlite3';\nimport type { StoredRecord } from '../ledger/records.ts';"],
    ['gateway/store/records-table.ts', "export type { StoredRecord } from '../ledger/records.ts';"],
    ['gateway/protocol/ssh/listener.ts', "import ssh2 from 'ssh2';\nimport pty from 'node-pty';\nimport { x } from '../listener.ts';"],
    ['gateway/protocol/mcp/stdio-server.ts', "import { spawn } from 'node:child_process';"],
    [
      'gateway/session/run-session.ts',
      "import { decide } from '../policy/decide.ts';\nimport { identify } from '../identity/identify.ts';",
    ],
    ['gateway/commands/sessions.ts', "import { Database } from '../store/database.ts';\nimport { findSessions } from '../query/find.ts';"],
    ['gateway/config/types.ts', "import type { Principal } from '../identity/principal.ts';"],
    ['test/store/records.test.ts', "import sqlite3 from 'sqlite3';\nimport { spawn } from 'node:child_process';"],
  ];

  it.each(allowed)('%s with %s', (path, text) => {
    expect(faultsOf(path, text)).toEqual([]);
  });

  it('files of one part that import each other', () => {
    expect(partOf('gateway/recording/sealer/worker.ts')).toBe('recording');
    expect(faultsOf('gateway/recording/sealer/worker.ts', "import { x } from '../journal.ts';")).toEqual([]);
  });
});
