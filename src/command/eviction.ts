/**
 * Eviction on the main thread: when a namespace is fuller than its limits want it, records with a ttl go before their
 * time, those first that expire first. Every `nsup-period` that it is so, the workers count the records that may go by
 * void-time, and this decides how deep the eviction goes: no deeper than brings the namespace below its limits, and no
 * more records than evict-tenths-pct. What has been written since the count began is not touched.
 *
 * The depth is kept in `<work-directory>/smd/evict.json` before any thread sees it. It is namespace-wide: each record
 * that it means is gone at once for every command, and stays so, whichever way the node starts.
 * Source: the reference's documentation of evict-…, and of its log and metrics.
 */
import { epochMs, epochSec } from '../base/clock.js';
import { isOnFiles, type NamespaceConfig } from '../config/namespace-config.js';
import type { LogContext } from '../observe/log.js';
import type { EvictionCount, EvictionCountReport } from '../shard/nsup/eviction-count.js';
import { seal, unseal } from '../storage/cipher/sealed.js';
import { type EvictionDepth, VoidTimeHistogram } from '../storage/expiry/void-time-histogram.js';
import { type EvictionBreach, evictionBreaches } from './eviction-limits.js';
import type { NamespaceFigures } from './info/namespace-figures.js';
import { MetadataFile } from './metadata-file.js';
import type { TruncatedNamespace } from './truncation.js';

/** What lasts is told again after this. */
const REMIND_MS = 60_000;

/** What there is of a namespace for this. */
export interface EvictedNamespace extends TruncatedNamespace {
  readonly config: NamespaceConfig;
  readonly count: EvictionCount;
  /** Workers that have shards of it. */
  readonly workerCount: number;
  figures(): NamespaceFigures;
}

/** What the metrics show. */
export interface EvictionState {
  readonly isBreached: boolean;
  /** Of the last eviction: seconds that the records it took would still have lived at most, and when that was to be. */
  readonly ttlSec: number;
  readonly voidTimeSec: number;
  /** What is kept for the next start. */
  readonly keptVoidTimeSec: number;
}

interface Item {
  readonly namespace: string;
  readonly voidTime: number;
  /** Milliseconds since 2010; only records with a lower one are meant. */
  readonly lut: number;
  /** Sets whose records stay: in the file `sealed`, base64 of what seal() gives, where the namespace is encrypted. */
  readonly spared: readonly string[];
}
type FileItem = Omit<Item, 'spared'> & Partial<Item> & { readonly sealed?: string };

/** One namespace, and how far its eviction has come. */
interface Watched {
  readonly of: EvictedNamespace;
  phase: 'idle' | 'counting' | 'deciding' | 'evicting';
  isBreached: boolean;
  /** Monotonic: when the last count for an eviction was begun, and when the two warnings were last given. */
  beganMs: number;
  /** When the last eviction was found to be carried out. */
  endedMs: number;
  breachSaidMs: number;
  vainSaidMs: number;
  /** Where the count begins; by worker, what came of it. */
  fromSec: number;
  lutMs: number;
  spared: readonly string[];
  histogram: VoidTimeHistogram | undefined;
  readonly reported: Set<number>;
  ttlSec: number;
  voidTimeSec: number;
  evictedBefore: number;
}

export class Evictions {
  readonly #file: MetadataFile<FileItem>;
  readonly #watched: readonly Watched[];
  readonly #freeMemoryPct: () => number;
  readonly #log: LogContext;
  readonly #items = new Map<string, Item>();
  /** Of namespaces that are not configured: they stay in the file as they are. */
  readonly #others: FileItem[] = [];

