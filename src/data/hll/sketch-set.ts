/**
 * The sketches that one operation works on: those in its argument, in order, then the bin's own. They are read
 * where they lie, one at a time. Source: protocol 15, sections 3 and 4.
 */
import { BYTES, Element, GEOJSON, LIST, STRING } from '../msgpack/element.js';
import type { OpBody } from '../op-body.js';
import { checkHll, INDEX_BITS_MAX, Sketch } from './sketch.js';

const element = new Element();
const member = new Sketch();

export class SketchSet {
  /** The sketch that `next` has come to. */
  readonly current = new Sketch();
  /** Fewest index bits of them all. */
  p = 0;
  /** Minhash bits, if all have the same; else 0. */
  m = 0;
  /** Sketches in the argument. */
  argCount = 0;

  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;
  #firstAt = 0;
  #nextAt = 0;
  #leftCount = 0;
  #bin: Sketch | undefined = undefined;

  /**
   * Reads the next argument, a list of sketches or a sketch alone, as where an expression names another bin;
   * afterwards the set is these.
   * @returns false when there is none, or one of them is no sketch.
   */
  readArg(body: OpBody): boolean {
    this.#bin = undefined;
    this.#bytes = body.bytes;
    this.#end = body.end;
    this.#firstAt = body.at;
    this.argCount = 0;
    this.p = INDEX_BITS_MAX;
    this.m = 0;
    if (!body.next()) return false;
    let count = 1;
    if (body.element.type === LIST) {
      count = body.element.count;
      if (count > 0 && body.skipFlags()) count--;
      this.#firstAt = body.at;
    }
    let at = this.#firstAt;
    for (; count > 0; count--) {
      at = readSketch(this.#bytes, at, this.#end, member);
      if (at < 0) return false;
      this.#include(member, this.argCount === 0);
      this.argCount++;
    }
    body.at = at;
    return this.argCount > 0;
  }

  /** Adds the bin's own sketch, which must stay as it is while the set is used. */
  addBin(bin: Sketch): void {
    this.#bin = bin;
    this.#include(bin, false);
  }

  rewind(): void {
    this.#nextAt = this.#firstAt;
    this.#leftCount = this.argCount;
  }

  /** Steps to the next sketch. @returns false after the last one. */
  next(): boolean {
    if (this.#leftCount > 0) {
      this.#leftCount--;
      this.#nextAt = readSketch(this.#bytes, this.#nextAt, this.#end, this.current);
      return true;
    }
    if (this.#leftCount < 0 || this.#bin === undefined) return false;
    this.#leftCount = -1;
    this.current.load(this.#bin.bytes, this.#bin.at);
    return true;
  }

  #include(sketch: Sketch, isFirst: boolean): void {
    this.m = isFirst || this.m === sketch.m ? sketch.m : 0;
    this.p = Math.min(this.p, sketch.p);
  }
}

/** Reads typed bytes with a sketch in them, whatever their type byte says. @returns Where the next one starts, or -1. */
function readSketch(bytes: Uint8Array, at: number, end: number, out: Sketch): number {
  const next = element.read(bytes, at, end);
  const { type, bodyAt, bodySize } = element;
  if (next < 0 || (type !== BYTES && type !== STRING && type !== GEOJSON) || bodySize < 2) return -1;
  if (checkHll(bytes, bodyAt + 1, bodySize - 1) < 0) return -1;
  out.load(bytes, bodyAt + 1);
  return next;
}
