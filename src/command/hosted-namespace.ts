/**
 * A namespace that this process hosts, as each part of the server that asks about it sees it: info commands, truncation,
 * eviction, histograms of times.
 */
import type { NamespaceTimes } from '../observe/latencies.js';
import { enabledBenchmarks } from '../shard/namespace-setup.js';
import { EvictionCount } from '../shard/nsup/eviction-count.js';
import type { HostedNamespace } from '../shard/shard-host.js';
import { TruncationTable } from '../shard/truncation.js';
import type { OpenDeviceSet } from '../storage/device/device-set.js';
import { SetTable } from '../storage/record/set-table.js';
import type { EvictedNamespace } from './eviction.js';
import { ShardFigures, type ShardPlace, stripePlaces } from './info/shard-figures.js';
import type { NamespaceSource } from './info/source.js';
import type { TruncatedNamespace } from './truncation.js';

/** A namespace as the info commands see it. */
export function namespaceSource(
  { task, counters, histograms }: HostedNamespace,
  figures: ShardFigures,
): NamespaceSource {
  return {
    name: task.name,
    counters,
    figures: () => figures.namespace(),
    sets: () => figures.sets(),
    recordHistogram: (type, set) => {
      const setId = set === undefined ? undefined : figures.setId(set);
      return set !== undefined && setId === undefined ? undefined : histograms.text(type, setId);
    },
  };
}

/** A namespace as truncation sees it. */
export function truncatedNamespace(
  { task, devices }: HostedNamespace,
  figures: ShardFigures,
): TruncatedNamespace {
  return {
    name: task.name,
    dataKey: devices?.set.dataKey ?? null,
    table: new TruncationTable(task.memory.truncation),
    sets: new SetTable(task.memory.sets),
    clockMs: () => figures.clockMs,
  };
}

/** A namespace as eviction sees it. */
export function evictedNamespace(namespace: HostedNamespace, figures: ShardFigures): EvictedNamespace {
  const { config, task } = namespace;
  return {
    ...truncatedNamespace(namespace, figures),
    config,
    count: new EvictionCount(task.memory.evictionCount),
    workerCount: new Set(task.workerOf).size,
    figures: () => figures.namespace(),
  };
}

/** A namespace as the histograms see it. */
export function namespaceTimes({ config, benchmarks, devices }: HostedNamespace): NamespaceTimes {
  return {
    name: config.name,
    benchmarks,
    devicePaths: devices?.set.devices.map(({ path }) => path) ?? [],
    enabled: () => enabledBenchmarks(config),
  };
}

export function figuresOf({ task, devices }: HostedNamespace): ShardFigures {
  return new ShardFigures(task.memory, placesOf(task.memory.shards.length, devices));
}

/** Where the shards of a namespace lie, as its figures list it. */
function placesOf(shardCount: number, devices: OpenDeviceSet | undefined): ShardPlace[] {
  if (devices === undefined) return stripePlaces(shardCount);
  const { set } = devices;
  return set.devices.map(({ path, shadowPath, kind }, device) => ({
    kind,
    name: path,
    hasShadow: shadowPath !== '',
    shards: set.extents.flatMap((extent, shard) => (extent.device === device ? [shard] : [])),
  }));
}
