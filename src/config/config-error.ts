/**
 * Mistakes in a configuration file. All of a file's mistakes are found before any is reported, so that
 * an operator mends them in one go.
 */
export interface ConfigProblem {
  /** 1-based line in the file, 0 for the file as a whole. */
  readonly line: number;
  /** Dotted, as an operator would write it: `namespace.test.storage-engine.filesize`. */
  readonly path: string;
  /** What is wrong, what is accepted and, where we know it, the cure. */
  readonly reason: string;
}

/** A configuration we refuse to start with. The message holds one line a problem, as `FILE:LINE: path: reason`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const ordered = [...problems].sort((a, b) => a.line - b.line);
    super(ordered.map(problem => describeProblem(file, problem)).join('\n'), options);
    this.file = file;
    this.problems = ordered;
  }
}

/** Where a problem or warning is: `FILE:LINE: path: reason`, the line left out when it concerns the whole file. */
export function describeProblem(file: string, { line, path, reason }: ConfigProblem): string {
  const place = line > 0 ? `${file}:${line}` : file;
  return path === '' ? `${place}: ${reason}` : `${place}: ${path}: ${reason}`;
}

const SUGGESTION_DISTANCE_MAX = 3; // edits

/**
 * Says which names are accepted instead of a wrong one: the closest when it is near, else all of them.
 * @param names what would have been accepted there; not changed.
 */
export function acceptedNames(wrong: string, names: readonly string[]): string {
  let closest = '';
  let least = Math.min(SUGGESTION_DISTANCE_MAX, Math.ceil(wrong.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(wrong.toLowerCase(), name);
    if (distance < least) [closest, least] = [name, distance];
  }
  if (closest !== '') return `did you mean ${closest}?`;
  return names.length === 0 ? 'nothing is accepted here' : `accepted: ${names.join(', ')}`;
}

/** Least number of single-character insertions, deletions and replacements from one word to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
