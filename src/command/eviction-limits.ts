/**
 * The limits above which a namespace evicts: evict-used-pct of its storage, evict-indexes-memory-pct of its
 * indexes-memory-budget, evict-sys-memory-pct of the machine's memory. 0 is no limit.
 */
import type { NamespaceConfig } from '../config/namespace-config.js';
import { ENTRY_SIZE } from '../storage/index/entry.js';
import { type NamespaceFigures, percentOf } from './info/namespace-figures.js';

/** A limit that is passed, and what has to go until it is not: records, bytes of records; infinite: nobody knows. */
export interface EvictionBreach {
  readonly reason: string;
  readonly count: number;
  readonly bytes: number;
}

/** @param usedMemoryPct Of the machine's memory. */
export function evictionBreaches(
  { settings, storage }: NamespaceConfig,
  figures: NamespaceFigures,
  usedMemoryPct: number,
): EvictionBreach[] {
  const breaches: EvictionBreach[] = [];
  const { dataUsedBytes, dataTotalBytes } = figures;
  const usedMax = storage.number('evict-used-pct');
  if (usedMax > 0 && dataUsedBytes * 100 > usedMax * dataTotalBytes) {
    const bytes = dataUsedBytes - Math.floor((usedMax * dataTotalBytes) / 100);
    const reason = `data-used-pct ${percentOf(dataUsedBytes, dataTotalBytes)} is above evict-used-pct ${usedMax}`;
    breaches.push({ reason, count: 0, bytes });
  }
  const indexesMax = settings.number('evict-indexes-memory-pct');
  const budget = settings.number('indexes-memory-budget');
  const indexBytes = figures.indexUsedBytes + figures.setIndexUsedBytes;
  if (indexesMax > 0 && budget > 0 && indexBytes * 100 > indexesMax * budget) {
    const count = Math.ceil((indexBytes - (indexesMax * budget) / 100) / ENTRY_SIZE);
    const reason = `indexes-memory-pct ${percentOf(indexBytes, budget)} is above evict-indexes-memory-pct ${indexesMax}`;
    breaches.push({ reason, count, bytes: 0 });
  }
  const memoryMax = settings.number('evict-sys-memory-pct');
  if (memoryMax > 0 && usedMemoryPct > memoryMax) {
    const reason = `sys-memory-pct ${usedMemoryPct} is above evict-sys-memory-pct ${memoryMax}`;
    breaches.push({ reason, count: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY });
  }
  return breaches;
}
