/**
 * The latency histograms of a server: one for batches, one for info commands, and the same eight for every
 * namespace, named and ordered as the reference reports them. The main thread fills them when an answer
 * leaves, so a latency includes the rings and the worker, not the socket.
 */
import { Histogram, type LatencyUnit } from './histogram.js';

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

/** The histograms of one namespace. Deletes and touches count as writes. */
export type NamespaceLatencies = Readonly<Record<(typeof NAMESPACE_HISTOGRAMS)[number][0], Histogram>>;

export class Latencies {
  readonly batchIndex: Histogram;
  readonly info: Histogram;
  readonly #namespaces = new Map<string, NamespaceLatencies>();

  /** @param nowMs monotonic milliseconds, where the first slices begin. */
  constructor(namespaces: Iterable<string>, unit: LatencyUnit, nowMs: number) {
    this.batchIndex = new Histogram('batch-index', unit, nowMs);
    this.info = new Histogram('info', unit, nowMs);
    for (const namespace of namespaces) {
      const rows = NAMESPACE_HISTOGRAMS.map(
        ([field, name]) => [field, new Histogram(`{${namespace}}-${name}`, unit, nowMs)] as const,
      );
      this.#namespaces.set(namespace, Object.fromEntries(rows) as NamespaceLatencies);
    }
  }

  /** The histograms of a configured namespace; asking for another one is our bug. */
  ofNamespace(namespace: string): NamespaceLatencies {
    const found = this.#namespaces.get(namespace);
    if (found === undefined) throw new Error(`no histograms for namespace ${namespace}`);
    return found;
  }

  /** What `latencies:` lists, in its order. `info` is not among it: it is listed when `enable-hist-info` says so. */
  listed(): Histogram[] {
    return [this.batchIndex, ...[...this.#namespaces.values()].flatMap(of => Object.values(of))];
  }

  /** Namespace names with their histograms by the reference's short names (`read`, `batch-sub-read`, …). */
  *byNamespace(): Generator<[namespace: string, name: string, histogram: Histogram]> {
    for (const [namespace, histograms] of this.#namespaces) {
      for (const [field, name] of NAMESPACE_HISTOGRAMS) yield [namespace, name, histograms[field]];
    }
  }

  /** Closes the slice of every histogram; called every 10 seconds. */
  closeSlices(nowMs: number): void {
    this.info.closeSlice(nowMs);
    for (const histogram of this.listed()) histogram.closeSlice(nowMs);
  }
}
