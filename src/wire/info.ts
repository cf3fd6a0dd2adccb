/**
 * The info protocol's text: a request is lines of `name`, `name:k=v;k=v`, `name/arg/arg` or `name;`, each
 * ended by a line feed, and the response repeats each line, a tab, the answer and a line feed. The last
 * line feed of a request may be missing. Source: protocol 02, section 1.
 */
const LINE_FEED = 0x0a;
const TAB = 0x09;

/** Commands in one request: clients send up to about ten, and each costs main-thread time. */
export const INFO_LINE_COUNT_MAX = 1024;

/** One command of a request. */
export interface InfoLine {
  /** The line as it came, without its end; a view into the request. */
  readonly bytes: Uint8Array;
  /** Up to the first `:`, `/` or `;`. */
  readonly name: string;
  /** What follows that character; empty when there is none. */
  readonly args: string;
}

/**
 * Cuts a request into its commands. Empty lines are no commands.
 * @param body the request without its protocol header; the lines are views into it.
 * @returns undefined for more than `INFO_LINE_COUNT_MAX` commands.
 */
export function parseInfoRequest(body: Uint8Array): InfoLine[] | undefined {
  const lines: InfoLine[] = [];
  let at = 0;
  while (at < body.length) {
    const lineFeed = body.indexOf(LINE_FEED, at);
    const end = lineFeed === -1 ? body.length : lineFeed;
    if (end > at) {
      if (lines.length === INFO_LINE_COUNT_MAX) return undefined;
      lines.push(parseLine(body.subarray(at, end)));
    }
    at = end + 1;
  }
  return lines;
}

function parseLine(bytes: Uint8Array): InfoLine {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const separator = text.search(/[:/;]/);
  if (separator === -1) return { bytes, name: text, args: '' };
  return { bytes, name: text.slice(0, separator), args: text.slice(separator + 1) };
}

/**
 * The `key=value;key=value` of a command. A value runs to the next `;`, so it may contain `=` and `:`. Of a key
 * given twice the first counts; a part without `=` is a key with an empty value.
 */
export class InfoParams {
  readonly #entries = new Map<string, string>();

  constructor(args: string) {
    for (const part of args.split(';')) {
      if (part === '') continue;
      const equals = part.indexOf('=');
      const key = equals === -1 ? part : part.slice(0, equals);
      if (!this.#entries.has(key)) this.#entries.set(key, equals === -1 ? '' : part.slice(equals + 1));
    }
  }

  get(key: string): string | undefined {
    return this.#entries.get(key);
  }

  /** In the order given. */
  entries(): IterableIterator<[string, string]> {
    return this.#entries.entries();
  }
}

/** An error answer. Code 1, "unknown", is printed as nothing. Source: protocol 02, section 2. */
export function infoError(code: number, message: string): string {
  return `ERROR:${code === 1 ? '' : code}:${message}`;
}

/** Bytes that `line` and its answer take in a response. */
export function infoAnswerSize(line: InfoLine, answer: string): number {
  return line.bytes.length + Buffer.byteLength(answer) + 2;
}

/**
 * Builds a response body; `answers[i]` belongs to `lines[i]`. A line feed inside an answer (a set may be called
 * anything) would look like the end of it, and becomes a space.
 * @returns fresh bytes, owned by the caller.
 */
export function buildInfoResponse(lines: readonly InfoLine[], answers: readonly string[]): Uint8Array {
  const safe = answers.map(answer => (answer.includes('\n') ? answer.replaceAll('\n', ' ') : answer));
  const body = Buffer.allocUnsafe(lines.reduce((size, line, i) => size + infoAnswerSize(line, safe[i]!), 0));
  let at = 0;
  for (const [i, line] of lines.entries()) {
    body.set(line.bytes, at);
    at += line.bytes.length;
    body[at++] = TAB;
    at += body.write(safe[i]!, at);
    body[at++] = LINE_FEED;
  }
  return body;
}
