/**
 * Where the checkpoints of a shard lie: in two files, beside its data file, or, for a raw device, in a directory for
 * those of all devices, by the identity of the device and not by its path, which another device may get.
 */
import { constants, existsSync } from 'node:fs';
import { access, mkdir, open, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { StorageLog } from '../device/storage-error.js';

/** Names of the two files of shard `shard`, beginning with `base`. */
export function checkpointPaths(base: string, shard: number): string[] {
  return [0, 1].map(which => `${base}.index-${shard}-${which}`);
}

/** What the names of a raw device's files begin with. @param setId Four words. @param device Its number in the set. */
export function deviceCheckpointBase(
  directory: string,
  namespace: string,
  setId: Uint32Array,
  device: number,
): string {
  const id = Array.from(setId, word => word.toString(16).padStart(8, '0')).join('');
  return path.join(directory, `${namespace}-${id}-${device}`);
}

/** Removes what earlier device sets of a namespace, wiped since, have left in the directory: all but those of `setId`. */
export async function removeOtherCheckpoints(
  directory: string,
  namespace: string,
  setId: Uint32Array,
): Promise<void> {
  const pattern = /^-[0-9a-f]{32}-\d+\.index-\d+-[01]$/;
  const ours = path.basename(deviceCheckpointBase(directory, namespace, setId, 0)).slice(0, -1);
  for (const name of existsSync(directory) ? await readdir(directory) : []) {
    if (!name.startsWith(namespace) || !pattern.test(name.slice(namespace.length))) continue;
    if (!name.startsWith(ours)) await rm(path.join(directory, name), { force: true });
  }
}

/** Removes the checkpoints of a device that was replaced by what another one held. */
export async function removeCheckpoints(base: string, shards: readonly number[]): Promise<void> {
  for (const shard of shards)
    for (const name of checkpointPaths(base, shard)) await rm(name, { force: true });
}

export interface CheckpointNames {
  /** [place in `shards`] the two files; empty where there can be none. */
  readonly names: readonly string[][];
  /** Some were missing: those that belong to the device may have been moved away, and come back. */
  readonly wereMissing: boolean;
}

/**
 * Sees to it that the files of `shards` are there, and their directory. They are emptied by nobody: a start decides
 * what they are good for. Where they cannot be had, a warning says so.
 * @param device What they belong to, for the warning.
 */
export async function createCheckpointFiles(
  device: string,
  base: string,
  shards: readonly number[],
  log: StorageLog,
): Promise<CheckpointNames> {
  const directory = path.dirname(base);
  try {
    await mkdir(directory, { recursive: true });
    const names = shards.map(shard => checkpointPaths(base, shard));
    let wereMissing = false;
    for (const name of names.flat()) {
      const isMissing = !existsSync(name);
      wereMissing ||= isMissing;
      if (isMissing) await (await open(name, 'a', 0o600)).close();
      else await access(name, constants.R_OK | constants.W_OK);
    }
    const handle = await open(directory, constants.O_RDONLY);
    await handle.sync().finally(() => handle.close());
    return { names, wereMissing };
  } catch (error) {
    log.warning(
      `${device}: there can be no checkpoints in ${directory} (${(error as Error).message}); every start reads all of it`,
    );
    return { names: shards.map(() => []), wereMissing: true };
  }
}
