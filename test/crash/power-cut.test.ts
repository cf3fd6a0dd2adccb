/**
 * The engine's promise, under random histories on a device that loses power: a write or delete acknowledged more
 * than flush-max-ms before the cut is there afterwards, whatever was torn or reordered; nothing is served that was
 * not written; and what a start has served does not change by the next cut.
 */
import test from 'ava';
import { DEVICE_OVERLOAD, OK, OUT_OF_SPACE } from '../../src/base/result.js';
import { newDataKey } from '../../src/storage/cipher/data-key.js';
import { CODEC_NAMES } from '../../src/storage/codec/codecs.js';
import { ST_DEFRAG_PARTIAL_WRITES, ST_DEFRAG_READS, ST_DEFRAG_WRITES } from '../../src/storage/engine.js';
import type { ExtentDescription } from '../../src/storage/write-block/shard-extent.js';
import { type Faults, FaultyDisk, FaultyIo, seeded } from '../support/faulty-io.js';
import { StorageShard } from '../support/storage-shard.js';

const KIB = 1024;
const SEEDS = Number(process.env.CALTROP_CRASH_SEEDS ?? 100);
const FLUSH_MAX_MS = 400;
const STEP_MS = 10;
const LIVES = 4;
const STEPS = 250;
const KEYS_MIN = 60;
const BLOCK_SIZE = 64 * KIB;
const BLOCKS_MIN = 8;
const BLOCKS_MAX = 24;
const DATA_AT = 64 * KIB;

/** One acknowledged state of a key. */
interface State {
  atMs: number;
  /** 0: deleted or never there. */
  version: number;
  voidTimeSec: number;
}

/** What each key was, oldest first; the last is what the engine must say while it lives. */
class Model {
  readonly states = new Map<number, State[]>();

  of(key: number): State[] {
    let states = this.states.get(key);
    if (!states) {
      states = [{ atMs: Number.NEGATIVE_INFINITY, version: 0, voidTimeSec: 0 }];
      this.states.set(key, states);
    }
    return states;
  }

  push(key: number, state: State): void {
    this.of(key).push(state);
  }

  /** Versions a start may show: those not older than the last one that had to be durable. */
  allowed(key: number, durableByMs: number, nowSec: number): Set<number> {
    const states = this.of(key);
    let first = 0;
    states.forEach((state, i) => {
      if (state.atMs <= durableByMs) first = i;
    });
    const shown = states
      .slice(first)
      .map(({ version, voidTimeSec }) => (voidTimeSec !== 0 && voidTimeSec <= nowSec ? 0 : version));
    return new Set(shown);
  }
}

/** What the histories of this run did; a test that never defrags proves nothing of it. */
const done = { emptied: 0, moved: 0 };

