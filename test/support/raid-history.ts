/**
 * Histories in which delete markers are all that keeps records dead: some records are written once and stay, others are
 * written beside them and deleted later, a few are overwritten again and again. So blocks with deleted records stay in
 * use for long, while those with their markers are emptied. The tomb raider raids at random, and at every moment the
 * power may be cut: the device that a cut would leave is started cold beside, and shows no record that was deleted.
 */
import { DEVICE_OVERLOAD, OK, OUT_OF_SPACE } from '../../src/base/result.js';
import { newDataKey } from '../../src/storage/cipher/data-key.js';
import * as ST from '../../src/storage/engine.js';
import { ERASING } from '../../src/storage/write-block/block-table.js';
import type { ExtentDescription } from '../../src/storage/write-block/shard-extent.js';
import { FaultyDisk, FaultyIo, seeded } from './faulty-io.js';
import { SoundClock, STEP_MS } from './sound-clock.js';
import { StorageShard } from './storage-shard.js';

const KIB = 1024;
const FLUSH_MAX_MS = 400;
const LIVES = 3;
const STEPS = 300;
const BLOCK_SIZE = 64 * KIB;
const BLOCKS_MIN = 8;
const BLOCKS_MAX = 20;
const DATA_AT = 64 * KIB;
const BUFFERS = 16 * KIB * KIB;
const CHECKPOINT_PATHS = ['disk.index-0-0', 'disk.index-0-1'];
const HOUR_MS = 3_600_000;
/** Steps after markers were let go of in which a cut is more likely. */
const TENSE_STEPS = 30;

export interface RaidPlan {
  /** Writes are acknowledged once they are durable. */
  readonly isCommitting?: boolean;
  /** Writes and flushes fail now and then, those that give up a block more often. */
  readonly isFailing?: boolean;
  readonly isShadowed?: boolean;
}

/** What the histories of a run did: one that lets nothing go proves nothing. */
export class RaidOutcome {
  raids = 0;
  markers = 0;
  /** Raids that a power cut, a kill or a stop ended. */
  cutShort = 0;
  probes = 0;
  cold = 0;
  byCheckpoint = 0;
  moved = 0;
  truncated = 0;
  expired = 0;
}

/** One acknowledged state of a key; version 0: deleted, or never there. */
interface State {
  /** By the sound clock. */
  atMs: number;
  readonly version: number;
  readonly voidTimeSec: number;
}

const NEVER: State = { atMs: Number.NEGATIVE_INFINITY, version: 0, voidTimeSec: 0 };

class RaidHistory {
  readonly #plan: RaidPlan;
  readonly #outcome: RaidOutcome;
  readonly #random: () => number;
  /** Decides what a probe's power cut leaves, so that probes change nothing of the history. */
  readonly #probeRandom: () => number;
  readonly #seed: number;
  readonly #blocks: number;
  readonly #disk: FaultyDisk;
  readonly #shadow: FaultyDisk;
  readonly #checkpoints: ReadonlyMap<string, FaultyDisk>;
  readonly #dataKey;
  readonly #withinMs: number;
  readonly #sound = new SoundClock();
  /** By key, what it was; the last is what it is. */
  readonly #states: State[][] = [];
  readonly #cold: number[] = [];
  readonly #hot: number[] = [];
  /** Records that will be deleted, and those that were. */
  #doomed: number[] = [];
  readonly #dead: number[] = [];
  #pending: { key: number; number: number; state: State }[] = [];
  #expiries: { voidTimeSec: number; state: State; number: number }[] = [];
  /** Records with LUTs up to this were truncated, as the server remembers elsewhere. */
  #truncatedLut = 0;
  #nowMs = 1_000_000;
  #wallMs = 500_000_000_000;
  #version = 0;
  #isServing = false;
  #isInStep = true;
  #io!: FaultyIo;
  #shard!: StorageShard;
  readonly problems: string[] = [];

