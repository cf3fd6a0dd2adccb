/**
 * Random histories on a device that is bad in every way that can be survived: it loses power, fails and shortens
 * reads and writes, is full now and then, and flips bits of what lies on it. A fault while serving costs nobody
 * anything but time; a flipped bit costs the record that it hits, and is never served.
 */
import test from 'ava';
import { DEVICE_OVERLOAD, OK, OUT_OF_SPACE, UNKNOWN } from '../../src/base/result.js';
import { ST_CHECKSUM_ERRORS, ST_DEFRAG_READS } from '../../src/storage/engine.js';
import {
  REC_DIGEST_AT,
  REC_MAGIC,
  REC_SIZE,
  RECORD_ALIGN,
  RECORD_MAGIC,
} from '../../src/storage/record/flat-record.js';
import { type Faults, FaultyDisk, FaultyIo, seeded } from '../support/faulty-io.js';
import { SoundClock, STEP_MS } from '../support/sound-clock.js';
import { digestOf, StorageShard } from '../support/storage-shard.js';

const KIB = 1024;
const SEEDS = Number(process.env.CALTROP_CRASH_SEEDS ?? 100);
const BLOCK_SIZE = 64 * KIB;
const BLOCKS = 16;
const DATA_AT = 64 * KIB;
const HEADER_COPY_SIZE = 64;
const BLOCK_HEADER_SIZE = 128;
const RECORD_SIZE_MAX = 6 * KIB;
const LIVES = 4;
const STEPS = 200;
const FLUSH_MAX_MS = 400;
const ENOSPC = 28;

interface State {
  /** By the sound clock. */
  atMs: number;
  /** 0: deleted or never there. */
  version: number;
}

/** Flips bits of the medium and tells whose record each hits. */
class Flipper {
  readonly keys = new Set<number>();
  readonly #keyOf = new Map<string, number>();
  flips = 0;

  constructor(keyCount: number) {
    for (let key = 0; key < keyCount; key++) this.#keyOf.set(hexOf(digestOf(key)), key);
  }

  flip(disk: FaultyDisk, at: number, bit: number, { index }: StorageShard): void {
    const inBlock = (at - DATA_AT) % BLOCK_SIZE;
    if (inBlock >= HEADER_COPY_SIZE && inBlock < BLOCK_HEADER_SIZE) return; // one copy of a header has to stay
    // What is durable and what is on its way may hold different records at one place.
    for (const bytes of [disk.bytes, disk.durable]) this.#note(bytes, at, inBlock);
    // Of a record whose write is under way, only the end may be there yet.
    for (const key of this.#keyOf.values()) {
      const entry = index.find(digestOf(key), 0);
      const from = entry < 0 ? at + 1 : DATA_AT + index.location(entry) * RECORD_ALIGN;
      if (from <= at && at < from + index.size(entry)) this.keys.add(key);
    }
    disk.bytes[at]! ^= 1 << bit;
    disk.durable[at]! ^= 1 << bit;
    this.flips++;
  }

