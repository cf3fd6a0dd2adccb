/**
 * Metadata of the namespaces that has to survive restarts, a file a kind: `<work-directory>/smd/<kind>.json`, a list of
 * items. It is replaced as a whole, durably, before what it says is acted on.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { readFileIfAny, replaceFile } from '../base/durable-file.js';
import { StorageError } from '../storage/device/storage-error.js';

const FORMAT = 1;

export class MetadataFile<Item> {
  readonly #path: string;
  /** Changes are made one after another. */
  #last: Promise<void> = Promise.resolve();

  constructor(workDirectory: string, kind: string) {
    this.#path = path.join(workDirectory, 'smd', `${kind}.json`);
  }

  /**
   * At the start, before anything is replaced.
   * @throws StorageError when the file cannot be read: to start without it would undo what it says.
   */
  read(): readonly Item[] {
    mkdirSync(path.dirname(this.#path), { recursive: true });
    try {
      const text = readFileIfAny(this.#path);
      if (text === undefined) return [];
      const { format, items } = JSON.parse(text) as { format: number; items: Item[] };
      if (format !== FORMAT) throw new Error(`format ${format} is not known`);
      return items;
    } catch (error) {
      throw new StorageError(this.#path, `cannot be read: ${(error as Error).message}`);
    }
  }

  /** Runs a change when those before it are done. @returns What it throws, too. */
  inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#last.then(change);
    this.#last = done.catch(() => {}); // whoever asked for it hears of the failure
    return done;
  }

  /** Inside a change. @throws Error of the system, with the file as it was. */
  replace(items: readonly Item[]): Promise<void> {
    return replaceFile(this.#path, `${JSON.stringify({ format: FORMAT, items }, null, 1)}\n`);
  }
}
