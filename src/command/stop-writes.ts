/**
 * Stops the writes of a namespace before it is too full, and lets them go on when there is room again: looks at its
 * figures about once a second, tells the workers by a number and people by the log. Deletes are never stopped.
 * Source: the reference's documentation of stop-writes-avail-pct, stop-writes-used-pct, stop-writes-sys-memory-pct.
 */
import type { NamespaceConfig } from '../config/namespace-config.js';
import type { LogContext } from '../observe/log.js';
import { type NamespaceFigures, percentOf } from './info/namespace-figures.js';

/** A state that lasts is told again after this. */
const REMIND_MS = 60_000;

/** One namespace that is watched. */
export interface WatchedNamespace {
  readonly config: NamespaceConfig;
  figures(): NamespaceFigures;
  /** Called when writes have to stop (true) or may go on. */
  setStopped(isStopped: boolean): void;
}

export class StopWrites {
  readonly #namespaces: readonly { readonly of: WatchedNamespace; reason: string; saidMs: number }[];
  readonly #freeMemoryPct: () => number;
  readonly #log: LogContext;

  /** @param freeMemoryPct Of the machine's memory, what could be had now. */
  constructor(namespaces: readonly WatchedNamespace[], freeMemoryPct: () => number, log: LogContext) {
    this.#namespaces = namespaces.map(of => ({ of, reason: '', saidMs: 0 }));
    this.#freeMemoryPct = freeMemoryPct;
    this.#log = log;
  }

  look(nowMs: number): void {
    const usedMemoryPct = 100 - this.#freeMemoryPct();
    for (const watched of this.#namespaces) {
      const { of } = watched;
      const name = of.config.name;
      const reason = whyStopped(of.config, of.figures(), usedMemoryPct);
      if (reason !== '' && (watched.reason === '' || nowMs - watched.saidMs >= REMIND_MS)) {
        watched.saidMs = nowMs;
        this.#log.warning(`{${name}} breached stop-writes limit: ${reason}; writes answer 8, deletes go on`);
      }
      if (reason === '' && watched.reason !== '') {
        this.#log.warning(`{${name}} no longer in stop-writes`);
      }
      if ((reason === '') !== (watched.reason === '')) of.setStopped(reason !== '');
      watched.reason = reason;
    }
  }
}

/** Why a namespace takes no writes, with what to do about it; empty when it takes them. */
function whyStopped(config: NamespaceConfig, figures: NamespaceFigures, usedMemoryPct: number): string {
  const { storage, settings } = config;
  const { dataTotalBytes, dataUsedBytes, dataAvailableBytes } = figures;
  const availMin = storage.number('stop-writes-avail-pct');
  const usedMax = storage.number('stop-writes-used-pct');
  const memoryMax = settings.number('stop-writes-sys-memory-pct');
  // In memory, room inside pages serves as well as free pages: there is nothing to run out of but space.
  const isOnDevice = figures.devices.some(({ kind }) => kind !== 'stripe');
  if (isOnDevice && dataAvailableBytes * 100 < availMin * dataTotalBytes) {
    return (
      `data-avail-pct ${percentOf(dataAvailableBytes, dataTotalBytes)} is below stop-writes-avail-pct ${availMin} ` +
      '(defrag has not freed enough: raise defrag-lwm-pct, lower defrag-sleep, or delete records)'
    );
  }
  if (usedMax > 0 && dataUsedBytes * 100 > usedMax * dataTotalBytes) {
    return (
      `data-used-pct ${percentOf(dataUsedBytes, dataTotalBytes)} is above stop-writes-used-pct ${usedMax} ` +
      '(delete records, let them expire, or give the namespace more room)'
    );
  }
  if (memoryMax > 0 && usedMemoryPct > memoryMax) {
    return (
      `${usedMemoryPct} percent of the machine's memory are used, above stop-writes-sys-memory-pct ${memoryMax} ` +
      '(see what uses it; lower post-write-cache, or delete records)'
    );
  }
  return '';
}