  #note(bytes: Uint8Array, at: number, inBlock: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const lowest = Math.max(at - inBlock + BLOCK_HEADER_SIZE, at - RECORD_SIZE_MAX);
    for (let from = at - (at % 16); from >= lowest; from -= 16) {
      if (view.getUint32(from + REC_MAGIC * 4, true) !== RECORD_MAGIC) continue;
      const size = view.getUint32(from + REC_SIZE * 4, true);
      if (from + size <= at) continue;
      const key = this.#keyOf.get(hexOf(bytes.subarray(from + REC_DIGEST_AT, from + REC_DIGEST_AT + 20)));
      if (key !== undefined) this.keys.add(key);
    }
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** @returns What went wrong. */
function runHistory(
  seed: number,
  flipShare: number,
  total: { flips: number; found: number; moved: number },
): string[] {
  const random = seeded(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  const disk = new FaultyDisk(DATA_AT + BLOCKS * BLOCK_SIZE);
  const keys = 60 + pick(200);
  const flipper = new Flipper(keys);
  const states = new Map<number, State[]>();
  const of = (key: number): State[] => {
    let list = states.get(key);
    if (!list) states.set(key, (list = [{ atMs: Number.NEGATIVE_INFINITY, version: 0 }]));
    return list;
  };
  const problems: string[] = [];
  const isFlipping = flipShare > 0;
  let isServing = false;
  const rarely = (share: number): boolean => isServing && random() < share;
  const faults: Faults = {
    turnsMax: 2,
    failsRead: () => rarely(0.05),
    readLength: (_, length) => (rarely(0.05) ? Math.floor((random() * length) / 512) * 512 : length),
    failsWrite: () => rarely(0.03) && sound.fails(nowMs) && [true, ENOSPC][pick(2)]!,
    writeLength: (_, length) => (rarely(0.03) && sound.fails(nowMs) ? pick(length / 4096) * 4096 : length),
    failsFlush: () => rarely(0.03) && sound.fails(nowMs),
  };
  let nowMs = 1_000_000;
  const sound = new SoundClock();
  let version = 0;
  for (let life = 1; life <= LIVES && problems.length === 0; life++) {
    isServing = false;
    const io = new FaultyIo(disk, 32 * KIB * KIB, random, faults);
    const owner = {
      setId: Uint32Array.of(1, 2, 3, seed),
      shard: 0,
      writeBlockSize: BLOCK_SIZE,
      startCount: life,
    };
    const shard = new StorageShard({
      backend: io,
      extent: { path: 'disk', offset: DATA_AT, size: BLOCKS * BLOCK_SIZE, owner },
      limits: {
        flushMaxMs: FLUSH_MAX_MS,
        writeCacheMax: 8 * BLOCK_SIZE,
        defragLwmPct: 70,
        defragSleepMs: 0,
        flushSize: [8192, 1024 * KIB][pick(2)]!,
      },
    }).recover();
    /** What the engine says of a key: a version, 0, or undefined when it cannot be read now. */
    const read = (key: number): number | undefined => {
      for (let tries = 0; tries < 30; tries++) {
        const found = shard.get(key) ?? 0;
        if (found >= 0) return found;
        if (found !== -UNKNOWN) problems.push(`key ${key}: read answers ${-found}`);
      }
      return undefined;
    };
    const check = (key: number, allowed: readonly State[], when: string): State | undefined => {
      const found = read(key);
      const state = allowed.find(candidate => candidate.version === found);
      if (state || flipper.keys.has(key)) return state;
      problems.push(`${when} key ${key}: ${found} of ${allowed.map(({ version: v }) => v).join(', ')}`);
      return undefined;
    };
    for (let key = 0; key < keys; key++) {
      const list = of(key);
      const durable = Math.max(
        0,
        list.findLastIndex(({ atMs }) => atMs <= sound.ms - FLUSH_MAX_MS),
      );
      const state = check(key, list.slice(durable), `life ${life}`);
      if (state) states.set(key, [{ ...state, atMs: Number.NEGATIVE_INFINITY }]);
    }
    isServing = true;
    const steps = pick(STEPS);
    for (let step = 0; step < steps; step++) {
      for (let i = pick(12); i > 0; i--) {
        const key = pick(keys);
        const isDelete = random() < 0.3;
        const result = isDelete
          ? shard.delete(key)
          : shard.put(key, ++version, 16 + pick(RECORD_SIZE_MAX - 200));
        if (result === OK) of(key).push({ atMs: sound.ms, version: isDelete ? 0 : version });
        else if (result !== undefined && result !== OUT_OF_SPACE && result !== DEVICE_OVERLOAD) {
          problems.push(`key ${key} answers ${result}`);
        }
      }
      if (step % 5 === 0) {
        const key = pick(keys);
        check(key, of(key).slice(-1), `step ${step} of life ${life}`);
      }
      if (isFlipping && random() < flipShare) {
        flipper.flip(disk, DATA_AT + pick(BLOCKS * BLOCK_SIZE), pick(8), shard);
      }
      shard.tick((nowMs += STEP_MS));
      sound.step(nowMs);
    }
    total.found += shard.counters[ST_CHECKSUM_ERRORS]!;
    total.moved += shard.counters[ST_DEFRAG_READS]!;
    io.cutPower();
    nowMs += pick(3000);
  }
  total.flips += flipper.flips;
  return problems;
}

test('failing, short and refused reads and writes cost nothing but time', t => {
  const total = { flips: 0, found: 0, moved: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) t.deepEqual(runHistory(seed, 0, total), [], `seed ${seed}`);
  t.true(total.moved > SEEDS * 10);
});

test('a flipped bit costs the record that it hits, and is never served', t => {
  const total = { flips: 0, found: 0, moved: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) t.deepEqual(runHistory(seed, 0.1, total), [], `seed ${seed}`);
  t.true(total.flips > SEEDS * 10 && total.found > SEEDS, JSON.stringify(total));
});
