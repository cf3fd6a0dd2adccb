/**
 * Selecting from a nested list or map by a path, and modifying what a path leads to. Source: protocol 13, section 4.
 */
import { copyBytes } from '../base/copy.js';
import { INCOMPATIBLE_TYPE, OK, PARAMETER } from '../base/result.js';
import { operateCdt } from '../data/cdt/operate.js';
import { Element, INT, LIST as LIST_ELEMENT, MAP as MAP_ELEMENT } from '../data/msgpack/element.js';
import { LIST, MAP, NULL } from '../data/type.js';
import type { ValueOp } from '../data/value-op.js';
import type { Machine } from './machine.js';
import { apply } from './path-apply.js';
import { MODE_APPLY, MODE_KEYS, MODE_KEYS_AND_VALUES, MODE_TREE, PATH } from './path-item.js';
import { PathWalk, setEntry, TAKEN } from './path-walk.js';

const element = new Element();
/** One for each depth of paths in expressions of paths. */
const walks: PathWalk[] = [];
let walkCount = 0;

/**
 * Runs any operation on a list or map: on one value of it, or by a path through it.
 * @param m evaluates the expressions in a path. @returns OK or a result code; see `Operate`.
 */
export function operateCollectionOn(m: Machine, op: ValueOp): number {
  return isPath(op) ? operatePath(m, op) : operateCdt(op);
}

function isPath(op: ValueOp): boolean {
  const next = element.read(op.bytes, op.at, op.end);
  if (next < 0 || element.type !== LIST_ELEMENT || element.count === 0) return false;
  element.read(op.bytes, next, op.end);
  return element.type === (INT as number) && element.high === 0 && element.low === PATH;
}

function operatePath(m: Machine, op: ValueOp): number {
  op.begin();
  let walk = walks[walkCount];
  if (walk === undefined) {
    walk = new PathWalk();
    walks.push(walk);
  }
  walkCount++;
  m.enter();
  const outer = m.scratch;
  m.scratch = op.scratch;
  const code = run(m, op, walk);
  m.scratch = outer;
  m.leave();
  walk.close();
  walkCount--;
  return code;
}

function run(m: Machine, op: ValueOp, walk: PathWalk): number {
  const { target } = op;
  const decoded = walk.path.decode(op, m.programs);
  if (decoded !== OK || target.type === NULL) return decoded;
  if (target.type !== LIST && target.type !== MAP) return INCOMPATIBLE_TYPE;
  m.noteSize(target.size);
  m.noteSize(op.end - op.at);
  const { bytes, at } = target;
  const end = at + target.size;
  const { output } = walk;
  const { mode } = walk.path;
  output.start();
  if (mode === MODE_APPLY) return apply(m, op, walk);
  const isTree = mode === MODE_TREE;
  const contentAt = isTree ? 0 : output.open();
  const found = select(m, walk, 0, bytes, at, end);
  if (found < 0) return -found;
  if (!isTree) output.close(contentAt, LIST_ELEMENT, found, 0);
  const size = output.at;
  const outAt = op.scratch.take(size);
  copyBytes(op.scratch.bytes, outAt, output.bytes, 0, size);
  op.result.set(isTree ? target.type : LIST, op.scratch.bytes, outAt, size);
  return OK;
}

/**
 * Selects from the container at `at`: writes it again with what is taken of it (MODE_TREE), or the leaves that are.
 * @returns How many elements were written for the leaves, or a negative code.
 */
function select(
  m: Machine,
  walk: PathWalk,
  depth: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  const { output, path } = walk;
  const { mode } = path;
  const entered = walk.enter(m, depth, bytes, at, end);
  if (entered !== OK) return -entered;
  const level = walk.level(depth);
  const { container, entry } = level;
  const isLeaf = walk.isLeaf(depth);
  const isTree = mode === MODE_TREE;
  if (isTree && container.count === 0) {
    output.copy(bytes, at, end); // with its flags
    return 0;
  }
  const needsKeys = mode === MODE_KEYS || mode === MODE_KEYS_AND_VALUES;
  if (isLeaf && needsKeys && container.type === LIST_ELEMENT && container.count > 0) {
    return path.isNoFail ? 0 : -INCOMPATIBLE_TYPE;
  }
  const contentAt = isTree ? output.open() : 0;
  let count = 0; // entries taken
  let leaves = 0; // elements written
  let p = level.to > level.from ? container.offsetOf(level.from) : end;
  for (let k = level.from; k < level.to; k++) {
    p = setEntry(level, p, k);
    if (p < 0) return -PARAMETER;
    const taken = walk.takes(m, level, k);
    if (taken < 0) return taken;
    if (taken !== TAKEN) continue;
    const { valueAt, valueEnd } = entry;
    count++;
    if (isTree && entry.keyAt >= 0) output.copy(bytes, entry.keyAt, entry.keyEnd);
    if (!isLeaf && isContainer(bytes, valueAt, valueEnd)) {
      const inner = select(m, walk, depth + 1, bytes, valueAt, valueEnd);
      if (inner < 0) return inner;
      leaves += inner;
    } else if (isTree) output.copy(bytes, valueAt, valueEnd);
    else if (isLeaf) {
      if (needsKeys) output.copy(bytes, entry.keyAt, entry.keyEnd);
      if (mode !== MODE_KEYS) output.copy(bytes, valueAt, valueEnd);
      leaves += mode === MODE_KEYS_AND_VALUES ? 2 : 1;
    }
  }
  if (isTree) output.close(contentAt, container.type, count, 0);
  return leaves;
}

/** Whether the element at `at` is a list or map. */
export function isContainer(bytes: Uint8Array, at: number, end: number): boolean {
  element.read(bytes, at, end);
  return element.type === LIST_ELEMENT || element.type === MAP_ELEMENT;
}
