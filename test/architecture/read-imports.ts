import { parseSync, Visitor } from 'oxc-parser';

export interface SourceImport {
  specifier: string;
  /** Erased before the program runs. `import { type A } from` is not: under `verbatimModuleSyntax` the module still loads. */
  typeOnly: boolean;
  line: number;
}

/** Something that loads a module whose name cannot be read from the source. */
export interface HiddenImport {
  what: string;
  line: number;
}

/** Every way in which a module can name another: static, re-exported, dynamic, `require`, and types by `import('x').T`. */
export function readImports(path: string, text: string): { imports: SourceImport[]; hidden: HiddenImport[] } {
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new SyntaxError(`${path}: ${error.message}`);

  const imports: SourceImport[] = [];
  const hidden: HiddenImport[] = [];
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length;

  const add = (node: { start: number }, specifier: string | undefined, typeOnly: boolean) => {
    const line = lineOf(node.start);
    if (specifier === undefined) hidden.push({ what: 'an import whose name is computed', line });
    else imports.push({ specifier, typeOnly, line });
  };

  new Visitor({
    ImportDeclaration: (node) => add(node, node.source.value, node.importKind === 'type'),
    ExportAllDeclaration: (node) => add(node, node.source.value, node.exportKind === 'type'),
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) add(node, node.source.value, node.exportKind === 'type');
    },
    ImportExpression: (node) => add(node, literalText(node.source), false),
    TSImportType: (node) => add(node, node.source.value, true),
    TSExternalModuleReference: (node) => add(node, literalText(node.expression), false),
    CallExpression: (node) => {
      if (node.callee.type === 'Identifier' && node.callee.name === 'require') add(node, literalText(node.arguments[0]), false);
    },
    Identifier: (node) => {
      const line = lineOf(node.start);
      const seen = hidden.some((other) => other.line === line);
      if (hidingNames.has(node.name) && !seen) hidden.push({ what: `${node.name}, which loads modules unseen`, line });
    },
  }).visit(program);

  return { imports, hidden };
}

const hidingNames = new Set(['createRequire', 'getBuiltinModule', 'dlopen']);

function literalText(node: object | undefined): string | undefined {
  if (node === undefined || !('type' in node)) return undefined;
  if (node.type === 'Literal' && 'value' in node && typeof node.value === 'string') return node.value;
  if (node.type === 'TemplateLiteral' && 'quasis' in node && Array.isArray(node.quasis) && node.quasis.length === 1) {
    const [only] = node.quasis as { value: { cooked: string | null } }[];
    return only?.value.cooked ?? undefined;
  }
  return undefined;
}
