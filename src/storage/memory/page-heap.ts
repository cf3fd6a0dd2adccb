/**
 * Pages of equal blocks for records of up to CLASS_SIZE_MAX bytes. A page is a run of units cut into blocks of
 * one size class. Pages with room hang in four lists a class by how full they are, and the fullest are used
 * first, so that others run empty; an empty page goes back to the pool at once, for any class.
 *
 * A page's words lie with its units' descriptors (unit-pool.ts, at least 16 units, so there is room):
 *
 *   unit 0   tag      before   after      owner           before, after: pages of the same list
 *   unit 1   live     free     fresh      owner           blocks in use, first free block + 1, next never used
 *   unit 2   class    list     ·          owner           list: 0..3, or FULL
 *   others   ·        ·        ·          owner           owner: the page's first unit, in every unit of it
 *
 * A free block begins with a zero, where a record has its magic, and the next free block + 1.
 *
 * Locations count 16-byte record blocks: unit number * 256 + offset in the unit. 0 is nobody's.
 */
import { Region, type SharedBytes } from '../../base/arena.js';
import { RECORD_ALIGN } from '../record/flat-record.js';
import { blockCountOf, blockSizeOf, CLASS_COUNT, pageUnitsOf, UNIT_BLOCKS, UNIT_SIZE } from './size-class.js';
import { UNIT_BITS, UNIT_MASK, UNIT_WORDS, type UnitPool } from './unit-pool.js';

/** Words from the descriptor of the page's first unit on. */
const BEFORE = 1;
const AFTER = 2;
const OWNER = 3;
const LIVE = UNIT_WORDS;
const FREE = UNIT_WORDS + 1;
const FRESH = UNIT_WORDS + 2;
const CLASS = UNIT_WORDS * 2;
const LIST = UNIT_WORDS * 2 + 1;

const LISTS = 4; // a class
const FULL = LISTS; // in no list
/** When memory is used up, a record may take a block this many classes larger: up to twice its size. */
const CLASSES_ABOVE = 8;

/** Words of the control region. */
const LIST_HEADS = 0; // LISTS words a class, 0 = none
const FREE_BLOCKS = CLASS_COUNT * LISTS; // a word a class: blocks of its pages not in use
const PAGES = FREE_BLOCKS + CLASS_COUNT; // a word a class
const CHANGED = PAGES + CLASS_COUNT;
const CONTROL_WORDS = CHANGED + 1;

export class PageHeap {
  readonly #pool: UnitPool;
  readonly #control: Int32Array;

  constructor(pool: UnitPool, control?: SharedBytes) {
    this.#pool = pool;
    this.#control = new Region(control ?? CONTROL_WORDS * 4).i32;
  }

  get control(): SharedBytes {
    return this.#control.buffer as SharedBytes;
  }

  /** Blocks of this class's pages that hold nothing. */
  freeBlocks(sizeClass: number): number {
    return this.#control[FREE_BLOCKS + sizeClass]!;
  }

  pageCount(sizeClass: number): number {
    return this.#control[PAGES + sizeClass]!;
  }

  /** Whether a block was given back since this was set to false. */
  get hasChanged(): boolean {
    return this.#control[CHANGED] !== 0;
  }
  set hasChanged(value: boolean) {
    this.#control[CHANGED] = value ? 1 : 0;
  }

  /** Location of a block of at least the class's size, its contents undefined; 0 when memory is used up, or a view's is. */
  take(sizeClass: number): number {
    let page = this.#pageWithRoom(sizeClass);
    if (page === 0) page = this.#newPage(sizeClass);
    if (page === 0 && this.#pool.isView) return 0; // there may be more, for the pool's own thread
    for (let above = sizeClass + 1; page === 0; above++) {
      if (above > sizeClass + CLASSES_ABOVE || above === CLASS_COUNT) return 0;
      page = this.#pageWithRoom(above);
    }
    return this.#takeBlock(page);
  }

  /** Gives the block at `location` back. */
  give(location: number): void {
    const page = this.pageOf(location);
    const words = this.#pool.words[page >>> UNIT_BITS]!;
    const at = (page & UNIT_MASK) * UNIT_WORDS;
    const sizeClass = words[at + CLASS]!;
    const live = words[at + LIVE]! - 1;
    if (live === 0) {
      this.#givePage(page, at, words, 1);
      return;
    }
    const first = (location & (UNIT_BLOCKS * (UNIT_MASK + 1) - 1)) * 4;
    const block = (((location - page * UNIT_BLOCKS) * RECORD_ALIGN) / blockSizeOf[sizeClass]!) | 0;
    this.#control[CHANGED] = 1;
    words[first] = 0;
    words[first + 1] = words[at + FREE]!;
    words[at + FREE] = block + 1;
    words[at + LIVE] = live;
    this.#control[FREE_BLOCKS + sizeClass]!++;
    this.#relist(page, words, at, live);
  }

  /** First unit of the page that the block at `location` is in. */
  pageOf(location: number): number {
    const unit = Math.floor(location / UNIT_BLOCKS);
    return this.#pool.words[unit >>> UNIT_BITS]![(unit & UNIT_MASK) * UNIT_WORDS + OWNER]!;
  }

  /** A page of the class that has room, one of the emptiest quarter that there is; 0 when all are full. */
  emptiestPage(sizeClass: number): number {
    const heads = LIST_HEADS + sizeClass * LISTS;
    return (
      this.#control[heads]! ||
      this.#control[heads + 1]! ||
      this.#control[heads + 2]! ||
      this.#control[heads + 3]!
    );
  }

  /** Blocks of the page, from its first on, that were ever given out. */
  usedBlocks(page: number): number {
    return this.#pool.words[page >>> UNIT_BITS]![(page & UNIT_MASK) * UNIT_WORDS + FRESH]!;
  }

  /** Takes a page out of its list, so that none of its blocks is given out. Ends with `drop`. */
  hide(page: number): void {
    const words = this.#pool.words[page >>> UNIT_BITS]!;
    const at = (page & UNIT_MASK) * UNIT_WORDS;
    this.#unlink(words, at);
    words[at + LIST] = FULL;
  }

  /** Gives a hidden page back to the pool, whatever is still in its blocks. */
  drop(page: number): void {
    const words = this.#pool.words[page >>> UNIT_BITS]!;
    const at = (page & UNIT_MASK) * UNIT_WORDS;
    this.#givePage(page, at, words, words[at + LIVE]!);
  }

  #pageWithRoom(sizeClass: number): number {
    const heads = LIST_HEADS + sizeClass * LISTS;
    return (
      this.#control[heads + 3]! ||
      this.#control[heads + 2]! ||
      this.#control[heads + 1]! ||
      this.#control[heads]!
    );
  }

