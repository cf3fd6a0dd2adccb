/**
 * Random values, from a small universe so that equal ones meet: scalars of every type, lists and maps with all
 * flags, ordered ones in order, sentinels where they are allowed. Everything follows from the packer's random numbers.
 */
import { compare } from '../../../src/data/msgpack/compare.js';
import { nextOf } from '../../../src/data/msgpack/element.js';
import { BLOB, GEOJSON, HLL, STRING } from '../../../src/data/type.js';
import type { Packer } from './packer.js';

const TEXTS = [
  '',
  'a',
  'b',
  'c',
  'ab',
  'key',
  'zz',
  '日本',
  'x'.repeat(30),
  'y'.repeat(31),
  'z'.repeat(300),
].map(text => Buffer.from(text));
const BLOBS = ['', '00', 'ff', '010203', '07'.repeat(32)].map(hex => Buffer.from(hex, 'hex'));
const GEO = [
  '{"type":"Point","coordinates":[1,2]}',
  '{"type":"Point","coordinates":[-80.5,25.0]}',
  'no geojson',
].map(text => Buffer.from(text));
const INTS = [0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1];
const NEGATIVE_INTS = [
  -1,
  -2,
  -3,
  -32,
  -33,
  -128,
  -129,
  -32768,
  -32769,
  -(2 ** 31),
  -(2 ** 31) - 1,
  -(2 ** 53) + 1,
];
const DOUBLES = [0, -0, 1, 1.5, -1.5, 2, 3.14, 0.1, 1e300, -1e300, Infinity, -Infinity, 5e-324, 2 ** 63];
/** Deeper than any server may accept. */
const ABYSS = 300;

export class ValueSource {
  readonly packer: Packer;
  /** One value in this many is a sentinel; 0: none. */
  sentinelEvery = 0;
  /** Whether doubles may be no numbers: nothing is in order around those. */
  hasNaN = false;
  readonly #ats: number[] = [];

  constructor(packer: Packer) {
    this.packer = packer;
  }

