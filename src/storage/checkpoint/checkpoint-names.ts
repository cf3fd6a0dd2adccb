/** Where the checkpoints of a shard lie: two files beside its data file. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { StorageLog } from '../device/storage-error.js';

/** Names of the two files of shard `shard`, beginning with `base`. */
export function checkpointPaths(base: string, shard: number): string[] {
  return [0, 1].map(which => `${base}.index-${shard}-${which}`);
}

/**
 * Sees to it that the files of `shards` are there. They are emptied by nobody: a start decides what they are good for.
 * @returns Their names by place in `shards`, or undefined, after a warning, when they cannot be had.
 */
export async function createCheckpointFiles(
  base: string,
  shards: readonly number[],
  log: StorageLog,
): Promise<string[][] | undefined> {
  try {
    const names = shards.map(shard => checkpointPaths(base, shard));
    for (const name of names.flat()) await (await open(name, 'a', 0o600)).close();
    const directory = await open(path.dirname(base), constants.O_RDONLY);
    await directory.sync().finally(() => directory.close());
    return names;
  } catch (error) {
    log.warning(
      `${base}: there can be no checkpoints beside it (${(error as Error).message}); every start reads all of it`,
    );
    return undefined;
  }
}
