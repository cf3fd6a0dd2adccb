/**
 * A start by a checkpoint and the blocks written since is as good as a cold one: random histories with checkpoints
 * begun at random moments end in a power cut, a kill or a clean stop, at any moment of a checkpoint; then the same
 * image of the devices is started both ways, and the two indexes must be equal. The start by checkpoint lives on.
 */
import test from 'ava';
import { DEVICE_OVERLOAD, OK, OUT_OF_SPACE } from '../../src/base/result.js';
import { newDataKey } from '../../src/storage/cipher/data-key.js';
import * as ST from '../../src/storage/engine.js';
import type { ExtentDescription } from '../../src/storage/write-block/shard-extent.js';
import { type Faults, FaultyDisk, FaultyIo, seeded } from '../support/faulty-io.js';
import { StorageShard } from '../support/storage-shard.js';

const KIB = 1024;
const MIB = KIB * KIB;
const SEEDS = Number(process.env.CALTROP_CRASH_SEEDS ?? 100);
const FLUSH_MAX_MS = 200;
const STEP_MS = 10;
const LIVES = 5;
const STEPS = 200;
const BLOCK_SIZE = 64 * KIB;
const BLOCKS = 20;
const DATA_AT = 64 * KIB;
const BUFFERS = 16 * MIB;
const CHECKPOINT_SIZE = 5 * MIB;
const PATHS = ['disk.index-0-0', 'disk.index-0-1'] as const;

/** What the histories of this run came to: one that never loads a checkpoint proves nothing. */
class Outcome {
  byCheckpoint = 0;
  cold = 0;
  replayed = 0;
  /** Ends with a checkpoint under way. */
  inTheMiddle = 0;
  written = 0;
  failed = 0;
  defragged = 0;
}

interface Devices {
  readonly disk: FaultyDisk;
  readonly files: ReadonlyMap<string, FaultyDisk>;
}

interface Plan {
  readonly faults: (random: () => number, devices: Devices) => Partial<Faults>;
  /** What happens to the files between two lives. */
  readonly between: (random: () => number, devices: Devices) => void;
}

function newDevices(): Devices {
  return {
    disk: new FaultyDisk(DATA_AT + BLOCKS * BLOCK_SIZE),
    files: new Map(PATHS.map(path => [path, new FaultyDisk(CHECKPOINT_SIZE)])),
  };
}

function copyOf(disk: FaultyDisk): FaultyDisk {
  const copy = new FaultyDisk(disk.bytes.length);
  copy.bytes.set(disk.bytes);
  copy.durable.set(disk.bytes);
  return copy;
}

/** Everything that a start knows of its records, in a form to compare; and the bytes that count in each block. */
function contentsOf(shard: StorageShard): { records: Map<string, string>; figures: string } {
  const { index, counters, engine } = shard;
  const records = new Map<string, string>();
  const digest = Buffer.alloc(20);
  for (let pid = 0; pid < 4096; pid++) {
    for (let entry = index.first(pid); entry >= 0; entry = index.next(pid, entry)) {
      index.digestTo(entry, digest, 0);
      const set = shard.sets.nameOf(index.setId(entry));
      const times = `${index.generation(entry)} ${index.voidTime(entry)} ${index.lut(entry)}`;
      records.set(digest.toString('hex'), `${index.sequence(entry)} ${set} ${times} ${index.size(entry)}`);
    }
  }
  const used = engine.blocks.used.reduce((sum, bytes) => sum + bytes, 0);
  const slots = [counters[ST.ST_RECOVERED_RECORDS], counters[ST.ST_USED_BYTES], index.count, used];
  return { records, figures: `${slots.join(' ')} ${[...shard.recovered].sort().join(' ')}` };
}