  /** @param freeMemoryPct Of the machine's memory, what could be had now. */
  constructor(
    workDirectory: string,
    namespaces: readonly EvictedNamespace[],
    freeMemoryPct: () => number,
    log: LogContext,
  ) {
    this.#file = new MetadataFile(workDirectory, 'evict');
    this.#freeMemoryPct = freeMemoryPct;
    this.#log = log;
    this.#watched = namespaces.map(of => ({
      of,
      phase: 'idle',
      isBreached: false,
      beganMs: Number.NEGATIVE_INFINITY,
      endedMs: Number.NEGATIVE_INFINITY,
      breachSaidMs: Number.NEGATIVE_INFINITY,
      vainSaidMs: Number.NEGATIVE_INFINITY,
      fromSec: 0,
      lutMs: 0,
      spared: [],
      histogram: undefined,
      reported: new Set(),
      ttlSec: 0,
      voidTimeSec: 0,
      evictedBefore: 0,
    }));
  }

  /**
   * Takes over what earlier runs have evicted; before any shard starts.
   * @throws StorageError when the file cannot be read: to start without it could bring back what was evicted.
   */
  load(): void {
    for (const found of this.#file.read()) {
      const watched = this.#watched.find(({ of }) => of.name === found.namespace);
      if (watched === undefined) {
        this.#others.push(found);
        continue;
      }
      const item = open(watched.of, found);
      if (item === undefined) continue;
      this.#items.set(item.namespace, item);
      watched.voidTimeSec = item.voidTime;
      // What would have expired by now needs no walk.
      if (item.voidTime > epochSec()) show(watched.of, item);
    }
  }

  state(namespace: string): EvictionState {
    const { isBreached, ttlSec, voidTimeSec } = this.#of(namespace);
    return { isBreached, ttlSec, voidTimeSec, keptVoidTimeSec: this.#items.get(namespace)?.voidTime ?? 0 };
  }

  /**
   * Forgets how deep the last eviction went; what it has not removed yet is back.
   * @param ttlSec The depth to remember instead, from now on; it never evicts more than was evicted.
   * @throws Error of the system when the file cannot be written; then nothing is changed.
   */
  reset(namespace: string, ttlSec?: number): Promise<void> {
    const watched = this.#of(namespace);
    return this.#file.inTurn(async () => {
      const before = this.#items.get(namespace);
      const voidTime = ttlSec === undefined ? 0 : epochSec() + ttlSec;
      const isShallower = before !== undefined && voidTime <= before.voidTime;
      const item = { namespace, voidTime, lut: isShallower ? before.lut : 0, spared: before?.spared ?? [] };
      await this.#replace(item);
      show(watched.of, item);
      watched.ttlSec = ttlSec ?? 0;
      watched.voidTimeSec = voidTime;
    });
  }

  /** To be called about twice a second. @param nowMs Monotonic. */
  look(nowMs: number): void {
    const usedMemoryPct = 100 - this.#freeMemoryPct();
    for (const watched of this.#watched) {
      const { of } = watched;
      const figures = of.figures();
      const breaches = evictionBreaches(of.config, figures, usedMemoryPct);
      this.#tell(watched, breaches, nowMs);
      if (watched.phase === 'evicting' && !figures.isEvicting) this.#ended(watched, nowMs);
      const periodMs = of.config.settings.number('nsup-period') * 1000;
      if (watched.phase !== 'idle' || figures.isEvicting || breaches.length === 0) continue;
      if (periodMs === 0 || nowMs - watched.beganMs < periodMs) continue;
      // The depth that is kept stands in for the markers until they are flushed.
      const flushMs = isOnFiles(of.config) ? 2 * of.config.storage.number('flush-max-ms') : 0;
      if (nowMs - watched.endedMs < flushMs) continue;
      watched.beganMs = nowMs;
      watched.lutMs = Math.max(epochMs(), of.clockMs());
      watched.spared = sparedSets(of.config);
      this.#count(watched, Math.floor(watched.lutMs / 1000), Number.POSITIVE_INFINITY);
    }
  }

  /** A worker has counted its shards. */
  accept(worker: number, { namespace, number, counts }: EvictionCountReport, nowMs: number): void {
    const watched = this.#watched[namespace]!;
    const { of, reported } = watched;
    if (watched.phase !== 'counting' || number !== of.count.number) return;
    watched.histogram!.merge(counts);
    reported.add(worker);
    if (reported.size < of.workerCount) return;
    watched.phase = 'idle';
    const figures = of.figures();
    const breaches = evictionBreaches(of.config, figures, 100 - this.#freeMemoryPct());
    if (breaches.length === 0) return;
    const tenths = of.config.settings.number('evict-tenths-pct');
    const countMax = tenths === 0 ? 0 : Math.max(1, Math.floor((figures.objects * tenths) / 1000));
    const depth = watched.histogram!.depthFor({
      countMax,
      count: Math.max(...breaches.map(({ count }) => count)),
      bytes: Math.max(...breaches.map(({ bytes }) => bytes)),
    });
    watched.histogram = undefined;
    const { tooFull } = depth;
    if (depth.count > 0) this.#evict(watched, depth);
    else if (tooFull !== undefined && tooFull.widthSec > 1)
      this.#count(watched, tooFull.fromSec, tooFull.fromSec + tooFull.widthSec - 1);
    else this.#inVain(watched, depth, countMax, nowMs);
  }

  /** Asks the workers for the records that expire between two seconds. */
  #count(watched: Watched, fromSec: number, untilSec: number): void {
    const bucketCount = watched.of.config.settings.number('evict-hist-buckets');
    watched.phase = 'counting';
    watched.fromSec = fromSec;
    watched.histogram = new VoidTimeHistogram(fromSec, bucketCount);
    watched.reported.clear();
    watched.of.count.ask({ fromSec, untilSec, lutMs: watched.lutMs, bucketCount });
  }

  #evict(watched: Watched, { voidTimeSec, count, bytes }: EvictionDepth): void {
    const { of } = watched;
    const { name: namespace } = of;
    watched.phase = 'deciding';
    const ttlSec = Math.max(0, voidTimeSec - Math.floor(watched.lutMs / 1000));
    // A set that was spared when the records were counted, or is by now, was left out of the count.
    const spared = [...new Set([...watched.spared, ...sparedSets(of.config)])];
    const decide = async (): Promise<void> => {
      const item = { namespace, voidTime: voidTimeSec, lut: watched.lutMs, spared };
      await this.#replace(item);
      this.#log.info(
        `{${namespace}} nsup-start: evict-ttl ${ttlSec} evict-void-time (${watched.voidTimeSec},${voidTimeSec}) ` +
          `records ${count} bytes ${bytes}`,
      );
      watched.evictedBefore = of.figures().objects;
      watched.ttlSec = ttlSec;
      watched.voidTimeSec = voidTimeSec;
      show(of, item);
      watched.phase = 'evicting';
    };
    this.#file.inTurn(decide).catch((error: Error) => {
      watched.phase = 'idle';
      this.#log.warning(`{${namespace}} evicts nothing: the depth could not be stored: ${error.message}`);
    });
  }

  #ended(watched: Watched, nowMs: number): void {
    watched.phase = 'idle';
    watched.endedMs = nowMs;
    const { of, ttlSec } = watched;
    this.#log.info(
      `{${of.name}} nsup-done: evicted through void-time ${watched.voidTimeSec} evict-ttl ${ttlSec} ` +
        `objects (${watched.evictedBefore},${of.figures().objects})`,
    );
  }

  #tell(watched: Watched, breaches: readonly EvictionBreach[], nowMs: number): void {
    const { of } = watched;
    const isBreached = breaches.length > 0;
    if (isBreached && (!watched.isBreached || nowMs - watched.breachSaidMs >= REMIND_MS)) {
      watched.breachSaidMs = nowMs;
      const isOff = of.config.settings.number('nsup-period') === 0;
      const reasons = breaches.map(({ reason }) => reason).join(', ');
      this.#log.warning(
        `{${of.name}} breached eviction limit: ${reasons}` +
          (isOff ? '; nothing is evicted while nsup-period is 0' : ''),
      );
    }
    if (!isBreached && watched.isBreached) {
      this.#log.info(`{${of.name}} no longer above an eviction limit`);
      watched.vainSaidMs = Number.NEGATIVE_INFINITY;
    }
    watched.isBreached = isBreached;
  }

  #inVain(watched: Watched, { tooFull }: EvictionDepth, countMax: number, nowMs: number): void {
    if (nowMs - watched.vainSaidMs < REMIND_MS) return;
    watched.vainSaidMs = nowMs;
    const { name } = watched.of;
    this.#log.warning(
      tooFull === undefined
        ? `{${name}} no records to evict: none has a ttl, outside of sets with disable-eviction (give records ttls, delete some, or give the namespace more room)`
        : `{${name}} no records to evict: those to expire first, ${tooFull.count} in one second (void-time ${tooFull.fromSec}), are more than may go in a cycle, ${countMax} (raise evict-tenths-pct)`,
    );
  }

  async #replace(item: Item): Promise<void> {
    const items = new Map(this.#items).set(item.namespace, item);
    const all = [...items.values()].map(each => close(this.#of(each.namespace).of, each));
    await this.#file.replace([...this.#others, ...all]);
    this.#items.set(item.namespace, item);
  }

  #of(namespace: string): Watched {
    return this.#watched.find(({ of }) => of.name === namespace)!;
  }
}

