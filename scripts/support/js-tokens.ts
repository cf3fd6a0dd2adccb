/**
 * The tokens of a program in JavaScript, as far as one has to tell them apart to replace names: names, numbers, and marks
 * of one or more characters. Comments, strings and regular expressions are passed over, the code inside `${}` of templates
 * is not. Meant for what the TypeScript compiler emits.
 */
export interface Token {
  readonly text: string;
  /** Of its first character in the source. */
  readonly at: number;
}

const NAME = /[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER = /0[xob][\da-f_]+n?|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?n?/iy;
const MARK =
  />>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--|\*\*|<<|>>|[-+*/%&|^]=|./suy;
const BLANK = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const REGEXP = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y;
/** Up to the end of the template or the next `${`. */
const TEMPLATE_PART = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y;
/** Names after which a slash begins a regular expression, as after a mark. */
const BEFORE_VALUES = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'void',
  'delete',
  'throw',
  'new',
  'await',
  'yield',
  'else',
  'do',
]);

/** @throws SyntaxError when there is something that is no token. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  /** Of each open brace: whether it belongs to a template. */
  const braces: boolean[] = [];
  let at = 0;
  const match = (expression: RegExp): string | undefined => {
    expression.lastIndex = at;
    const text = expression.exec(source)?.[0];
    if (text !== undefined) at += text.length;
    return text;
  };
  const add = (text: string | undefined): boolean => {
    if (text !== undefined) tokens.push({ text, at: at - text.length });
    return text !== undefined;
  };
  const template = (): void => {
    const text = match(TEMPLATE_PART);
    if (text === undefined) throw new SyntaxError(`a template has no end: ${source.slice(at, at + 40)}`);
    if (!text.endsWith('`')) braces.push(true);
    // Stands for the string on either side of the code inside.
    tokens.push({ text: text.endsWith('`') ? '``' : '${', at: at - 2 });
  };
  while (at < source.length) {
    if (match(BLANK) !== undefined) continue;
    const first = source[at]!;
    if (first === '`') {
      at++;
      template();
    } else if (first === '}' && braces.length > 0) {
      at++;
      add('}');
      if (braces.pop()) template();
    } else if (first === "'" || first === '"') {
      if (match(STRING) === undefined)
        throw new SyntaxError(`a string has no end: ${source.slice(at, at + 40)}`);
      tokens.push({ text: "''", at: at - 1 });
    } else if (first === '/' && isValueNext(tokens.at(-1)?.text) && match(REGEXP) !== undefined) {
      tokens.push({ text: "''", at: at - 1 });
    } else if (!add(match(NUMBER)) && !add(match(NAME))) {
      if (!add(match(MARK))) throw new SyntaxError(`no token: ${source.slice(at, at + 40)}`);
      if (first === '{') braces.push(false);
    }
  }
  return tokens;
}

/** Whether a value may come after this token, and not an operator. A regular expression after `)` would be missed. */
function isValueNext(text: string | undefined): boolean {
  if (text === undefined || BEFORE_VALUES.has(text)) return true;
  return !/^[\p{ID_Continue}$#]/u.test(text) && !["''", '``', ')', ']', '}'].includes(text);
}