  #takeBlock(page: number): number {
    const words = this.#pool.words[page >>> UNIT_BITS]!;
    const at = (page & UNIT_MASK) * UNIT_WORDS;
    const sizeClass = words[at + CLASS]!;
    const size = blockSizeOf[sizeClass]!;
    let block = words[at + FREE]! - 1;
    const live = words[at + LIVE]! + 1;
    if (block < 0) block = words[at + FRESH]!++;
    else words[at + FREE] = words[((page & UNIT_MASK) * UNIT_SIZE + block * size) / 4 + 1]!;
    words[at + LIVE] = live;
    this.#control[FREE_BLOCKS + sizeClass]!--;
    this.#relist(page, words, at, live);
    return page * UNIT_BLOCKS + (block * size) / RECORD_ALIGN;
  }

  #newPage(sizeClass: number): number {
    const units = pageUnitsOf[sizeClass]!;
    const page = this.#pool.take(units, false);
    if (page === 0) return 0;
    const words = this.#pool.words[page >>> UNIT_BITS]!;
    const at = (page & UNIT_MASK) * UNIT_WORDS;
    for (let i = 0; i < units; i++) words[at + i * UNIT_WORDS + OWNER] = page;
    words[at + LIVE] = 0;
    words[at + FREE] = 0;
    words[at + FRESH] = 0;
    words[at + CLASS] = sizeClass;
    words[at + LIST] = FULL;
    this.#control[FREE_BLOCKS + sizeClass]! += blockCountOf[sizeClass]!;
    this.#control[PAGES + sizeClass]!++;
    return page;
  }

  /** @param live Blocks of it that count as used. */
  #givePage(page: number, at: number, words: Int32Array, live: number): void {
    const sizeClass = words[at + CLASS]!;
    if (words[at + LIST] !== FULL) this.#unlink(words, at);
    this.#control[FREE_BLOCKS + sizeClass]! -= blockCountOf[sizeClass]! - live;
    this.#control[PAGES + sizeClass]!--;
    this.#pool.give(page);
  }

  /** Moves a page to the list that its number of live blocks asks for. */
  #relist(page: number, words: Int32Array, at: number, live: number): void {
    const sizeClass = words[at + CLASS]!;
    const list = ((live * LISTS) / blockCountOf[sizeClass]!) | 0;
    if (list === words[at + LIST]) return;
    if (words[at + LIST] !== FULL) this.#unlink(words, at);
    words[at + LIST] = list;
    if (list === FULL) return;
    const head = LIST_HEADS + sizeClass * LISTS + list;
    const first = this.#control[head]!;
    words[at + BEFORE] = 0;
    words[at + AFTER] = first;
    if (first !== 0) this.#setWord(first, BEFORE, page);
    this.#control[head] = page;
  }

  #unlink(words: Int32Array, at: number): void {
    const before = words[at + BEFORE]!;
    const after = words[at + AFTER]!;
    if (after !== 0) this.#setWord(after, BEFORE, before);
    if (before !== 0) this.#setWord(before, AFTER, after);
    else this.#control[LIST_HEADS + words[at + CLASS]! * LISTS + words[at + LIST]!] = after;
  }

  #setWord(page: number, word: number, value: number): void {
    this.#pool.words[page >>> UNIT_BITS]![(page & UNIT_MASK) * UNIT_WORDS + word] = value;
  }
}
