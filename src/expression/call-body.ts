/** The body of a call, an operation as clients write it: where its arguments are. Source: protocol 16, section 4. */
import * as msgpack from '../data/msgpack/element.js';
import { type ExpressionReader, INVALID } from './expression-reader.js';

const CONTEXT_CALL = 0xff;
const PATH_CALL = 0xfe;

/**
 * Steps into the body of a call, behind its op code, through the context that may be around it. A path is stepped
 * over: nothing of it is computed here.
 * @returns How many arguments follow, or INVALID.
 */
export function enterBody(reader: ExpressionReader): number {
  const { element } = reader;
  const at = reader.from;
  if (reader.next() !== msgpack.LIST || element.count === 0) return INVALID;
  const { count } = element;
  if (reader.next() !== msgpack.INT || element.high !== 0) return INVALID;
  if (element.low === PATH_CALL) {
    reader.from = reader.endOf(at);
    return 0;
  }
  if (element.low !== CONTEXT_CALL) return count - 1;
  if (count !== 3) return INVALID;
  reader.from = reader.endOf(reader.from);
  if (reader.next() !== msgpack.LIST || element.count === 0) return INVALID;
  const inner = element.count;
  reader.from = reader.endOf(reader.from);
  return inner - 1;
}

/** @returns How many of the next `count` elements are lists; none of them is stepped over. */
export function countLists(reader: ExpressionReader, count: number): number {
  const { element } = reader;
  let lists = 0;
  let at = reader.from;
  for (let k = 0; k < count; k++) {
    element.read(reader.bytes, at, reader.end);
    if (element.type === msgpack.LIST) lists++;
    at = reader.endOf(at);
  }
  return lists;
}
