/**
 * Compares two ways to pass framed messages between two threads: our ring (src/base/ring.ts) and ringbuf.js,
 * which moves elements and knows no frames. Framing on ringbuf.js needs a length before each message, and room
 * checked first, since a push that does not fit is cut short. Two ways are measured: a push for each
 * message and two pops (length, then message), and whole batches packed into one array, pushed at once, popped as
 * much as there is and cut into messages on the other side. Its elements are 4 bytes where a row says words.
 *
 * The producer writes every word of a message and the consumer adds every word up, in place where the ring allows it.
 */

import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { RingBuffer } from 'ringbuf.js';
import type { SharedBytes } from '../src/base/arena.js';
import { createRing, RingConsumer, RingProducer } from '../src/base/ring.js';

const HELP = `Usage: scripts/bench-ring [--frames N] [--runs N]
Prints messages a second through our ring and through ringbuf.js, of 64 to 200 bytes, two threads.
  --frames N   messages a run (1000000)
  --runs N     runs of each; the median is printed (5)`;

const CAPACITY = 262_144; // bytes
const BATCHES = [1, 16, 64];
const SCRATCH_WORDS = CAPACITY / 4;

/** One end's loop over all frames. The consumer returns the sum of all words. */
interface Candidate {
  name: string;
  create(): SharedBytes;
  produce(shared: SharedBytes, frames: number, batch: number): void;
  consume(shared: SharedBytes, frames: number): number;
}

/** Words of message `n`: 16 to 50, that is 64 to 200 bytes. */
function wordCount(n: number): number {
  return 16 + ((Math.imul(n, 0x9e3779b1) >>> 16) % 35);
}

function write(words: Uint32Array, at: number, count: number, n: number): void {
  for (let i = 0; i < count; i++) words[at + i] = n + i;
}

function add(words: Uint32Array, at: number, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = (sum + words[at + i]!) | 0;
  return sum;
}

const ours: Candidate = {
  name: 'ring.ts',
  create: () => createRing(CAPACITY),
  produce(shared, frames, batch) {
    const ring = new RingProducer(shared);
    for (let n = 0; n < frames; n++) {
      const count = wordCount(n);
      let at = ring.reserve(count * 4);
      if (at < 0) {
        ring.publish();
        do at = ring.reserve(count * 4);
        while (at < 0);
      }
      write(ring.region.u32, at >>> 2, count, n);
      ring.commit(count * 4, n);
      if (n % batch === batch - 1) ring.publish();
    }
    ring.publish();
  },
  consume(shared, frames) {
    const ring = new RingConsumer(shared);
    let sum = 0;
    for (let n = 0; n < frames; ) {
      const at = ring.next();
      if (at < 0) {
        ring.release();
        continue;
      }
      sum = (sum + add(ring.region.u32, at >>> 2, ring.size >>> 2)) | 0;
      n++;
      if ((n & 63) === 0) ring.release();
    }
    ring.release();
    return sum;
  },
};

/** Each message pushed by itself: its length in elements, then its words. */
function pushedOneByOne(elementSize: 1 | 4): Candidate {
  const type = elementSize === 4 ? Uint32Array : Uint8Array;
  const lengthElements = 4 / elementSize;
  return {
    name: `ringbuf.js, ${elementSize === 4 ? 'words' : 'bytes'}, message by message`,
    create: () => RingBuffer.getStorageForCapacity(CAPACITY / elementSize, type),
    produce(shared, frames) {
      const ring = new RingBuffer(shared, type);
      const words = new Uint32Array(64);
      const elements = new type(words.buffer);
      for (let n = 0; n < frames; n++) {
        const count = wordCount(n);
        words[0] = count;
        write(words, 1, count, n);
        const length = (count + 1) * lengthElements;
        while (ring.availableWrite() < length);
        ring.push(elements, length);
      }
    },
    consume(shared, frames) {
      const ring = new RingBuffer(shared, type);
      const words = new Uint32Array(64);
      const elements = new type(words.buffer);
      let sum = 0;
      for (let n = 0; n < frames; n++) {
        while (ring.pop(elements, lengthElements) === 0);
        const count = words[0]!;
        ring.pop(elements, count * lengthElements);
        sum = (sum + add(words, 0, count)) | 0;
      }
      return sum;
    },
  };
}

