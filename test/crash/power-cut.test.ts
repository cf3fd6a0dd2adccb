/**
 * The engine's promise, under random histories on a device that loses power: a write or delete acknowledged more
 * than flush-max-ms before the cut is there afterwards, whatever was torn or reordered; nothing is served that was
 * not written; and what a start has served does not change by the next cut. A record that was said to have expired
 * stays so by the same promise, though the wall clock steps back an hour now and then.
 */
import test from 'ava';
import { DEVICE_OVERLOAD, OK, OUT_OF_SPACE } from '../../src/base/result.js';
import { newDataKey } from '../../src/storage/cipher/data-key.js';
import { CODEC_NAMES } from '../../src/storage/codec/codecs.js';
import {
  ST_DEFRAG_PARTIAL_WRITES,
  ST_DEFRAG_READS,
  ST_DEFRAG_WRITES,
  ST_FREE_BLOCKS,
  ST_RAIDED_MARKERS,
  ST_START_KIND,
  ST_STORED_CLOCK,
  START_CHECKPOINT,
} from '../../src/storage/engine.js';
import { ERASING } from '../../src/storage/write-block/block-table.js';
import type { ExtentDescription } from '../../src/storage/write-block/shard-extent.js';
import { type Faults, FaultyDisk, FaultyIo, seeded } from '../support/faulty-io.js';
import { SoundClock, STEP_MS } from '../support/sound-clock.js';
import { StorageShard } from '../support/storage-shard.js';

const KIB = 1024;
const SEEDS = Number(process.env.CALTROP_CRASH_SEEDS ?? 100);
const FLUSH_MAX_MS = 400;
const LIVES = 4;
const STEPS = 250;
const KEYS_MIN = 60;
const BLOCK_SIZE = 64 * KIB;
const BLOCKS_MIN = 8;
const BLOCKS_MAX = 24;
const DATA_AT = 64 * KIB;
/** A device that fails now and then may keep a clock mark waiting as long as this. */
const CLOCK_MARK_MS = 1000;
const HOUR_MS = 3_600_000;
/** With more free blocks than this a clock mark is never refused. */
const ROOMY = 4;
const CHECKPOINT_PATHS = ['disk.index-0-0', 'disk.index-0-1'];

/** One acknowledged state of a key. */
interface State {
  /** By the sound clock. */
  atMs: number;
  /** 0: deleted or never there. */
  version: number;
  voidTimeSec: number;
}

const GONE = { version: 0, voidTimeSec: 0 };

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

  /** States that a start may show: those not older than the last one that had to be durable. */
  since(key: number, durableByMs: number): readonly State[] {
    const states = this.of(key);
    return states.slice(
      Math.max(
        0,
        states.findLastIndex(({ atMs }) => atMs <= durableByMs),
      ),
    );
  }
}

/** What the histories of this run did; a test that never defrags proves nothing of it. */
const done = { emptied: 0, moved: 0, byCheckpoint: 0, viewed: 0, rebuilt: 0, compared: 0, raided: 0 };

interface Plan {
  /** A write is durable when it is acknowledged (commit-to-device), not flush-max-ms after. */
  readonly isCommitting?: boolean;
  /** Writes and flushes fail now and then, and then have to be asked for again. */
  readonly isFailing?: boolean;
  readonly isShadowed?: boolean;
}

