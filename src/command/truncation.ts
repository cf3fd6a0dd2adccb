/**
 * Truncations on the main thread: decides the LUT of each, keeps it in `<work-directory>/smd/truncate.json` and then
 * shows it to the shards. A truncation that was answered is in the file, and so holds after any restart. The names of
 * sets of an encrypted namespace are encrypted there.
 */
import { epochMs } from '../base/clock.js';
import { type TruncationTable, WHOLE_NAMESPACE } from '../shard/truncation.js';
import type { DataKey } from '../storage/cipher/data-key.js';
import { seal, unseal } from '../storage/cipher/sealed.js';
import type { SetTable } from '../storage/record/set-table.js';
import { MetadataFile } from './metadata-file.js';

/** What there is of a namespace for this. */
export interface TruncatedNamespace {
  readonly name: string;
  readonly table: TruncationTable;
  readonly sets: SetTable;
  /** What its devices are encrypted with; null: they are not. */
  readonly dataKey: DataKey | null;
  /** The latest time of all record clocks, milliseconds since 2010. */
  clockMs(): number;
}

interface Item {
  readonly namespace: string;
  /** Left out for the whole namespace. */
  readonly set?: string;
  /** Milliseconds since 2010. */
  readonly lut: number;
}

/** An item in the file: `sealed` stands for `set`, base64 of what seal() gives. */
type FileItem = Item & { readonly sealed?: string };

export class Truncations {
  readonly #file: MetadataFile<FileItem>;
  readonly #namespaces: readonly TruncatedNamespace[];
  /** By namespace and set. Of namespaces that are not configured too, in case they come back. */
  #items = new Map<string, Item>();
  /** Of namespaces that are not configured: they stay in the file as they are. */
  #sealed: FileItem[] = [];

  constructor(workDirectory: string, namespaces: readonly TruncatedNamespace[]) {
    this.#file = new MetadataFile(workDirectory, 'truncate');
    this.#namespaces = namespaces;
  }

  /**
   * Takes over what earlier runs have truncated; before any shard starts.
   * @throws StorageError when the file cannot be read: to start without it would bring back what was truncated.
   */
  load(): void {
    for (const found of this.#file.read()) {
      const item = this.#open(found);
      if (item === undefined) continue;
      this.#items.set(keyOf(item), item);
      this.#show(item, item.lut);
    }
  }

  /** @returns undefined for an item that says nothing of the records that there are. */
  #open(found: FileItem): Item | undefined {
    const { namespace, sealed, lut } = found;
    if (sealed === undefined) return found;
    const of = this.#namespaces.find(({ name }) => name === namespace);
    if (of === undefined) {
      this.#sealed.push(found);
      return undefined;
    }
    // Another key is that of other devices, which are not there any more.
    const set = of.dataKey === null ? null : unseal(of.dataKey, Buffer.from(sealed, 'base64'));
    return set === null ? undefined : { namespace, set: set.toString(), lut };
  }

  #seal(item: Item): FileItem {
    const { namespace, set, lut } = item;
    const key = this.#namespaces.find(({ name }) => name === namespace)?.dataKey ?? null;
    if (key === null || set === undefined) return item;
    return { namespace, sealed: seal(key, Buffer.from(set)).toString('base64'), lut };
  }

  /**
   * Truncates what has a lower LUT.
   * @param set   Undefined for the whole namespace.
   * @param lutMs Milliseconds since 2010; undefined: everything that was written before this call.
   * @throws Error of the system when the file cannot be written; then nothing is truncated.
   */
  truncate(namespace: string, set: string | undefined, lutMs?: number): Promise<void> {
    const of = this.#namespaces.find(({ name }) => name === namespace)!;
    const lut = lutMs ?? Math.max(epochMs(), of.clockMs()) + 1;
    const item = { namespace, ...(set === undefined ? {} : { set }), lut };
    return this.#file.inTurn(async () => {
      if (this.#idOf(item) < 0) return; // no record was ever in that set
      if ((this.#items.get(keyOf(item))?.lut ?? 0) >= lut) return;
      await this.#replace(new Map(this.#items).set(keyOf(item), item));
      this.#show(item, lut);
    });
  }

  /** Forgets a truncation: what has not been removed yet is back. @throws As truncate. */
  undo(namespace: string, set: string | undefined): Promise<void> {
    const item = { namespace, ...(set === undefined ? {} : { set }), lut: 0 };
    return this.#file.inTurn(async () => {
      if (!this.#items.has(keyOf(item))) return;
      const items = new Map(this.#items);
      items.delete(keyOf(item));
      await this.#replace(items);
      this.#show(item, 0);
    });
  }

  async #replace(items: Map<string, Item>): Promise<void> {
    const all = [...this.#sealed, ...[...items.values()].map(item => this.#seal(item))];
    await this.#file.replace(all);
    this.#items = items;
  }

  #show(item: Item, lutMs: number): void {
    const id = this.#idOf(item, true);
    if (id >= 0) this.#namespaces.find(({ name }) => name === item.namespace)!.table.set(id, lutMs);
  }

  /** The number of an item's set, or -1 when it has none. */
  #idOf({ namespace, set }: Item, isAdding = false): number {
    const of = this.#namespaces.find(({ name }) => name === namespace);
    if (of === undefined) return -1;
    if (set === undefined) return WHOLE_NAMESPACE;
    const bytes = Buffer.from(set);
    return isAdding ? of.sets.findOrAdd(bytes, 0, bytes.length) : of.sets.find(bytes, 0, bytes.length);
  }
}

function keyOf({ namespace, set }: Item): string {
  return JSON.stringify([namespace, set]);
}