  constructor(seed: number, plan: RaidPlan, outcome: RaidOutcome) {
    this.#seed = seed;
    this.#plan = plan;
    this.#outcome = outcome;
    this.#random = seeded(seed);
    this.#probeRandom = seeded(seed + 1_000_000);
    this.#blocks = BLOCKS_MIN + this.#pick(BLOCKS_MAX - BLOCKS_MIN + 1);
    const size = DATA_AT + this.#blocks * BLOCK_SIZE;
    this.#disk = new FaultyDisk(size);
    this.#shadow = new FaultyDisk(plan.isShadowed ? size : 0);
    const paths = seed % 2 === 0 ? CHECKPOINT_PATHS : [];
    this.#checkpoints = new Map(paths.map(path => [path, new FaultyDisk(5 * 1024 * KIB)]));
    this.#dataKey = seed % 3 === 0 ? newDataKey('aes-128') : null;
    this.#withinMs = plan.isCommitting ? 0 : FLUSH_MAX_MS;
  }

  run(): void {
    const defragLwmPct = [0, 0, 5, 20, 50][this.#pick(5)]!;
    const valueMax = 100 + this.#pick(1500);
    const recordsMax = (this.#blocks * BLOCK_SIZE) / (valueMax / 2 + 150);
    const coldMax = Math.floor(recordsMax * (0.1 + this.#random() * 0.3));
    const doomedMax = Math.floor(recordsMax * (0.05 + this.#random() * 0.2));
    const expiryShare = this.#seed % 2 === 0 ? 0 : this.#random() * 0.3;
    const truncationShare = this.#seed % 4 === 1 ? 0.003 : 0;
    const checkpointShare = this.#random() * 0.3;
    const raidShare = 0.02 + this.#random() * 0.3;
    const raidPace = 1 + this.#pick(4);
    for (let i = 5 + this.#pick(20); i > 0; i--) this.#hot.push(this.#newKey());
    for (let life = 1; life <= LIVES && this.problems.length === 0; life++) {
      this.#start(life, defragLwmPct);
      const { engine, counters } = this.#shard;
      let isSowing = true;
      let phaseEnd = 0;
      let tenseTo = 0;
      let raided = 0;
      const steps = STEPS / 2 + this.#pick(STEPS);
      for (let step = 0; step < steps && this.problems.length === 0; step++) {
        if (step === phaseEnd) {
          isSowing = !isSowing;
          phaseEnd += 20 + this.#pick(60);
        }
        for (let i = this.#pick(16); i > 0; i--) {
          const size = 16 + this.#pick(valueMax);
          const voidTimeSec = this.#random() < expiryShare ? this.#shard.nowSec + 1 + this.#pick(4) : 0;
          const lot = this.#random();
          if (isSowing && lot < 0.35 && this.#cold.length < coldMax) {
            this.#put(this.#newKey(this.#cold), size, 0);
          } else if (lot < (isSowing ? 0.75 : 0.1) && this.#doomed.length < doomedMax) {
            this.#put(this.#doomedKey(), size, voidTimeSec);
          } else if (!isSowing && lot < 0.4 && this.#doomed.length > 0) {
            const place = this.#pick(this.#doomed.length);
            if (this.#delete(this.#doomed[place]!)) this.#dead.push(...this.#doomed.splice(place, 1));
          } else this.#put(this.#hot[this.#pick(this.#hot.length)]!, size, voidTimeSec);
        }
        if (this.#random() < truncationShare) this.#truncate();
        if (step % 20 === 19) this.#upkeep();
        if (engine.checkpoints?.isActive) engine.checkpoints.step(0);
        else if (this.#random() < checkpointShare) engine.checkpoints?.start();
        if (!engine.raid.isActive && this.#random() < raidShare) engine.raid.start(this.#nowMs);
        for (let i = 0; i < raidPace && engine.raid.isActive; i++) {
          engine.raid.step(this.#nowMs, this.#random() < 0.5 ? 0 : STEP_MS * 1000, 0);
          this.#shard.io.drain();
        }
        this.#tick();
        if (counters[ST.ST_RAIDED_MARKERS]! > raided) tenseTo = step + TENSE_STEPS;
        raided = counters[ST.ST_RAIDED_MARKERS]!;
        const erasing = engine.blocks.states.filter(state => state === ERASING).length;
        const isTense = erasing > 1 || (step < tenseTo && erasing > 0);
        const chance = isTense ? 0.2 : step < tenseTo ? 0.08 : 0.005;
        if (this.#probeRandom() < chance) this.#probe(`life ${life} step ${step}`);
      }
      this.#end();
    }
  }

  #pick(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #newKey(list?: number[]): number {
    const key = this.#states.push([NEVER]) - 1;
    list?.push(key);
    return key;
  }

  /** A new key, or now and then one that was deleted. */
  #doomedKey(): number {
    if (this.#dead.length === 0 || this.#random() > 0.1) return this.#newKey(this.#doomed);
    const [key] = this.#dead.splice(this.#pick(this.#dead.length), 1);
    this.#doomed.push(key!);
    return key!;
  }

  #extent(path: string, startCount: number): ExtentDescription {
    const owner = {
      setId: Uint32Array.of(1, 2, 3, this.#seed),
      shard: 0,
      writeBlockSize: BLOCK_SIZE,
      startCount,
    };
    return { path, dataKey: this.#dataKey, offset: DATA_AT, size: this.#blocks * BLOCK_SIZE, owner };
  }

  #start(life: number, defragLwmPct: number): void {
    const { isShadowed, isFailing, isCommitting = false } = this.#plan;
    // A cold start: from the blocks alone.
    if (this.#random() < 0.4) for (const file of this.#checkpoints.values()) file.erase();
    const failing = {
      failsWrite: (offset: number, _: number, disk: FaultyDisk) => {
        if (!this.#isServing) return false;
        const block = Math.floor((offset - DATA_AT) / BLOCK_SIZE);
        const givesUp = disk === this.#disk && this.#shard.engine.blocks.states[block] === ERASING;
        return this.#random() < (givesUp ? 0.6 : 0.03) && this.#fails(givesUp ? undefined : disk);
      },
      failsFlush: (disk: FaultyDisk) => this.#isServing && this.#random() < 0.05 && this.#fails(disk),
    };
    const faults = { turnsMax: 2, ...(isFailing ? failing : {}) };
    const files = new Map([...this.#checkpoints, ['shadow', this.#shadow]]);
    this.#io = new FaultyIo(this.#disk, BUFFERS, this.#random, faults, files);
    this.#shard = new StorageShard({
      backend: this.#io,
      extent: {
        ...this.#extent('disk', life),
        ...(this.#checkpoints.size > 0 ? { checkpoints: CHECKPOINT_PATHS } : {}),
        shadow: isShadowed ? { path: 'shadow', isDirect: false, isInStep: this.#isInStep } : null,
      },
      limits: {
        flushMaxMs: FLUSH_MAX_MS,
        isCommitting,
        flushSize: [16 * KIB, 1024 * KIB][this.#pick(2)]!,
        writeCacheMax: 8 * BLOCK_SIZE,
        postWriteCacheMax: this.#pick(2) * 4 * BLOCK_SIZE,
        defragLwmPct,
        defragSleepMs: this.#pick(2) * 20,
      },
      isResident: this.#seed % 5 === 0,
      hasView: !isCommitting && this.#seed % 5 !== 0 && this.#seed % 2 === 1,
    });
    this.#isServing = false;
    this.#shard.recover(Math.floor(this.#wallMs / 1000));
    this.#isServing = true;
    this.#dropTruncated(this.#shard);
    const isByCheckpoint = this.#shard.counters[ST.ST_START_KIND] === ST.START_CHECKPOINT;
    this.#outcome[isByCheckpoint ? 'byCheckpoint' : 'cold']++;
    this.#takeServed(life);
  }

  /** @param disk Where records wait for what fails, if they do. */
  #fails(disk?: FaultyDisk): true {
    if (disk === this.#disk) this.#sound.fails(this.#nowMs);
    return true;
  }

  /** States of a key that may be shown after an end at which those up to `durableByMs` had to be durable. */
  #allowed(key: number, durableByMs: number): State[] {
    const states = this.#states[key]!;
    return states.slice(
      Math.max(
        0,
        states.findLastIndex(({ atMs }) => atMs <= durableByMs),
      ),
    );
  }

  /** Those of them that `shard` shows. */
  #shown(shard: StorageShard, key: number, allowed: readonly State[]): State[] {
    const isGone = ({ version, voidTimeSec }: State): boolean =>
      version === 0 || (voidTimeSec !== 0 && voidTimeSec <= shard.nowSec);
    const found = shard.get(key) ?? 0;
    const shown = allowed.filter(of => (found === 0 ? isGone(of) : of.version === found && !isGone(of)));
    if (shown.length > 0) return shown;
    const known = allowed.map(of => `${of.version} until ${of.voidTimeSec}`).join(', ');
    this.problems.push(`key ${key}: version ${found} of ${known} at ${shard.nowSec}`);
    return [];
  }

  #durableByMs = Number.NEGATIVE_INFINITY;

  /** What a start shows must stay. */
  #takeServed(life: number): void {
    this.#pending = [];
    this.#expiries = [];
    this.#doomed = [];
    this.#dead.length = 0;
    const count = this.problems.length;
    const kept = new Set([...this.#hot, ...this.#cold]);
    for (let key = 0; key < this.#states.length; key++) {
      const shown = this.#shown(this.#shard, key, this.#allowed(key, this.#durableByMs));
      this.#states[key] = shown.map((of, i) => ({
        ...of,
        atMs: i === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
      }));
      const last = shown.at(-1);
      if (last === undefined) continue;
      const isThere = this.#shard.get(key) !== undefined;
      if (!kept.has(key)) (isThere ? this.#doomed : this.#dead).push(key);
      const voidTimeSec = isThere ? 0 : Math.max(0, ...shown.map(of => of.voidTimeSec));
      if (voidTimeSec > 0) this.#expire(key, voidTimeSec);
    }
    if (this.problems.length > count) this.problems.unshift(`life ${life}`);
  }

  #put(key: number, size: number, voidTimeSec: number): void {
    if (this.#isPending(key)) return;
    this.#shard.clock.read(this.#wallMs);
    const version = ++this.#version;
    const result = this.#shard.put(key, version, size, voidTimeSec);
    if (result === OK) this.#push(key, { atMs: this.#sound.ms, version, voidTimeSec });
    else if (result !== OUT_OF_SPACE && result !== DEVICE_OVERLOAD)
      this.problems.push(`put ${key}: ${result}`);
  }

  /** @returns Whether the record is gone now. */
  #delete(key: number): boolean {
    if (this.#isPending(key)) return false;
    this.#shard.clock.read(this.#wallMs);
    const result = this.#random() < 0.4 ? this.#shard.bury(key) : this.#shard.delete(key);
    if (result === OK) this.#push(key, { ...NEVER, atMs: this.#sound.ms });
    else if (result !== undefined && result !== OUT_OF_SPACE && result !== DEVICE_OVERLOAD) {
      this.problems.push(`delete ${key}: ${result}`);
    }
    return result === OK || result === undefined;
  }

  #isPending(key: number): boolean {
    return this.#pending.some(of => of.key === key);
  }

  #push(key: number, state: State): void {
    if (this.#plan.isCommitting) {
      state.atMs = Number.POSITIVE_INFINITY;
      this.#pending.push({ key, number: this.#shard.engine.appendedNumber, state });
    }
    this.#states[key]!.push(state);
  }

  #expire(key: number, voidTimeSec: number): void {
    const state = { ...NEVER, atMs: Number.POSITIVE_INFINITY };
    this.#states[key]!.push(state);
    this.#expiries.push({ voidTimeSec, state, number: 0 });
    this.#outcome.expired++;
  }

  /** What nsup and the tomb raider do for the index. */
  #upkeep(): void {
    for (let key = this.#pick(3); key < this.#states.length; key += 3) this.#shard.forgetTombstone(key);
    for (let key = 0; key < this.#states.length; key++) {
      if (this.#isPending(key)) continue;
      const { voidTimeSec } = this.#states[key]!.findLast(of => of.version !== 0) ?? NEVER;
      if (this.#shard.expire(key)) this.#expire(key, voidTimeSec);
    }
  }

  #truncate(): void {
    if (this.#pending.length > 0) return;
    this.#truncatedLut = this.#shard.clock.ms;
    this.#dropTruncated(this.#shard);
    for (const states of this.#states) if (states.at(-1)!.version !== 0) states.push({ ...NEVER });
    this.#outcome.truncated++;
    // Whatever a state was before does not count: its LUT is among those truncated, durably so.
    for (const states of this.#states)
      states.splice(0, states.length - 1, { ...states.at(-1)!, atMs: NEVER.atMs });
    this.#expiries = [];
    this.#cold.length = 0;
    this.#dead.push(...this.#doomed.splice(0));
  }

  #dropTruncated({ index, engine, clock }: StorageShard): void {
    clock.raise(this.#truncatedLut + 1);
    for (let pid = 0; pid < 4096; pid++) {
      for (let entry = index.first(pid); entry >= 0; ) {
        const next = index.next(pid, entry);
        if (index.lut(entry) <= this.#truncatedLut) {
          engine.drop(entry);
          index.remove(entry);
        }
        entry = next;
      }
    }
  }

  #tick(): void {
    this.#nowMs += STEP_MS;
    this.#wallMs += STEP_MS;
    if (this.#random() < 0.002) this.#wallMs -= HOUR_MS;
    this.#shard.tick(this.#nowMs, this.#wallMs);
    this.#sound.step(this.#nowMs);
    const { appendedNumber, committedNumber } = this.#shard.engine;
    const storedMs = this.#shard.counters[ST.ST_STORED_CLOCK]!;
    for (const expiry of this.#expiries) {
      if (expiry.number === 0 && expiry.voidTimeSec * 1000 <= storedMs) expiry.number = appendedNumber;
      if (expiry.number > 0 && (!this.#plan.isCommitting || expiry.number <= committedNumber))
        expiry.state.atMs = this.#sound.ms;
    }
    this.#expiries = this.#expiries.filter(({ state }) => state.atMs === Number.POSITIVE_INFINITY);
    for (const of of this.#pending) if (of.number <= committedNumber) of.state.atMs = this.#sound.ms;
    this.#pending = this.#pending.filter(of => of.number > committedNumber);
  }

  /** Starts cold what a power cut would leave now, of the device or of its shadow. */
  #probe(when: string): void {
    this.#outcome.probes++;
    const disk = this.#plan.isShadowed && this.#probeRandom() < 0.5 ? this.#shadow : this.#disk;
    const image = this.#io.imageAfterCut(disk, this.#probeRandom);
    const backend = new FaultyIo(image, BUFFERS, this.#probeRandom);
    const shard = new StorageShard({ backend, extent: this.#extent('disk', LIVES + 1) });
    shard.recover(Math.floor((this.#wallMs - (this.#probeRandom() < 0.3 ? HOUR_MS : 0)) / 1000));
    this.#dropTruncated(shard);
    const count = this.problems.length;
    for (let key = 0; key < this.#states.length; key++) {
      this.#shown(shard, key, this.#allowed(key, this.#sound.ms - this.#withinMs));
    }
    if (this.problems.length > count) this.problems.unshift(`${when}, a cut`);
  }

  #end(): void {
    const { engine, counters } = this.#shard;
    this.#outcome.raids += counters[ST.ST_RAIDS]!;
    this.#outcome.markers += counters[ST.ST_RAIDED_MARKERS]!;
    this.#outcome.moved += counters[ST.ST_DEFRAG_READS]!;
    if (engine.raid.isActive) this.#outcome.cutShort++;
    const chance = this.#random();
    const isClean = chance < 0.2 && !this.#plan.isFailing;
    if (isClean) engine.close();
    else if (chance < 0.4) this.#io.kill();
    else this.#io.cutPower();
    this.#isInStep = isClean;
    this.#durableByMs = this.#sound.ms - (isClean ? 0 : this.#withinMs);
    if (this.#plan.isShadowed && !isClean && this.#random() < 0.5) this.#loseOne();
    const offMs = this.#pick(3000);
    this.#nowMs += offMs;
    this.#wallMs += this.#random() < 0.3 ? offMs - HOUR_MS : offMs;
  }

  /** One of the device and its shadow is lost, and rebuilt from the other. */
  #loseOne(): void {
    const [lost, kept] = this.#random() < 0.7 ? [this.#disk, this.#shadow] : [this.#shadow, this.#disk];
    lost.erase();
    lost.bytes.set(kept.bytes);
    lost.durable.set(kept.bytes);
    if (lost === this.#disk) for (const file of this.#checkpoints.values()) file.erase();
    this.#isInStep = true;
  }
}

/** @returns What went wrong. */
export function runRaidHistory(seed: number, plan: RaidPlan, outcome: RaidOutcome): string[] {
  const history = new RaidHistory(seed, plan, outcome);
  history.run();
  return history.problems.slice(0, 8);
}
