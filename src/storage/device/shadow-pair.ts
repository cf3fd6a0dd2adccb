/**
 * A device and its shadow at a start: whether they belong together, and which of them has to be rebuilt from the other.
 *
 *   primary                    shadow                       then
 *   blank, or being rebuilt    whole                        the primary is rebuilt: the disk of a cloud machine was lost
 *   whole                      blank, or being rebuilt      the shadow is rebuilt: it is new, or was replaced
 *   whole                      of another pair, or behind   the shadow is rebuilt: starts went by without it
 *   whole                      ahead                        refused: the primary is an older copy of itself
 *   whole                      as many starts               in step after a clean stop; else workers compare what may differ
 *
 * A start writes the header of the primary first, so the shadow is never ahead of the primary that it belongs to.
 */
import { randomInt } from 'node:crypto';
import * as H from './device-header.js';
import type { Opening } from './opening.js';
import { rebuild } from './rebuild.js';
import { StorageError, type StorageLog } from './storage-error.js';

/** Refuses a primary that is named as a shadow, or the other way round. @throws StorageError. */
export function checkRoles({ path, header, shadow }: Opening): void {
  const order = 'name the primary first on the line and its shadow second';
  if (header?.role === H.ROLE_SHADOW) {
    throw new StorageError(path, `is a shadow, but is named as a primary; ${order}`);
  }
  if (shadow?.header && shadow.header.role !== H.ROLE_SHADOW) {
    throw new StorageError(shadow.path, `is no shadow, but is named as that of ${path}; ${order}`);
  }
}

/** Whether the data of a device counts. */
export function isWhole({ header }: Opening): boolean {
  return header !== null && header.state !== H.STATE_REBUILDING;
}

/**
 * Makes the two of a pair hold the same as far as that can be told now; `isInStep` says whether it is sure.
 * @param filesize What a file that is rebuilt is made as large as.
 * @param onProgress Told how far a rebuild is.
 * @returns Whether the primary was rebuilt.
 * @throws StorageError.
 */
export async function joinPair(
  primary: Opening,
  filesize: number,
  log: StorageLog,
  onProgress: (status: string) => void,
): Promise<boolean> {
  const shadow = primary.shadow!;
  if (!isWhole(primary)) {
    if (!isWhole(shadow)) {
      throw new StorageError(
        primary.path,
        `and its shadow ${shadow.path} are both incomplete; restore one of them`,
      );
    }
    await rebuild(shadow, primary, H.ROLE_PRIMARY, filesize, log, onProgress);
    primary.isInStep = true;
    return true;
  }
  const ours = primary.header!;
  const theirs = shadow.header;
  const isPair = theirs !== null && ours.role === H.ROLE_PRIMARY && theirs.pairNumber === ours.pairNumber;
  if (isWhole(shadow) && theirs!.startCount > ours.startCount) {
    const wipe = primary.kind === 'file' ? 'move it away' : 'wipe it';
    throw new StorageError(
      primary.path,
      `is older than its shadow ${shadow.path}: it has seen ${ours.startCount} starts, that one ${theirs!.startCount}; ${wipe}, and it is rebuilt from the shadow`,
    );
  }
  if (isWhole(shadow) && isPair && theirs!.startCount === ours.startCount) {
    primary.isInStep = [ours, theirs!].every(({ settledStart }) => settledStart === ours.startCount);
    return false;
  }
  ours.role = H.ROLE_PRIMARY;
  if (theirs?.state !== H.STATE_REBUILDING || theirs.pairNumber !== ours.pairNumber) {
    ours.pairNumber = newPairNumber();
    if (theirs !== null) theirs.rebuiltTo = 0;
  }
  await rebuild(primary, shadow, H.ROLE_SHADOW, filesize, log, onProgress);
  primary.isInStep = true;
  return false;
}

export function newPairNumber(): number {
  return randomInt(1, 2 ** 32);
}
