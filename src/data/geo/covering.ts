/**
 * Coverings: a few cells that contain a region. The cell that promises most is split, again and again, until
 * splitting would give more cells than allowed. Source: protocol 17, section 3; that the cells are those of the
 * reference, tie by tie, is what the recorded regions show.
 */
import {
  ancestorId,
  Cell,
  cellsAround,
  childIds,
  FACE_BIT,
  FACE_COUNT,
  LEVEL_MAX,
  levelBit,
} from './cell.js';
import type { Part, Region } from './region.js';

export interface CoveringLimits {
  /** No cell is larger than this level (0 or 1) allows. */
  readonly levelMin: 0 | 1;
  /** No cell is smaller. */
  readonly levelMax: number;
  /** Cells; exceeded only where cells of the smallest level alone already do. */
  readonly cellCountMax: number;
}

/** For what is stored in bins and indexes. */
export const STORED_LIMITS: CoveringLimits = { levelMin: 1, levelMax: LEVEL_MAX, cellCountMax: 12 };

/** Cells of level n are nowhere narrower than this, halved n times (radians). */
const FACE_WIDTH_MIN = (2 * Math.SQRT2) / 3;
const WHOLE_SPHERE = { center: [0, 0, 1], angle: Math.PI } as const;

/** A cell that may still be split. */
interface Candidate {
  readonly cell: Cell;
  readonly part: Part;
  /** It goes into the result as it is. */
  isTerminal: boolean;
  children: Candidate[];
  priority: number;
}

/** @returns Ids of cells that together contain the region, ascending. */
export function coveringOf(region: Region, limits: CoveringLimits): bigint[] {
  const result: bigint[] = [];
  const queue = new CandidateQueue();

  const add = (candidate: Candidate): void => {
    if (!candidate.isTerminal) {
      candidate.children = quarters(candidate, region, limits);
      const terminalCount = candidate.children.filter(child => child.isTerminal).length;
      if (candidate.children.length === 0) return;
      if (terminalCount < 4 || candidate.cell.level < limits.levelMin) {
        candidate.priority = priorityOf(candidate.cell.level, candidate.children.length, terminalCount);
        queue.push(candidate);
        return;
      }
    }
    result.push(candidate.cell.id);
  };

  for (const cell of firstCells(region)) {
    const candidate = candidateFor(cell, undefined, region, limits);
    if (candidate !== undefined) add(candidate);
  }
  for (let candidate = queue.pop(); candidate !== undefined; candidate = queue.pop()) {
    const { children, cell } = candidate;
    const count = result.length + queue.size + children.length;
    if (cell.level < limits.levelMin || children.length === 1 || count <= limits.cellCountMax) {
      for (const child of children) add(child);
    } else {
      candidate.isTerminal = true;
      add(candidate);
    }
  }
  const merged = merge(result);
  // Only faces lie above the least level.
  return limits.levelMin === 0
    ? merged
    : merged.flatMap(id => (levelBit(id) === FACE_BIT ? childIds(id) : [id]));
}

/**
 * What splitting begins with, which shows where candidates are of equal priority: for a cap the cells around one corner,
 * of the smallest level at which it cannot reach any others; else the faces.
 */
function firstCells(region: Region): readonly Cell[] {
  const { center, angle } = region.cap ?? WHOLE_SPHERE;
  const level = angle <= 0 ? LEVEL_MAX : Math.floor(Math.log2(FACE_WIDTH_MIN / (2 * angle)));
  if (level <= 0) return Array.from({ length: FACE_COUNT }, (_, face) => Cell.ofFace(face));
  return cellsAround(center, Math.min(level, LEVEL_MAX - 1)).sort((a, b) => (a.id < b.id ? -1 : 1));
}

function quarters(candidate: Candidate, region: Region, limits: CoveringLimits): Candidate[] {
  const children: Candidate[] = [];
  for (const cell of candidate.cell.children()) {
    const child = candidateFor(cell, candidate.part, region, limits);
    if (child !== undefined) children.push(child);
  }
  return children;
}

function candidateFor(
  cell: Cell,
  parent: Part | undefined,
  region: Region,
  limits: CoveringLimits,
): Candidate | undefined {
  const part = region.partIn(cell, parent);
  if (part === undefined) return undefined;
  const isTerminal = cell.level >= limits.levelMin && (cell.level >= limits.levelMax || part.isWhole);
  return { cell, part, isTerminal, children: [], priority: 0 };
}

/** Large cells come first; of those the ones with few children in the region, then with few that are final. */
function priorityOf(level: number, childCount: number, terminalCount: number): number {
  return -(level * 16 + childCount * 4 + terminalCount);
}

/** Sorts cells, drops those inside others, and replaces four quarters by their parent. */
function merge(ids: bigint[]): bigint[] {
  ids.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const merged: bigint[] = [];
  for (let id of ids) {
    const last = merged.at(-1);
    if (last !== undefined && ancestorId(id, levelBit(last)) === last) continue;
    while (merged.length > 0 && ancestorId(merged.at(-1)!, levelBit(id)) === id) merged.pop();
    while (merged.length >= 3 && levelBit(id) !== FACE_BIT) {
      const parent = ancestorId(id, levelBit(id) << 2n);
      const siblings = [...merged.slice(-3), id];
      if (siblings.some((sibling, k) => sibling !== childIds(parent)[k])) break;
      merged.length -= 3;
      id = parent;
    }
    merged.push(id);
  }
  return merged;
}

/**
 * A binary heap. Which of several candidates of equal priority comes first shows in the covering, so the steps
 * are those of the C++ library that the reference is built with: a hole sinks to the bottom along the larger
 * children, then the last element rises from there.
 */
class CandidateQueue {
  readonly #heap: Candidate[] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(candidate: Candidate): void {
    this.#heap.push(candidate);
    this.#rise(this.#heap.length - 1, candidate);
  }

  pop(): Candidate | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    const count = heap.length;
    let hole = 0;
    for (let child = 2; child <= count; child = 2 * (hole + 1)) {
      // The left child, where it has no sibling or a greater priority than that.
      if (child === count || heap[child]!.priority < heap[child - 1]!.priority) child--;
      heap[hole] = heap[child]!;
      hole = child;
    }
    this.#rise(hole, last);
    return first;
  }

  #rise(from: number, candidate: Candidate): void {
    const heap = this.#heap;
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (heap[parent]!.priority >= candidate.priority) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = candidate;
  }
}