function differences(a: ReturnType<typeof contentsOf>, b: ReturnType<typeof contentsOf>): string[] {
  const keys = new Set([...a.records.keys(), ...b.records.keys()]);
  const problems = [...keys]
    .filter(key => a.records.get(key) !== b.records.get(key))
    .map(key => `${key}: by checkpoint ${a.records.get(key)}, cold ${b.records.get(key)}`);
  if (a.figures !== b.figures) problems.push(`figures: by checkpoint ${a.figures}, cold ${b.figures}`);
  return problems.slice(0, 5);
}

/** @returns What went wrong. */
function runHistory(seed: number, plan: Plan, outcome: Outcome): string[] {
  const random = seeded(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  const devices = newDevices();
  const valueMax = 50 + pick(1500);
  const keys = 60 + pick(500);
  const expiryShare = seed % 2 === 0 ? 0 : random() * 0.3;
  const checkpointShare = random() * 0.2;
  const defragLwmPct = [0, 50, 80][pick(3)]!;
  const dataKey = seed % 4 === 0 ? newDataKey('aes-128') : null;
  const faults = { turnsMax: 2, ...plan.faults(random, devices) };
  let startCount = 0;
  let nowMs = 1_000_000;
  let version = 0;
  let wasClean = false;
  const nowSec = (): number => Math.floor(nowMs / 1000);
  const open = ({ disk, files }: Devices, hasCheckpoints: boolean): { io: FaultyIo; shard: StorageShard } => {
    const extent: ExtentDescription = {
      path: 'disk',
      dataKey,
      offset: DATA_AT,
      size: BLOCKS * BLOCK_SIZE,
      owner: { setId: Uint32Array.of(1, 2, 3, seed), shard: 0, writeBlockSize: BLOCK_SIZE, startCount },
      ...(hasCheckpoints ? { checkpoints: PATHS } : {}),
    };
    const io = new FaultyIo(disk, BUFFERS, random, hasCheckpoints ? faults : { turnsMax: 0 }, files);
    const limits = {
      flushMaxMs: FLUSH_MAX_MS,
      writeCacheMax: 8 * BLOCK_SIZE,
      postWriteCacheMax: 0,
      defragLwmPct,
      defragSleepMs: 0,
    };
    return { io, shard: new StorageShard({ backend: io, extent, limits }) };
  };
  for (let life = 1; life <= LIVES; life++) {
    plan.between(random, devices);
    startCount++;
    if (random() < 0.2) {
      // A start that is killed in its middle; the next one is as if it had not been.
      let asked = pick(8);
      open(devices, true).shard.recover(nowSec(), () => asked-- <= 0);
      startCount++;
    }
    const image = copyOf(devices.disk);
    const { io, shard } = open(devices, true);
    shard.recover(nowSec());
    const cold = open({ disk: image, files: devices.files }, false).shard.recover(nowSec());
    const found = differences(contentsOf(shard), contentsOf(cold));
    if (found.length > 0) return [`life ${life}`, ...found, ...shard.log.lines];
    for (let block = 0; block < BLOCKS; block++) {
      const { markers, origins } = cold.engine.blocks;
      // Where records expire, a cold start sees markers in those that were dropped long ago, needed no more.
      const isNeeded =
        expiryShare === 0 &&
        markers[block]! > 0 &&
        cold.engine.blocks.lowestWithout(block) <= origins[block]!;
      if (isNeeded && shard.engine.blocks.markers[block] === 0) {
        return [`life ${life}: block ${block} has forgotten markers`];
      }
    }
    const isByCheckpoint = shard.counters[ST.ST_START_KIND] === ST.START_CHECKPOINT;
    if (isByCheckpoint) outcome.byCheckpoint++;
    else outcome.cold++;
    outcome.replayed += isByCheckpoint ? shard.counters[ST.ST_REPLAYED_RECORDS]! : 0;
    if (wasClean && plan === NOTHING && shard.counters[ST.ST_REPLAYED_RECORDS] !== 0) {
      return [`life ${life}: something was left to replay after a clean stop`];
    }
    for (let key = 0; key < keys; key++) {
      const found = shard.get(key) ?? 0; // throws on a record that is not what was written
      if (found < 0) return [`life ${life}: key ${key} cannot be read`, ...shard.log.lines];
    }
    const { checkpoints } = shard.engine;
    for (let steps = pick(STEPS); steps > 0; steps--) {
      for (let i = pick(12); i > 0; i--) {
        const key = pick(keys);
        if (random() < 0.3) {
          shard.delete(key);
          continue;
        }
        const voidTimeSec = random() < expiryShare ? nowSec() + pick(4) + 1 : 0;
        const result = shard.put(key, ++version, 16 + pick(valueMax), voidTimeSec);
        if (result !== OK && result !== OUT_OF_SPACE && result !== DEVICE_OVERLOAD) return [`put: ${result}`];
      }
      if (!checkpoints!.isActive && random() < checkpointShare) checkpoints!.start();
      else if (random() < 0.7) checkpoints!.step(0);
      nowMs += STEP_MS;
      shard.tick(nowMs);
    }
    outcome.defragged += shard.counters[ST.ST_DEFRAG_READS]!;
    const end = random();
    wasClean = end < 0.25;
    if (checkpoints!.isActive && !wasClean) outcome.inTheMiddle++;
    if (wasClean) shard.engine.close();
    else if (end < 0.8) io.cutPower();
    outcome.written += shard.counters[ST.ST_CHECKPOINTS]!;
    outcome.failed += shard.counters[ST.ST_CHECKPOINT_ERRORS]!;
    nowMs += pick(3000);
  }
  return [];
}

const NOTHING: Plan = { faults: () => ({}), between: () => {} };

test('a start by checkpoint finds what a cold start finds, whenever the power was cut', t => {
  const outcome = new Outcome();
  for (let seed = 1; seed <= SEEDS; seed++)
    t.deepEqual(runHistory(seed, NOTHING, outcome), [], `seed ${seed}`);
  t.log(JSON.stringify(outcome));
  t.true(outcome.byCheckpoint > SEEDS && outcome.replayed > SEEDS * 20 && outcome.inTheMiddle > SEEDS / 2);
  t.true(outcome.defragged > SEEDS, 'and defrag moves records meanwhile');
  t.is(outcome.failed, 0);
});

test('checkpoints that cannot be written cost nothing else', t => {
  const outcome = new Outcome();
  const plan: Plan = {
    ...NOTHING,
    faults: (random, { disk }) => ({
      failsWrite: (_offset, _length, on) => on !== disk && random() < 0.1,
      failsFlush: on => on !== disk && random() < 0.1,
    }),
  };
  for (let seed = 1; seed <= SEEDS; seed++) t.deepEqual(runHistory(seed, plan, outcome), [], `seed ${seed}`);
  t.log(JSON.stringify(outcome));
  t.true(outcome.failed > SEEDS / 2 && outcome.byCheckpoint > SEEDS / 4);
});

test('a damaged checkpoint is noticed, and the one before or the blocks take its place', t => {
  const outcome = new Outcome();
  const plan: Plan = {
    ...NOTHING,
    between: (random, { files }) => {
      for (const file of files.values()) {
        if (random() < 0.5) continue;
        // Where something is: the headers, a piece of entries, and the tables.
        const place = [0, 4096, 4096 + MIB, 4096 + 2 * MIB, 4096 + 3 * MIB][Math.floor(random() * 5)]!;
        const at = place + Math.floor(random() * (place === 4096 ? 8192 : 100));
        file.bytes[at]! ^= 1 << Math.floor(random() * 8);
        file.durable[at] = file.bytes[at]!;
      }
    },
  };
  for (let seed = 1; seed <= SEEDS; seed++) t.deepEqual(runHistory(seed, plan, outcome), [], `seed ${seed}`);
  t.log(JSON.stringify(outcome));
  t.true(outcome.cold > SEEDS && outcome.byCheckpoint > SEEDS / 2 && outcome.failed > SEEDS / 2);
});
