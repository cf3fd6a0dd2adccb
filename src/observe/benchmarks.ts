/**
 * Where the time of commands goes, step by step, when an `enable-benchmarks-…` setting asks for it, by the reference's
 * names; and what devices take. Each thread that has a part in it counts in a block of its own. A step that one node
 * alone does not have (asking replicas) is listed and stays empty.
 * Source: the reference's documentation of its latency histograms.
 */
import { Histogram, HistogramBlock, type LatencyUnit } from './histogram.js';

/** Bits of the tuning that says which benchmarks are on. */
export const BENCH_READ = 1;
export const BENCH_WRITE = 2;
export const BENCH_BATCH_SUB = 4;
export const BENCH_STORAGE = 8;

/** Numbers of a thread's histograms of commands. The first two are always counted. */
export const STEP_NAMES = [
  'batch-sub-read',
  'batch-sub-write',
  'read-start', // from its arrival until a worker begins it
  'read-restart', // behind another command on the same record
  'read-dup-res',
  'read-repl-ping',
  'read-local', // what it does on its shard, the device included
  'read-response', // from the worker's answer until the main thread sends it
  'write-start',
  'write-restart',
  'write-dup-res',
  'write-master',
  'write-repl-write',
  'write-response',
  'batch-sub-prestart', // from the arrival of the batch until its rows are with a worker
  'batch-sub-start', // from there until the row is begun
  'batch-sub-restart',
  'batch-sub-dup-res',
  'batch-sub-repl-ping',
  'batch-sub-read-local',
  'batch-sub-write-master',
  'batch-sub-udf-master',
  'batch-sub-repl-write',
  'batch-sub-response',
  'udf-start',
  'udf-restart',
  'udf-dup-res',
  'udf-master',
  'udf-repl-write',
  'udf-response',
  'udf-sub-start',
  'udf-sub-restart',
  'udf-sub-dup-res',
  'udf-sub-master',
  'udf-sub-repl-write',
  'udf-sub-response',
  'ops-sub-start',
  'ops-sub-restart',
  'ops-sub-dup-res',
  'ops-sub-master',
  'ops-sub-repl-write',
  'ops-sub-response',
] as const;
export type StepName = (typeof STEP_NAMES)[number];

export function stepNumber(name: StepName): number {
  return STEP_NAMES.indexOf(name);
}

/** What `latencies:hist={ns}-benchmarks-<group>` lists: the steps with this prefix, and the setting that counts them. */
export const STEP_GROUPS = ['read', 'write', 'batch-sub', 'udf', 'udf-sub', 'ops-sub'] as const;

/** Numbers of a thread's histograms of one device. */
export const DEVICE_READ = 0;
export const DEVICE_WRITE = 1;
export const DEVICE_FLUSH = 2;
/** From when a write block is full until it is durable. */
export const DEVICE_WRITE_QUEUE = 3;
export const DEVICE_READ_SIZE = 4;
export const DEVICE_WRITE_SIZE = 5;
/** Of the device's shadow, where it has one. */
export const SHADOW_WRITE = 6;
export const SHADOW_FLUSH = 7;
const DEVICE_NAMES = [
  'read',
  'write',
  'flush',
  'write-q',
  'read-size',
  'write-size',
  'shadow-write',
  'shadow-flush',
] as const;
export const DEVICE_HISTOGRAM_COUNT = DEVICE_NAMES.length;

function unitOf(name: string, unit: LatencyUnit): LatencyUnit | 'bytes' {
  return name.endsWith('-size') ? 'bytes' : unit;
}

/** The benchmarks of a namespace: hands out blocks and adds them up. Lives on the main thread. */
export class Benchmarks {
  readonly #unit: LatencyUnit;
  /** [device] whether it has a shadow. */
  readonly #haveShadow: readonly boolean[];
  readonly #steps: HistogramBlock[] = [];
  readonly #devices: HistogramBlock[] = [];

  /** @param haveShadow By device. */
  constructor(unit: LatencyUnit, haveShadow: readonly boolean[]) {
    this.#unit = unit;
    this.#haveShadow = haveShadow;
  }

  /** A block for the steps of one more thread. */
  addStepBlock(): HistogramBlock {
    const block = HistogramBlock.create(STEP_NAMES.length, this.#unit);
    this.#steps.push(block);
    return block;
  }

  /** A block for what one more thread asks of the devices: DEVICE_HISTOGRAM_COUNT histograms each. */
  addDeviceBlock(): HistogramBlock {
    const block = HistogramBlock.create(this.#haveShadow.length * DEVICE_HISTOGRAM_COUNT, this.#unit);
    this.#devices.push(block);
    return block;
  }

  /** The sum of one step over all threads that have a block by now. */
  step(namespace: string, name: StepName, nowMs: number): Histogram {
    const sources = this.#steps.map(block => block.slots(stepNumber(name)));
    return new Histogram(`{${namespace}}-${name}`, this.#unit, nowMs, sources);
  }

  /** The steps of a group, in order. */
  group(namespace: string, group: (typeof STEP_GROUPS)[number], nowMs: number): Histogram[] {
    const isOther = (name: string): boolean =>
      STEP_GROUPS.some(other => other.length > group.length && name.startsWith(`${other}-`));
    return STEP_NAMES.slice(2)
      .filter(name => name.startsWith(`${group}-`) && !isOther(name))
      .map(name => this.step(namespace, name, nowMs));
  }

  /** `{ns}-device-read`, … of all devices together; none when there is no device. */
  devices(namespace: string, nowMs: number): Histogram[] {
    if (this.#haveShadow.length === 0) return [];
    return this.#listed(`{${namespace}}-device`, [...this.#haveShadow.keys()], nowMs);
  }

  /** `{ns}-<path>-read`, … of one device. */
  ofDevice(namespace: string, path: string, device: number, nowMs: number): Histogram[] {
    return this.#listed(`{${namespace}}-${path}`, [device], nowMs);
  }

  /** Those of shadows only where one of the devices has one. */
  #listed(title: string, devices: readonly number[], nowMs: number): Histogram[] {
    const count = devices.some(device => this.#haveShadow[device]) ? DEVICE_HISTOGRAM_COUNT : SHADOW_WRITE;
    return DEVICE_NAMES.slice(0, count).map((name, kind) =>
      this.#device(`${title}-${name}`, name, kind, devices, nowMs),
    );
  }

  #device(title: string, name: string, kind: number, devices: readonly number[], nowMs: number): Histogram {
    const sources = this.#devices.flatMap(block =>
      devices.map(device => block.slots(device * DEVICE_HISTOGRAM_COUNT + kind)),
    );
    return new Histogram(title, unitOf(name, this.#unit), nowMs, sources);
  }
}
