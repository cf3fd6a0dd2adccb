/**
 * The syntax of aerospike.conf, without any knowledge of what its names mean. A line is one of
 *
 *     name label {        opens a context; the label is absent, a name, a type or a path
 *     name value …        an item; its value is every further word of the line
 *     }                   closes the innermost context
 *
 * and a context may also open, hold items and close on one line. `#` at the start of a word makes the rest
 * of the line a comment. Items keep their line for the messages about them.
 */
import type { ConfigProblem } from './config-error.js';

export interface ConfigItem {
  readonly name: string;
  /** The words after the name, joined by single spaces; empty when there are none. */
  readonly value: string;
  /** 1-based. */
  readonly line: number;
}

export interface ConfigContext {
  readonly name: string;
  /** `test` of `namespace test {`; empty when there is none. */
  readonly label: string;
  /** The line that opens it; 0 for the root. */
  readonly line: number;
  readonly items: ConfigItem[];
  readonly contexts: ConfigContext[];
}

/**
 * Reads a file's text into a tree whose root is an unnamed context.
 * @param problems receives what is wrong with the syntax; parsing goes on after each, to find the others.
 */
export function parseContexts(text: string, problems: ConfigProblem[]): ConfigContext {
  const root = openContext([], 0);
  const open = [root];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, content] of lines.entries()) {
    const line = index + 1;
    let words: string[] = [];
    for (const word of wordsOf(content)) {
      const inside = open[open.length - 1]!;
      if (word === '{') {
        if (words.length === 0) {
          problems.push({
            line,
            path: pathOf(open),
            reason: "a '{' stands on the line of the context it opens",
          });
          words = ['{'];
        }
        const context = openContext(words, line);
        inside.contexts.push(context);
        open.push(context);
        words = [];
      } else if (word === '}') {
        addItem(inside, words, line);
        words = [];
        if (open.length > 1) open.pop();
        else problems.push({ line, path: '', reason: "this '}' closes nothing" });
      } else {
        words.push(word);
      }
    }
    addItem(open[open.length - 1]!, words, line);
  }
  for (const context of open.slice(1)) {
    problems.push({
      line: context.line,
      path: context.name,
      reason: "the '{' of this context is never closed",
    });
  }
  return root;
}

/** The words of one line up to its comment; braces that touch the last word are words of their own. */
function wordsOf(content: string): string[] {
  const words: string[] = [];
  for (const word of content.trim().split(/\s+/)) {
    if (word.startsWith('#')) break;
    const braces = /^(.*?)([{}]+)$/.exec(word);
    if (braces === null) {
      if (word !== '') words.push(word);
      continue;
    }
    if (braces[1] !== '') words.push(braces[1]!);
    words.push(...braces[2]!);
  }
  return words;
}

function openContext([name = '', ...label]: string[], line: number): ConfigContext {
  return { name, label: label.join(' '), line, items: [], contexts: [] };
}

function addItem(context: ConfigContext, [name, ...value]: string[], line: number): void {
  if (name !== undefined) context.items.push({ name, value: value.join(' '), line });
}

/** Dotted path of the innermost open context. */
function pathOf(open: readonly ConfigContext[]): string {
  return open
    .slice(1)
    .map(context => context.name)
    .join('.');
}
