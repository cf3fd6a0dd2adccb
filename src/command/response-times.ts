/**
 * The main thread's part in the benchmarks of commands: from the moment when a worker was done until the answer is on
 * its way to the socket.
 */
import { stepNumber } from '../observe/benchmarks.js';
import type { HistogramBlock } from '../observe/histogram.js';

const READ = stepNumber('read-response');
const WRITE = stepNumber('write-response');
const ROW = stepNumber('batch-sub-response');

export class ResponseTimes {
  readonly #blocks: readonly (HistogramBlock | undefined)[];

  /** @param blocks By namespace id. */
  constructor(blocks: readonly (HistogramBlock | undefined)[]) {
    this.#blocks = blocks;
  }

  /** Only called for commands that are measured. */
  command(namespaceId: number, isRead: boolean, durationMs: number): void {
    this.#blocks[namespaceId]?.record(isRead ? READ : WRITE, durationMs);
  }

  rows(namespaceId: number, count: number, durationMs: number): void {
    for (let i = 0; i < count; i++) this.#blocks[namespaceId]?.record(ROW, durationMs);
  }
}
