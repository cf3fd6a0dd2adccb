/**
 * Writes the numbers of constants where their names are used, in the JavaScript that the compiler has emitted. A module's
 * exports are variables to V8, and so are imports: each use is a load from memory, a check that it has been initialised
 * and a check of its type, which the optimising compiler does not leave out. Sources name every number of a format
 * once, in one file, so hot paths are full of them. Measured for a write of a record of 1 KiB by the storage engine: 1.77 µs
 * of processor time without, 1.59 with.
 *
 * Only constants are touched that stand at the top level of a module and are made of numbers, operators and other such
 * constants. Lines stay what they were; the constants themselves stay, for whoever imports them from elsewhere.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Expression, type Identifier, type MemberExpression, type Program, parse } from 'acorn';
import { ancestor, full } from 'acorn-walk';

const HELP = `Usage: node dist/scripts/inline-constants.js FOLDER...
Writes the values of numeric constants where their names are used, in all .js files of the folders, which use one another.
scripts/build does it for what it has compiled.`;

const ALL = '*'; // what `import * as` imports

/** What a name means at the top level of a module: an expression of its own, or what another module exports. */
type Meaning = { readonly expression: Expression } | { readonly exported: string; readonly file: string };

interface Module {
  readonly program: Program;
  readonly source: string;
  /** Of names that mean the same in the whole module. */
  readonly meanings: ReadonlyMap<string, Meaning>;
  /** Names at the top level by those that others import. */
  readonly exports: ReadonlyMap<string, string>;
}