/** @returns What went wrong. */
function runHistory(seed: number, plan: Plan): string[] {
  const { isCommitting = false, isFailing = false, isShadowed = false } = plan;
  const withinMs = isCommitting ? 0 : FLUSH_MAX_MS;
  const random = seeded(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  const blocks = BLOCKS_MIN + pick(BLOCKS_MAX - BLOCKS_MIN + 1);
  const disk = new FaultyDisk(DATA_AT + blocks * BLOCK_SIZE);
  const checkpointFiles = new Map(
    (seed % 3 === 0 ? [] : CHECKPOINT_PATHS).map(path => [path, new FaultyDisk(5 * 1024 * KIB)]),
  );
  const checkpointRandom = seeded(seed + 1_000_000); // so that the rest of a history is what it is without them
  const checkpointShare = checkpointRandom() * 0.1;
  // Where a primary is lost, so are its checkpoints: then nothing may be left that says how late a shard without any
  // room, which could not append a clock mark, knew it to be.
  const stepsBack = !isShadowed;
  const shadow = new FaultyDisk(isShadowed ? disk.bytes.length : 0);
  const files = new Map([...checkpointFiles, ['shadow', shadow]]);
  const pairRandom = seeded(seed + 2_000_000);
  const raidRandom = seeded(seed + 3_000_000);
  const raidShare = raidRandom() * 0.3;
  let isInStep = true;
  let isServing = false;
  const model = new Model();
  const problems: string[] = [];
  const valueMax = 200 + pick(6000);
  const fill = random() < 0.3 ? 0 : random() * 0.8;
  const keys = Math.max(KEYS_MIN, Math.floor((blocks * BLOCK_SIZE * fill) / (valueMax / 2 + 100)));
  const defragLwmPct = [0, 50, 50, 80, 95][pick(5)]!;
  const expiryShare = random() * random() * 0.5;
  const dataKey = seed % 3 === 0 ? newDataKey('aes-128') : null;
  let nowMs = 1_000_000;
  let wallMs = 500_000_000_000;
  const sound = new SoundClock();
  let version = 0;
  for (let life = 1; life <= LIVES && problems.length === 0; life++) {
    const extent: ExtentDescription = {
      path: 'disk',
      ...(checkpointFiles.size > 0 ? { checkpoints: CHECKPOINT_PATHS } : {}),
      dataKey,
      offset: DATA_AT,
      size: blocks * BLOCK_SIZE,
      owner: {
        setId: Uint32Array.of(1, 2, 3, seed),
        shard: 0,
        writeBlockSize: BLOCK_SIZE,
        startCount: life,
      },
      shadow: isShadowed ? { path: 'shadow', isDirect: false, isInStep } : null,
    };
    // A shadow that cannot be brought in step refuses the start, as it should.
    const mayFail = (): boolean => isServing || !isShadowed;
    const failing: Partial<Faults> = {
      failsWrite: (offset, _, on) => {
        if (!mayFail() || random() >= 0.03) return false;
        const block = Math.floor((offset - DATA_AT) / BLOCK_SIZE);
        // No record waits for what is written over a block that is given up, or for a checkpoint.
        const isErase = isServing && shard.engine.blocks.states[block] === ERASING;
        return (on !== disk && on !== shadow) || isErase || sound.fails(nowMs);
      },
      failsFlush: on =>
        mayFail() && random() < 0.05 && ((on !== disk && on !== shadow) || sound.fails(nowMs)),
    };
    const io = new FaultyIo(
      disk,
      32 * 1024 * KIB,
      random,
      { turnsMax: 2, ...(isFailing ? failing : {}) },
      files,
    );
    const limits = {
      flushMaxMs: FLUSH_MAX_MS,
      isCommitting,
      flushSize: [4096, 16_384, 1024 * KIB][pick(3)]!,
      commitMinSize: [0, 4096, 16_384][pick(3)]!,
      writeCacheMax: 8 * BLOCK_SIZE,
      postWriteCacheMax: pick(2) * 4 * BLOCK_SIZE,
      defragLwmPct,
      defragSleepMs: pick(2) * 20,
    };
    const shard = new StorageShard({
      backend: io,
      extent,
      limits,
      codec: seed % CODEC_NAMES.length,
      isResident: seed % 5 === 0,
      hasView: !isCommitting && seed % 5 !== 0 && seed % 2 === 1,
    });
    isServing = false;
    shard.recover(Math.floor(wallMs / 1000));
    isServing = true;
    /** Expiries that were shown and that nothing stored says yet: a shard without any room cannot say it. */
    let expiries: { voidTimeSec: number; state: State; number: number; sinceMs: number }[] = [];
    /** Writes that are not acknowledged yet; their keys are left alone, as by the shard. */
    let pending: { key: number; number: number; state: State }[] = [];
    const write = (key: number, state: State): void => {
      if (isCommitting) {
        state.atMs = Number.POSITIVE_INFINITY;
        pending.push({ key, number: shard.engine.appendedNumber, state });
      }
      model.push(key, state);
    };
    const expire = (key: number, voidTimeSec: number): void => {
      const state = { ...GONE, atMs: Number.POSITIVE_INFINITY };
      model.push(key, state);
      expiries.push({ voidTimeSec, state, number: 0, sinceMs: sound.ms });
    };
    for (let key = 0; key < keys; key++) {
      const states = model.since(key, sound.ms - withinMs);
      const isGone = ({ version: v, voidTimeSec }: State): boolean =>
        v === 0 || (voidTimeSec !== 0 && voidTimeSec <= shard.nowSec);
      const found = shard.get(key) ?? 0;
      const shown = states.filter(of => (found === 0 ? isGone(of) : of.version === found && !isGone(of)));
      if (shown.length === 0) {
        const known = states.map(of => `${of.version} until ${of.voidTimeSec}`).join(', ');
        problems.push(`life ${life} key ${key}: version ${found} of ${known} at ${shard.nowSec}`);
        continue;
      }
      // From here on this is what was served, and what must stay; which of them has expired may show until that is durable.
      const served = shown.map((of, i) => ({
        ...of,
        atMs: i === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
      }));
      model.states.set(key, served);
      const voidTimeSec = Math.max(0, ...shown.map(of => (of.version === found ? 0 : of.voidTimeSec)));
      if (voidTimeSec > 0) expire(key, voidTimeSec);
    }
    const steps = pick(STEPS);
    // Some lives end quietly: then nothing but the clock itself says how late it was.
    const writingSteps = random() < 0.4 ? steps / 2 : steps;
    for (let step = 0; step < steps; step++) {
      for (let i = step < writingSteps ? pick(20) : 0; i > 0; i--) {
        const key = pick(keys);
        if (pending.some(of => of.key === key)) continue;
        shard.clock.read(wallMs);
        const last = model.of(key).at(-1)!;
        if (random() < 0.3) {
          const result = random() < 0.4 ? shard.bury(key) : shard.delete(key);
          if (result === OK) write(key, { ...GONE, atMs: sound.ms });
          else if (result !== undefined && result !== OUT_OF_SPACE && result !== DEVICE_OVERLOAD) {
            problems.push(`delete ${key}: ${result}`);
          } else if (result === undefined && last.version !== 0) problems.push(`key ${key} is gone`);
          continue;
        }
        const voidTimeSec = random() < expiryShare ? shard.nowSec + pick(4) + 1 : 0;
        const result = shard.put(key, ++version, 16 + pick(valueMax), voidTimeSec);
        if (result === OK) write(key, { atMs: sound.ms, version, voidTimeSec });
        else if (result !== OUT_OF_SPACE && result !== DEVICE_OVERLOAD)
          problems.push(`put ${key}: ${result}`);
      }
      if (step % 10 === 0) {
        const key = pick(keys);
        const last = model.of(key).at(-1)!;
        const hasExpired = last.voidTimeSec !== 0 && last.voidTimeSec <= shard.nowSec;
        const expected = hasExpired ? 0 : last.version;
        const found = shard.get(key) ?? 0;
        if (found !== expected) problems.push(`key ${key}: served ${found}, acknowledged ${expected}`);
        if (hasExpired) expire(key, last.voidTimeSec);
      }
      if (step % 40 === 39) {
        for (let key = pick(keys); key < keys; key += 3) shard.forgetTombstone(key);
        for (let key = 0; key < keys; key++) {
          // Reads may have shown already that it has expired: what says it for good is the record's void-time.
          const { voidTimeSec } = model.of(key).findLast(of => of.version !== 0) ?? GONE;
          if (shard.expire(key)) expire(key, voidTimeSec);
        }
      }
      const { checkpoints } = shard.engine;
      if (checkpoints?.isActive) checkpoints.step(0);
      else if (checkpointRandom() < checkpointShare) checkpoints?.start();
      const { raid } = shard.engine;
      if (raid.isActive) raid.step(nowMs, STEP_MS, 0);
      else if (raidRandom() < raidShare) raid.start(nowMs);
      nowMs += STEP_MS;
      wallMs += STEP_MS;
      if (random() < 0.002 && stepsBack) wallMs -= HOUR_MS;
      shard.tick(nowMs, wallMs);
      sound.step(nowMs);
      const storedMs = shard.counters[ST_STORED_CLOCK]!;
      const { appendedNumber, committedNumber } = shard.engine;
      for (const expiry of expiries) {
        if (expiry.number === 0 && expiry.voidTimeSec * 1000 <= storedMs) expiry.number = appendedNumber;
        if (expiry.number > 0 && (!isCommitting || expiry.number <= committedNumber))
          expiry.state.atMs = sound.ms;
      }
      for (const of of pending) if (of.number <= committedNumber) of.state.atMs = sound.ms;
      pending = pending.filter(of => of.number > committedNumber);
      expiries = expiries.filter(({ state }) => state.atMs === Number.POSITIVE_INFINITY);
      const isUnsaid = expiries.some(of => of.number === 0 && of.sinceMs <= sound.ms - CLOCK_MARK_MS);
      if (isUnsaid && shard.counters[ST_FREE_BLOCKS]! > ROOMY) problems.push('no clock mark');
    }
    done.byCheckpoint += shard.counters[ST_START_KIND] === START_CHECKPOINT ? 1 : 0;
    done.viewed += shard.viewed;
    done.raided += shard.counters[ST_RAIDED_MARKERS]!;
    done.emptied += shard.counters[ST_DEFRAG_READS]!;
    done.moved += shard.counters[ST_DEFRAG_WRITES]! + shard.counters[ST_DEFRAG_PARTIAL_WRITES]!;
    io.cutPower();
    isInStep = false;
    if (isShadowed && pairRandom() < 0.5) {
      // One of the two is lost with the power, and rebuilt from the other.
      const [lost, kept] = pairRandom() < 0.7 ? [disk, shadow] : [shadow, disk];
      lost.bytes.set(kept.bytes);
      lost.durable.set(kept.durable);
      if (lost === disk) for (const file of checkpointFiles.values()) file.erase();
      isInStep = true;
      done.rebuilt++;
    } else if (isShadowed) done.compared += Buffer.compare(disk.bytes, shadow.bytes) === 0 ? 0 : 1;
    const offMs = pick(3000);
    nowMs += offMs;
    wallMs += random() < 0.3 && stepsBack ? offMs - HOUR_MS : offMs;
  }
  return problems;
}

test('with commit-to-device nothing that was acknowledged is lost or comes undone', t => {
  for (let seed = 1; seed <= SEEDS; seed++)
    t.deepEqual(runHistory(seed, { isCommitting: true }), [], `seed ${seed}`);
});

test('nor is it on a device that fails writes and flushes now and then', t => {
  for (let seed = 1; seed <= SEEDS / 2; seed++) {
    t.deepEqual(runHistory(seed, { isCommitting: true, isFailing: true }), [], `seed ${seed}`);
  }
});

test('what was acknowledged flush-max-ms before a power cut is there afterwards', t => {
  for (let seed = 1; seed <= SEEDS; seed++) t.deepEqual(runHistory(seed, {}), [], `seed ${seed}`);
  t.true(done.emptied > SEEDS * 10 && done.moved > SEEDS * 5, JSON.stringify(done));
  t.true(done.byCheckpoint > SEEDS / 2 && done.raided > SEEDS, JSON.stringify(done));
  t.true(done.viewed > SEEDS * 500, JSON.stringify(done));
  t.log(JSON.stringify(done));
});

test('a device that fails writes and flushes now and then only delays them', t => {
  for (let seed = 1; seed <= SEEDS / 2; seed++) {
    t.deepEqual(runHistory(seed, { isFailing: true }), [], `seed ${seed}`);
  }
});

test('a device and its shadow lose different writes, or one of them is lost: nothing that was promised is', t => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    t.deepEqual(runHistory(seed, { isCommitting: true, isShadowed: true }), [], `seed ${seed}`);
    t.deepEqual(runHistory(seed, { isShadowed: true }), [], `seed ${seed}`);
  }
  t.true(done.rebuilt > SEEDS && done.compared > SEEDS, JSON.stringify(done));
});

test('nor is it when either of them fails writes and flushes now and then', t => {
  for (let seed = 1; seed <= SEEDS / 2; seed++) {
    t.deepEqual(runHistory(seed, { isFailing: true, isShadowed: true }), [], `seed ${seed}`);
  }
});
