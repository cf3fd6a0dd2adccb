/**
 * One-way ring of frames: one thread pushes, one other thread pops.
 *
 *   words (int32)  0 HEAD    units consumed; written by the consumer alone
 *                 16 TAIL    units produced; written by the producer alone
 *                 32 WAITING 1 while the producer waits for room; written by the producer alone
 *   byte 256       the data: frames one after another, each 8-byte aligned
 *
 * A unit is 8 bytes; both counters count units and wrap at 2^32. A frame is a u32 length, a u32 left to
 * the user, and the payload, padded to a unit. A frame never wraps: where the rest of the ring is too
 * short, a frame of length SKIP fills it.
 *
 * Memory order. The producer fills frames with plain stores, then publishes TAIL with Atomics.store. The
 * consumer loads TAIL with Atomics.load and only then reads frames; it stores HEAD with Atomics.store only
 * after its last read of a frame, and the producer loads HEAD with Atomics.load before it writes there
 * again. Atomics accesses are sequentially consistent and order the plain accesses around them, so whoever
 * sees a counter sees everything that was done before it was stored. test/base/ring.test.ts shows what
 * happens when one of these is taken out. Waiting for room uses the same argument on (WAITING, HEAD): the
 * producer says that it waits, then looks at HEAD once more; the consumer moves HEAD, then looks at WAITING.
 */
import { Region, type SharedBytes } from './arena.js';

/** They differ while there is a frame. */
export const HEAD = 0;
export const TAIL = 16; // 64 bytes on, so the two threads do not fight over one cache line
const WAITING = 32;
const DATA_AT = 256; // bytes
const UNIT = 8; // bytes
const FRAME_HEADER_SIZE = 8; // bytes
const SKIP = 0xffffffff;

/** Shared bytes of a ring that holds `capacity` bytes of frames, a power of two of at least 4096. */
export function createRing(capacity: number): SharedBytes {
  if (capacity < 4096 || (capacity & (capacity - 1)) !== 0) {
    throw new RangeError(`a ring's capacity is a power of two of at least 4096 bytes, not ${capacity}`);
  }
  return new Region(DATA_AT + capacity).shared;
}

abstract class RingEnd {
  /** The memory frames lie in: offsets that this class gives are offsets in its views. */
  readonly region: Region;
  protected readonly units: number;

  constructor(shared: SharedBytes) {
    this.region = new Region(shared);
    this.units = (shared.byteLength - DATA_AT) / UNIT;
  }

  /** The longest payload that can ever be pushed: a quarter of the ring, so that a wrap always leaves room. */
  get payloadSizeMax(): number {
    return (this.units * UNIT) / 4 - FRAME_HEADER_SIZE;
  }
}

export class RingProducer extends RingEnd {
  #tail = 0; // units; ahead of the published TAIL until publish()
  #published = 0;
  #head = 0; // the consumer's counter when last looked at
  #reservedUnit = 0;

  /**
   * Room for a payload of up to `size` bytes, contiguous and 8-byte aligned.
   * @returns Its byte offset in `region`, or -1 when the ring is full. Nothing is visible before commit and publish.
   */
  reserve(size: number): number {
    const need = (size + FRAME_HEADER_SIZE + UNIT - 1) >>> 3;
    const mask = this.units - 1;
    let at = this.#tail & mask;
    const toEnd = this.units - at;
    const total = need <= toEnd ? need : toEnd + need;
    if (this.units - ((this.#tail - this.#head) >>> 0) < total) {
      this.#head = Atomics.load(this.region.i32, HEAD) >>> 0;
      if (this.units - ((this.#tail - this.#head) >>> 0) < total) return -1;
    }
    if (need > toEnd) {
      this.region.u32[(DATA_AT + at * UNIT) >>> 2] = SKIP;
      this.#tail = (this.#tail + toEnd) >>> 0;
      at = 0;
    }
    this.#reservedUnit = at;
    return DATA_AT + at * UNIT + FRAME_HEADER_SIZE;
  }

  /** Ends the frame reserved last with its true size (at most what was reserved) and a user word. */
  commit(size: number, user = 0): void {
    const w = (DATA_AT + this.#reservedUnit * UNIT) >>> 2;
    this.region.u32[w] = size;
    this.region.u32[w + 1] = user;
    this.#tail = (this.#tail + ((size + FRAME_HEADER_SIZE + UNIT - 1) >>> 3)) >>> 0;
  }

  /** Shows everything committed to the consumer. @returns Whether there was anything new to show. */
  publish(): boolean {
    if (this.#published === this.#tail) return false;
    this.#published = this.#tail;
    Atomics.store(this.region.i32, TAIL, this.#tail | 0);
    return true;
  }

  /**
   * Waits until the consumer has moved on, or `timeoutMs`. Publish and wake the consumer before. Not for a
   * thread that may not block.
   */
  waitForRoom(timeoutMs: number): void {
    const words = this.region.i32;
    Atomics.store(words, WAITING, 1);
    if (Atomics.load(words, HEAD) >>> 0 === this.#head) {
      Atomics.wait(words, HEAD, this.#head | 0, timeoutMs);
    }
    Atomics.store(words, WAITING, 0);
  }

  /** As waitForRoom, but waits for the consumer's next move from now on, whatever room there is. */
  waitForRelease(timeoutMs: number): void {
    const words = this.region.i32;
    Atomics.store(words, WAITING, 1);
    Atomics.wait(words, HEAD, Atomics.load(words, HEAD), timeoutMs);
    Atomics.store(words, WAITING, 0);
  }

  /** Whether the consumer has popped everything that was published. */
  get isDrained(): boolean {
    return Atomics.load(this.region.i32, HEAD) >>> 0 === this.#published;
  }
}

export class RingConsumer extends RingEnd {
  #head = 0; // units; ahead of the released HEAD until release()
  #released = 0;
  #tail = 0; // the producer's counter when last looked at
  /** Payload bytes and user word of the frame that next() gave. */
  size = 0;
  user = 0;

  /**
   * The next frame. It stays readable until release() is called after the next next().
   * @returns Byte offset of its payload in `region`, or -1 when the ring is empty.
   */
  next(): number {
    const u32 = this.region.u32;
    for (;;) {
      if (this.#head === this.#tail) {
        this.#tail = Atomics.load(this.region.i32, TAIL) >>> 0;
        if (this.#head === this.#tail) return -1;
      }
      const at = this.#head & (this.units - 1);
      const byteAt = DATA_AT + at * UNIT;
      const size = u32[byteAt >>> 2]!;
      if (size === SKIP) {
        this.#head = (this.#head + this.units - at) >>> 0;
        continue;
      }
      this.size = size;
      this.user = u32[(byteAt >>> 2) + 1]!;
      this.#head = (this.#head + ((size + FRAME_HEADER_SIZE + UNIT - 1) >>> 3)) >>> 0;
      return byteAt + FRAME_HEADER_SIZE;
    }
  }

  /** Gives the room of every frame popped so far back to the producer. Their bytes must not be read any more. */
  release(): void {
    if (this.#released === this.#head) return;
    this.#released = this.#head;
    const words = this.region.i32;
    Atomics.store(words, HEAD, this.#head | 0);
    if (Atomics.load(words, WAITING) === 1) Atomics.notify(words, HEAD);
  }

  /** Whether a frame is waiting, without taking it. */
  get hasFrame(): boolean {
    if (this.#head !== this.#tail) return true;
    this.#tail = Atomics.load(this.region.i32, TAIL) >>> 0;
    return this.#head !== this.#tail;
  }
}