interface Change {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * @param sources By path; what is imported from elsewhere is no constant.
 * @returns Those that have changed.
 * @throws SyntaxError when one is no module.
 */
export function inlineConstants(sources: ReadonlyMap<string, string>): Map<string, string> {
  const modules = new Map([...sources].map(([file, source]) => [file, moduleOf(file, source)]));
  const changed = new Map<string, string>();
  for (const [file, module] of modules) {
    const changes = changesOf(module, modules);
    if (changes.length > 0) changed.set(file, changedText(module.source, changes));
  }
  return changed;
}

function moduleOf(file: string, source: string): Module {
  const program = parse(source, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
  const meanings = new Map<string, Meaning>();
  const exports = new Map<string, string>();
  for (const statement of program.body) {
    if (statement.type === 'ImportDeclaration') {
      const other = path.join(path.dirname(file), String(statement.source.value));
      for (const specifier of statement.specifiers) {
        const exported =
          specifier.type === 'ImportSpecifier'
            ? nameOf(specifier.imported)
            : specifier.type === 'ImportNamespaceSpecifier'
              ? ALL
              : 'default';
        meanings.set(specifier.local.name, { exported, file: other });
      }
      continue;
    }
    const isExport = statement.type === 'ExportNamedDeclaration';
    if (isExport && !statement.source) {
      for (const { local, exported } of statement.specifiers) exports.set(nameOf(exported), nameOf(local));
    }
    const declaration = isExport ? statement.declaration : statement;
    if (declaration?.type !== 'VariableDeclaration' || declaration.kind !== 'const') continue;
    for (const { id, init } of declaration.declarations) {
      if (id.type !== 'Identifier' || !init) continue;
      meanings.set(id.name, { expression: init });
      if (isExport) exports.set(id.name, id.name);
    }
  }
  for (const name of namesDeclaredAgain(program)) meanings.delete(name);
  return { program, source, meanings, exports };
}

function nameOf(name: Identifier | { readonly value?: unknown }): string {
  return 'name' in name ? name.name : String(name.value);
}

/** Names that more than one declaration has, wherever they are: inside, they might mean something else. */
function namesDeclaredAgain(program: Program): Set<string> {
  const known = new Set<string>();
  const again = new Set<string>();
  const declare = (name: string): void => {
    (known.has(name) ? again : known).add(name);
  };
  for (const statement of program.body) {
    if (statement.type !== 'ImportDeclaration') continue;
    for (const { local } of statement.specifiers) declare(local.name);
  }
  // Also of functions, classes and arguments. What is assigned counts, too, but no constant is.
  full(program, (node, _state, type) => {
    if (type === 'VariablePattern') declare((node as Identifier).name);
  });
  return again;
}

/** @returns The number that the expression always has; undefined when there is none. */
function numberOf(
  expression: Expression,
  module: Module,
  modules: ReadonlyMap<string, Module>,
): number | undefined {
  switch (expression.type) {
    case 'Literal':
      return typeof expression.value === 'number' ? expression.value : undefined;
    case 'UnaryExpression':
    case 'BinaryExpression': {
      const { operator } = expression;
      const isUnary = expression.type === 'UnaryExpression';
      if (!(isUnary ? UNARY : BINARY).has(operator)) return undefined;
      const left = isUnary ? 0 : numberOf(expression.left as Expression, module, modules);
      const right = numberOf(isUnary ? expression.argument : expression.right, module, modules);
      if (left === undefined || right === undefined) return undefined;
      return isUnary ? UNARY.get(operator)!(right) : BINARY.get(operator)!(left, right);
    }
    case 'Identifier':
    case 'MemberExpression':
      return constantOf(expression, module, modules);
    default:
      return undefined;
  }
}

const UNARY = new Map<string, (value: number) => number>([
  ['-', value => -value],
  ['+', value => value],
  ['~', value => ~value],
]);
const BINARY = new Map<string, (left: number, right: number) => number>([
  ['+', (left, right) => left + right],
  ['-', (left, right) => left - right],
  ['*', (left, right) => left * right],
  ['/', (left, right) => left / right],
  ['%', (left, right) => left % right],
  ['**', (left, right) => left ** right],
  ['<<', (left, right) => left << right],
  ['>>', (left, right) => left >> right],
  ['>>>', (left, right) => left >>> right],
  ['&', (left, right) => left & right],
  ['|', (left, right) => left | right],
  ['^', (left, right) => left ^ right],
]);

/** @returns The number that a name, or a member of a whole module, stands for; undefined when it is none. */
function constantOf(
  use: Identifier | MemberExpression,
  module: Module,
  modules: ReadonlyMap<string, Module>,
): number | undefined {
  if (use.type === 'Identifier') {
    const meaning = module.meanings.get(use.name);
    if (meaning === undefined) return undefined;
    if ('exported' in meaning) return exportOf(modules.get(meaning.file), meaning.exported, modules);
    const value = numberOf(meaning.expression, module, modules);
    return Number.isFinite(value) && !Object.is(value, -0) ? value : undefined;
  }
  if (use.object.type !== 'Identifier' || use.property.type !== 'Identifier' || use.computed)
    return undefined;
  const meaning = module.meanings.get(use.object.name);
  if (meaning === undefined || !('exported' in meaning) || meaning.exported !== ALL) return undefined;
  return exportOf(modules.get(meaning.file), use.property.name, modules);
}

function exportOf(
  module: Module | undefined,
  exported: string,
  modules: ReadonlyMap<string, Module>,
): number | undefined {
  const name = module?.exports.get(exported);
  if (name === undefined) return undefined;
  return constantOf({ type: 'Identifier', name, start: 0, end: 0 }, module!, modules);
}

function changesOf(module: Module, modules: ReadonlyMap<string, Module>): Change[] {
  const changes: Change[] = [];
  const use = (
    node: Identifier | MemberExpression,
    ancestors: readonly { readonly type: string }[],
  ): void => {
    const value = constantOf(node, module, modules);
    if (value === undefined) return;
    const parent = ancestors.at(-2);
    const isShort = parent?.type === 'Property' && (parent as { shorthand?: boolean }).shorthand === true;
    const isObject = parent?.type === 'MemberExpression' && (parent as MemberExpression).object === node;
    const number = value < 0 || isObject ? `(${value})` : String(value);
    const text = isShort ? `${(node as Identifier).name}: ${number}` : number;
    changes.push({ from: node.start, to: node.end, text });
  };
  ancestor(module.program, {
    Identifier: (node, _state, ancestors) => use(node, ancestors),
    MemberExpression: (node, _state, ancestors) => use(node, ancestors),
  });
  return changes.sort((a, b) => a.from - b.from);
}

function changedText(source: string, changes: readonly Change[]): string {
  let text = '';
  let done = 0;
  for (const { from, to, text: replacement } of changes) {
    text += source.slice(done, from) + replacement;
    done = to;
  }
  return text + source.slice(done);
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (values.help || positionals.length === 0) {
    console.log(HELP);
    process.exit(values.help ? 0 : 2);
  }
  const files = positionals.flatMap(folder =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.js'))
      .map(name => path.join(folder, name)),
  );
  const sources = new Map(files.map(file => [file, readFileSync(file, 'utf8')]));
  for (const [file, text] of inlineConstants(sources)) writeFileSync(file, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