function sparedSets({ sets }: NamespaceConfig): string[] {
  return [...sets].filter(([, settings]) => settings.boolean('disable-eviction')).map(([name]) => name);
}

function show({ table, sets }: EvictedNamespace, { voidTime, lut, spared }: Item): void {
  const numbers = spared.map(name => {
    const bytes = Buffer.from(name);
    return sets.findOrAdd(bytes, 0, bytes.length);
  });
  table.evict(
    voidTime,
    lut,
    numbers.filter(number => number > 0),
  );
}

/** @returns undefined for an item of other devices, which are not there any more. */
function open({ dataKey }: EvictedNamespace, found: FileItem): Item | undefined {
  const { namespace, voidTime, lut, sealed, spared = [] } = found;
  if (sealed === undefined) return { namespace, voidTime, lut, spared };
  const text = dataKey === null ? null : unseal(dataKey, Buffer.from(sealed, 'base64'));
  if (text === null) return undefined;
  return { namespace, voidTime, lut, spared: JSON.parse(text.toString()) as string[] };
}

function close({ dataKey }: EvictedNamespace, item: Item): FileItem {
  if (dataKey === null || item.spared.length === 0) return item;
  const { namespace, voidTime, lut, spared } = item;
  const sealed = seal(dataKey, Buffer.from(JSON.stringify(spared))).toString('base64');
  return { namespace, voidTime, lut, sealed };
}
