/**
 * The latency histograms of a server: one for batches, one for info commands, and the same eight for every
 * namespace, named and ordered as the reference reports them; beside them the benchmarks that settings ask for. The
 * main thread fills those of single commands when an answer leaves, so a latency includes the rings and the worker,
 * not the socket; the workers fill those of batch rows.
 */
import { BENCH_STORAGE, type Benchmarks, STEP_GROUPS } from './benchmarks.js';
import { Histogram, type HistogramBlock, type LatencyUnit } from './histogram.js';

/** Field of `NamespaceLatencies` → the name in `{ns}-name`, in the order of `latencies:`. */
const NAMESPACE_HISTOGRAMS = [
  ['read', 'read'],
  ['write', 'write'],
  ['udf', 'udf'],
  ['batchSubRead', 'batch-sub-read'],
  ['batchSubWrite', 'batch-sub-write'],
  ['batchSubUdf', 'batch-sub-udf'],
  ['piQuery', 'pi-query'],
  ['siQuery', 'si-query'],
] as const;
/** Of devices, what `latencies:` shows while `enable-benchmarks-storage` is on. */
const LISTED_DEVICE = /-device-(read|write|flush|write-q)$/;

/** The histograms of one namespace. Deletes and touches count as writes. */
export type NamespaceLatencies = Readonly<Record<(typeof NAMESPACE_HISTOGRAMS)[number][0], Histogram>>;

/** What is known of a namespace's times. */
export interface NamespaceTimes {
  readonly name: string;
  readonly benchmarks?: Benchmarks;
  /** In the order of the benchmarks' devices. */
  readonly devicePaths?: readonly string[];
  /** BENCH_… bits of the benchmarks that are on now. */
  readonly enabled?: () => number;
}

interface NamespaceHistograms {
  readonly times: NamespaceTimes;
  readonly always: NamespaceLatencies;
  /** `benchmarks-read` → its steps; `benchmarks-storage` → devices. */
  readonly groups: ReadonlyMap<string, readonly Histogram[]>;
  /** The main thread's part of the steps. */
  readonly ownSteps: HistogramBlock | undefined;
}

export class Latencies {
  readonly batchIndex: Histogram;
  readonly info: Histogram;
  readonly #namespaces = new Map<string, NamespaceHistograms>();

  /**
   * @param namespaces Threads that have a part in their benchmarks have taken their blocks by now.
   * @param nowMs      Monotonic milliseconds, where the first slices begin.
   */
  constructor(namespaces: Iterable<NamespaceTimes>, unit: LatencyUnit, nowMs: number) {
    this.batchIndex = new Histogram('batch-index', unit, nowMs);
    this.info = new Histogram('info', unit, nowMs);
    for (const times of namespaces) this.#namespaces.set(times.name, histogramsOf(times, unit, nowMs));
  }

  /** The histograms of a configured namespace; asking for another one is our bug. */
  ofNamespace(namespace: string): NamespaceLatencies {
    return this.#of(namespace).always;
  }

  /** Where the main thread counts its part of the steps of commands. */
  ownSteps(namespace: string): HistogramBlock | undefined {
    return this.#of(namespace).ownSteps;
  }

  /** What `latencies:` lists, in its order. `info` is not among it: it is listed when `enable-hist-info` says so. */
  listed(): Histogram[] {
    const all = [...this.#namespaces.values()].flatMap(({ always, groups, times }) => {
      const isOn = ((times.enabled?.() ?? 0) & BENCH_STORAGE) !== 0;
      const devices = isOn ? (groups.get('benchmarks-storage') ?? []) : [];
      return [...Object.values(always), ...devices.filter(({ name }) => LISTED_DEVICE.test(name))];
    });
    return [this.batchIndex, ...all];
  }

  /** The histograms of a name that `latencies:hist=` accepts: one, or `{ns}-benchmarks-read` and the like. */
  find(name: string): readonly Histogram[] {
    if (name === this.info.name) return [this.info];
    for (const [namespace, { groups }] of this.#namespaces) {
      const prefix = `{${namespace}}-`;
      const group = name.startsWith(prefix) ? groups.get(name.slice(prefix.length)) : undefined;
      if (group) return group;
    }
    return this.#all().filter(histogram => histogram.name === name);
  }

  /** Every histogram that has counted something: what the log dumps. */
  active(): Histogram[] {
    return this.#all().filter(histogram => histogram.total() > 0);
  }

  /** Closes the slice of every histogram; called every 10 seconds. */
  closeSlices(nowMs: number): void {
    for (const histogram of this.#all()) histogram.closeSlice(nowMs);
  }

  #all(): Histogram[] {
    const all = [...this.#namespaces.values()].flatMap(({ always, groups }) => [
      ...Object.values(always),
      ...[...groups.values()].flat(),
    ]);
    return [this.info, this.batchIndex, ...all];
  }

  #of(namespace: string): NamespaceHistograms {
    const found = this.#namespaces.get(namespace);
    if (found === undefined) throw new Error(`no histograms for namespace ${namespace}`);
    return found;
  }
}

function histogramsOf(times: NamespaceTimes, unit: LatencyUnit, nowMs: number): NamespaceHistograms {
  const { name: namespace, benchmarks, devicePaths = [] } = times;
  const ownSteps = benchmarks?.addStepBlock();
  const rows = NAMESPACE_HISTOGRAMS.map(([field, name]) => {
    const isOfWorkers = name === 'batch-sub-read' || name === 'batch-sub-write';
    const histogram =
      isOfWorkers && benchmarks
        ? benchmarks.step(namespace, name, nowMs)
        : new Histogram(`{${namespace}}-${name}`, unit, nowMs);
    return [field, histogram] as const;
  });
  const groups = new Map<string, readonly Histogram[]>();
  if (benchmarks) {
    for (const group of STEP_GROUPS)
      groups.set(`benchmarks-${group}`, benchmarks.group(namespace, group, nowMs));
    const devices = devicePaths.flatMap((path, device) =>
      benchmarks.ofDevice(namespace, path, device, nowMs),
    );
    groups.set('benchmarks-storage', [...benchmarks.devices(namespace, nowMs), ...devices]);
  }
  return { times, always: Object.fromEntries(rows) as NamespaceLatencies, groups, ownSteps };
}
