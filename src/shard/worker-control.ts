/** The words by which the main thread and a worker tell each other what neither waits for. */
import { Region, type SharedBytes } from '../base/arena.js';
import { SharedFlags } from '../base/flags.js';

/** Flags of a worker's control region. */
export const CONTROL_STOP = 0; // set by main: finish what is in hand, flush, return
export const CONTROL_READY = 1; // set by the worker: its shards are recovered, it takes commands
export const CONTROL_NEWS = 2; // set by main, cleared by the worker: it is to look after its devices now

/** Int32 word of the control region that the worker counts up in every turn of its loop. */
export const CONTROL_TURNS = 8;
/** And the one that counts the batches which it has executed as a whole. */
export const CONTROL_BATCHES = 9;

export function createControl(): SharedBytes {
  return new Region(64).shared;
}

export function controlFlags(shared: SharedBytes): SharedFlags {
  return new SharedFlags(shared);
}