  below(limit: number): number {
    return this.packer.random.below(limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Any value, of at most `depth` levels of containers. */
  value(depth: number): void {
    const kind = this.below(16);
    if (kind > 12 && depth > 0) {
      if (kind === 15) this.map(depth, this.below(5));
      else this.list(depth, this.below(6));
    } else this.scalar();
  }

  scalar(): void {
    const p = this.packer;
    if (this.sentinelEvery > 0 && this.below(this.sentinelEvery) === 0) {
      p.sentinel(this.below(2) === 0);
      return;
    }
    switch (this.below(20)) {
      case 0:
        p.nil();
        return;
      case 1:
        p.bool(this.below(2) === 0);
        return;
      case 2:
        p.double(this.pick(DOUBLES));
        return;
      case 3:
        p.int(this.pick(NEGATIVE_INTS));
        return;
      case 4:
        this.#edge();
        return;
      case 5:
        this.#typed(BLOB, this.pick(BLOBS));
        return;
      case 6:
        this.#odd();
        return;
      case 7:
      case 8:
      case 9:
        this.#typed(STRING, this.pick(TEXTS));
        return;
      case 10:
        p.int(this.pick(INTS));
        return;
      default:
        p.int(this.below(14) - 3);
    }
  }

  /** What a map may have as a key. */
  key(): void {
    switch (this.below(8)) {
      case 0:
        this.#typed(BLOB, this.pick(BLOBS));
        return;
      case 1:
      case 2:
      case 3:
        this.#typed(STRING, this.pick(TEXTS));
        return;
      case 4:
        this.packer.int(this.pick(this.below(2) === 0 ? INTS : NEGATIVE_INTS));
        return;
      default:
        this.packer.int(this.below(12));
    }
  }

  number(): void {
    const kind = this.below(12);
    if (kind === 0) this.packer.double(this.pick(DOUBLES));
    else if (kind === 1) this.#edge();
    else this.packer.int(this.below(12) - 4);
  }

  /** A list of `count` values; one in four is ordered. */
  list(depth: number, count: number): void {
    this.listOf(count, this.below(4) === 0 ? this.pick([1, 1, 1, 17, 16]) : 0, () => this.value(depth - 1));
  }

  /** A list with these flags, in order if they say so. */
  listOf(count: number, flags: number, item: () => void): void {
    const p = this.packer;
    p.list(flags === 0 ? count : count + 1);
    if (flags !== 0) p.flags(flags);
    const first = p.at;
    for (let k = 0; k < count; k++) item();
    if ((flags & 1) !== 0 && this.below(20) > 0) this.#sort(first, 1);
  }

  map(depth: number, count: number): void {
    this.mapOf(count, this.pick([0, 0, 1, 1, 3, 17, 19]), () => this.value(depth - 1));
  }

  /** A map of up to `count` pairs, in key order and without equal keys, most of the time. */
  mapOf(count: number, flags: number, item: () => void): void {
    const p = this.packer;
    const at = p.at;
    for (let k = 0; k < count; k++) {
      this.key();
      item();
    }
    const kept = this.below(25) === 0 ? count : this.#sort(at, 2);
    const pairs = p.bytes.slice(at, p.at);
    p.at = at;
    p.map(flags === 0 ? kept : kept + 1);
    if (flags !== 0) {
      p.flags(flags);
      p.nil();
    }
    p.copy(pairs, 0, pairs.length);
  }

  /** Containers in containers, far too many. */
  abyss(): void {
    const depth = 200 + this.below(ABYSS - 200);
    const isMap = this.below(2) === 0;
    for (let k = 0; k < depth; k++) {
      if (isMap) {
        this.packer.map(1);
        this.packer.int(1);
      } else this.packer.list(1);
    }
    this.packer.int(1);
  }

  /**
   * Puts the elements from `from` on in order; of pairs with equal keys only the first stays.
   * @param width 1 for the elements of a list, 2 for pairs.
   * @returns How many there are.
   */
  #sort(from: number, width: number): number {
    const p = this.packer;
    const end = p.at;
    const bytes = p.bytes.slice(from, end);
    const ats = this.#ats;
    let count = 0;
    for (let at = 0; at < bytes.length; ) {
      ats[count++] = at;
      at = nextOf(bytes, at, bytes.length);
      if (width === 2 && at >= 0) at = nextOf(bytes, at, bytes.length);
      if (at < 0) return count; // malformed on purpose
    }
    const starts = ats.slice(0, count);
    const sorted = [...starts.keys()].sort((a, b) =>
      compare(bytes, starts[a]!, bytes.length, bytes, starts[b]!, bytes.length),
    );
    p.at = from;
    let kept = 0;
    let previous = -1;
    for (const k of sorted) {
      const at = starts[k]!;
      if (
        width === 2 &&
        previous >= 0 &&
        compare(bytes, previous, bytes.length, bytes, at, bytes.length) === 0
      )
        continue;
      p.copy(bytes, at, starts[k + 1] ?? bytes.length);
      previous = at;
      kept++;
    }
    return kept;
  }

  #edge(): void {
    const p = this.packer;
    switch (this.below(5)) {
      case 0:
        p.int64(0x7fff_ffff, 0xffff_ffff);
        return;
      case 1:
        p.int64(0x8000_0000, 0, 0xd3);
        return;
      case 2:
        p.int64(0xffff_ffff, 0xffff_ffff);
        return;
      case 3:
        p.int64(0x8000_0000, 0);
        return;
      default:
        p.int64(0x7fff_ffff, 0xffff_fffe);
    }
  }

  /** What is seldom sent. */
  #odd(): void {
    const p = this.packer;
    switch (this.below(8)) {
      case 0:
        p.double(this.hasNaN ? Number.NaN : 2.5);
        return;
      case 1:
        p.single(this.pick([0, 1.5, -2, this.hasNaN ? Number.NaN : 3]));
        return;
      case 2:
        this.#typed(GEOJSON, this.pick(GEO));
        return;
      case 3:
        this.#typed(HLL, this.pick(BLOBS));
        return;
      case 4:
        this.#typed(this.below(256), this.pick(TEXTS));
        return;
      case 5:
        p.byte(0xa0);
        return;
      case 6: {
        const size = 1 << this.below(5);
        p.byte(0xd4 + Math.log2(size));
        for (let k = 0; k <= size; k++) p.byte(this.below(4) === 0 ? 0xff : this.below(4));
        return;
      }
      default:
        p.int(this.pick(INTS));
    }
  }

  #typed(type: number, content: Uint8Array): void {
    this.packer.payload(content.length + 1);
    this.packer.byte(type);
    this.packer.copy(content, 0, content.length);
  }
}