/** @param slackMs How much later than promised a write may be durable. @returns What went wrong. */
function runHistory(
  seed: number,
  slackMs: number,
  faultsOf: (random: () => number) => Partial<Faults>,
): string[] {
  const random = seeded(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  const blocks = BLOCKS_MIN + pick(BLOCKS_MAX - BLOCKS_MIN + 1);
  const disk = new FaultyDisk(DATA_AT + blocks * BLOCK_SIZE);
  const model = new Model();
  const problems: string[] = [];
  const valueMax = 200 + pick(6000);
  const fill = random() < 0.3 ? 0 : random() * 0.8;
  const keys = Math.max(KEYS_MIN, Math.floor((blocks * BLOCK_SIZE * fill) / (valueMax / 2 + 100)));
  const defragLwmPct = [0, 50, 50, 80, 95][pick(5)]!;
  const expiryShare = random() * random() * 0.5;
  const faults = faultsOf(random);
  const dataKey = seed % 3 === 0 ? newDataKey('aes-128') : null;
  let nowMs = 1_000_000;
  let cutMs = 0;
  let version = 0;
  for (let life = 1; life <= LIVES && problems.length === 0; life++) {
    const extent: ExtentDescription = {
      path: 'disk',
      dataKey,
      offset: DATA_AT,
      size: blocks * BLOCK_SIZE,
      owner: {
        setId: Uint32Array.of(1, 2, 3, seed),
        shard: 0,
        writeBlockSize: BLOCK_SIZE,
        startCount: life,
      },
    };
    const io = new FaultyIo(disk, 32 * 1024 * KIB, random, { turnsMax: 2, ...faults });
    const limits = {
      flushMaxMs: FLUSH_MAX_MS,
      writeCacheMax: 8 * BLOCK_SIZE,
      postWriteCacheMax: pick(2) * 4 * BLOCK_SIZE,
      defragLwmPct,
      defragSleepMs: pick(2) * 20,
    };
    const shard = new StorageShard({ backend: io, extent, limits, codec: seed % CODEC_NAMES.length });
    const nowSec = () => Math.floor(nowMs / 1000);
    shard.recover(nowSec());
    for (let key = 0; key < keys; key++) {
      const allowed = model.allowed(key, cutMs - FLUSH_MAX_MS - slackMs, nowSec());
      const found = shard.get(key) ?? 0;
      if (!allowed.has(found)) {
        problems.push(`life ${life} key ${key}: version ${found} of ${[...allowed].join(', ')}`);
        continue;
      }
      // From here on this is what was served, and what must stay.
      const state = model.of(key).findLast(({ version: v }) => v === found);
      const voidTimeSec = found === 0 ? 0 : state!.voidTimeSec;
      model.states.set(key, [{ atMs: Number.NEGATIVE_INFINITY, version: found, voidTimeSec }]);
    }
    const steps = pick(STEPS);
    for (let step = 0; step < steps; step++) {
      for (let i = pick(20); i > 0; i--) {
        const key = pick(keys);
        const last = model.of(key).at(-1)!;
        if (random() < 0.3) {
          const result = shard.delete(key);
          if (result === OK) model.push(key, { atMs: nowMs, version: 0, voidTimeSec: 0 });
          else if (result !== undefined && result !== OUT_OF_SPACE && result !== DEVICE_OVERLOAD) {
            problems.push(`delete ${key}: ${result}`);
          } else if (result === undefined && last.version !== 0) problems.push(`key ${key} is gone`);
          continue;
        }
        const voidTimeSec = random() < expiryShare ? nowSec() + pick(4) + 1 : 0;
        const result = shard.put(key, ++version, 16 + pick(valueMax), voidTimeSec);
        if (result === OK) model.push(key, { atMs: nowMs, version, voidTimeSec });
        else if (result !== OUT_OF_SPACE && result !== DEVICE_OVERLOAD)
          problems.push(`put ${key}: ${result}`);
      }
      if (step % 10 === 0) {
        const key = pick(keys);
        const expected = model.of(key).at(-1)!.version;
        const found = shard.get(key) ?? 0;
        if (found !== expected) problems.push(`key ${key}: served ${found}, acknowledged ${expected}`);
      }
      nowMs += STEP_MS;
      shard.tick(nowMs);
    }
    done.emptied += shard.counters[ST_DEFRAG_READS]!;
    done.moved += shard.counters[ST_DEFRAG_WRITES]! + shard.counters[ST_DEFRAG_PARTIAL_WRITES]!;
    io.cutPower();
    cutMs = nowMs;
    nowMs += pick(3000);
  }
  return problems;
}

test('what was acknowledged flush-max-ms before a power cut is there afterwards', t => {
  for (let seed = 1; seed <= SEEDS; seed++)
    t.deepEqual(
      runHistory(seed, 0, () => ({})),
      [],
      `seed ${seed}`,
    );
  t.true(done.emptied > SEEDS * 10 && done.moved > SEEDS * 5, JSON.stringify(done));
});

test('a device that fails writes and flushes now and then only delays them', t => {
  const faultsOf = (random: () => number): Partial<Faults> => ({
    failsWrite: () => random() < 0.03,
    failsFlush: () => random() < 0.05,
  });
  for (let seed = 1; seed <= SEEDS / 2; seed++) {
    t.deepEqual(runHistory(seed, 1000, faultsOf), [], `seed ${seed}`);
  }
});
