/** The device I/O of one worker, on whichever backend its memory was made for. */
import type { IoBackend } from './io-backend.js';
import { NodeIo } from './node-io.js';
import type { NodeIoMemory } from './node-io-memory.js';
import { UringIo } from './uring-io.js';

/** To be called on the worker's thread. @throws Error when a ring was expected and cannot be had. */
export function openWorkerIo(memory: NodeIoMemory): IoBackend {
  return memory.lanes.length === 0 ? new UringIo(memory.buffers) : new NodeIo(memory);
}