/** Messages packed by the batch, so that the ring's own costs are paid once a batch. */
const packed: Candidate = {
  name: 'ringbuf.js, words, packed batches',
  create: () => RingBuffer.getStorageForCapacity(CAPACITY / 4, Uint32Array),
  produce(shared, frames, batch) {
    const ring = new RingBuffer(shared, Uint32Array);
    const words = new Uint32Array(batch * 64);
    let length = 0;
    for (let n = 0; n < frames; n++) {
      const count = wordCount(n);
      words[length] = count;
      write(words, length + 1, count, n);
      length += count + 1;
      if (n % batch === batch - 1 || n === frames - 1) {
        while (ring.availableWrite() < length);
        ring.push(words, length);
        length = 0;
      }
    }
  },
  consume(shared, frames) {
    const ring = new RingBuffer(shared, Uint32Array);
    const words = new Uint32Array(SCRATCH_WORDS);
    let sum = 0;
    for (let n = 0; n < frames; ) {
      const length = ring.pop(words, SCRATCH_WORDS);
      for (let at = 0; at < length; n++) {
        const count = words[at]!;
        sum = (sum + add(words, at + 1, count)) | 0;
        at += count + 1;
      }
    }
    return sum;
  },
};

const CANDIDATES: readonly Candidate[] = [ours, packed, pushedOneByOne(4), pushedOneByOne(1)];

interface Task {
  candidate: number;
  shared: SharedBytes;
  frames: number;
}

if (isMainThread) await main();
else consumeTasks();

/** The consumer's thread: says that it is ready, takes what the producer sends, answers with the sum. */
function consumeTasks(): void {
  const { candidate, shared, frames } = workerData as Task;
  parentPort!.postMessage('ready');
  parentPort!.postMessage(CANDIDATES[candidate]!.consume(shared, frames));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      frames: { type: 'string', default: '1000000' },
      runs: { type: 'string', default: '5' },
      help: { type: 'boolean', default: false },
    },
  });
  const [frames, runs] = [Number(values.frames), Number(values.runs)];
  if (values.help || !(frames >= 1 && runs >= 1)) {
    console.log(HELP);
    process.exit(values.help ? 0 : 2);
  }
  console.log(
    `| messages of 64–200 bytes, two threads | ${BATCHES.map(b => `batches of ${b}`).join(' | ')} |`,
  );
  console.log(`|---|${'---:|'.repeat(BATCHES.length)}`);
  const expected = expectedSum(frames);
  const figures = CANDIDATES.map(() => BATCHES.map((): number[] => []));
  // Runs in turn, so that a busy moment of the machine does not hit one candidate alone.
  for (let run = 0; run < runs; run++) {
    for (const [c] of CANDIDATES.entries()) {
      for (const [b, batch] of BATCHES.entries()) {
        figures[c]![b]!.push(await measure(c, frames, batch, expected));
      }
    }
  }
  for (const [c, { name }] of CANDIDATES.entries()) {
    const cells = figures[c]!.map(list => (median(list) / 1e6).toFixed(2));
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
  console.log(`\nMillions of messages a second, median of ${runs} runs of ${frames}.`);
}

/** @returns Messages a second of one run. */
async function measure(candidate: number, frames: number, batch: number, expected: number): Promise<number> {
  const { create, produce, name } = CANDIDATES[candidate]!;
  const shared = create();
  const task: Task = { candidate, shared, frames };
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const sum = new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const startMs = performance.now();
  produce(shared, frames, batch);
  if ((await sum) !== expected)
    throw new Error(`${name}: the messages that arrived are not those that were sent`);
  return frames / ((performance.now() - startMs) / 1000);
}

function expectedSum(frames: number): number {
  const words = new Uint32Array(64);
  let sum = 0;
  for (let n = 0; n < frames; n++) {
    write(words, 0, wordCount(n), n);
    sum = (sum + add(words, 0, wordCount(n))) | 0;
  }
  return sum;
}

function median(list: number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >>> 1]!;
}
