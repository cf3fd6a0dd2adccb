/**
 * The loop of an I/O helper thread: takes requests from its lane, does them, answers, sleeps. The main thread
 * starts it as one long task of a thread pool (this module's `run` is the task) and ends it by `stopNodeIo`.
 */
import { Region } from '../../base/arena.js';
import { SharedFlags } from '../../base/flags.js';
import { RingConsumer, RingProducer } from '../../base/ring.js';
import { Sleeper, Waker } from '../../base/sleeper.js';
import { performIo } from './file-io.js';
import * as M from './node-io-memory.js';

/** Bounds a sleep, so that a lost wake-up would cost this and no more. */
const SLEEP_MAX_MS = 1000;

/** Returns when the stop word is set and the request ring is empty. Blocks its thread until then. */
export function run(lane: M.NodeIoLane): void {
  const buffers = new Region(lane.buffers);
  const requests = new RingConsumer(lane.requests);
  const completions = new RingProducer(lane.completions);
  const worker = new Waker(lane.workerSleeper);
  const sleeper = new Sleeper(lane.sleeper);
  const stop = new SharedFlags(lane.stop);
  const hasWork = (): boolean => requests.hasFrame || stop.isSet(0);

  for (;;) {
    const at = requests.next();
    if (at < 0) {
      if (stop.isSet(0) && !requests.hasFrame) return;
      sleeper.sleep(hasWork, SLEEP_MAX_MS);
      continue;
    }
    const { u32, f64 } = requests.region;
    const w = at >>> 2;
    const op = u32[w + M.IO_REQ_OP]!;
    const token = u32[w + M.IO_REQ_TOKEN]!;
    const file = u32[w + M.IO_REQ_FILE]!;
    const length = u32[w + M.IO_REQ_LENGTH]!;
    const offset = f64[(at >>> 3) + M.IO_REQ_OFFSET]!;
    const bufferAt = f64[(at >>> 3) + M.IO_REQ_BUFFER]!;
    requests.release();
    const result = performIo(op, file, offset, length, buffers.u8, bufferAt);
    const answerAt = completions.reserve(M.IO_COMPLETION_SIZE);
    if (answerAt < 0) throw new Error('I/O helper: more requests in flight than a lane holds');
    completions.region.i32[answerAt >>> 2] = token;
    completions.region.i32[(answerAt >>> 2) + 1] = result;
    completions.commit(M.IO_COMPLETION_SIZE);
    completions.publish();
    worker.wake();
  }
}

export default run;
