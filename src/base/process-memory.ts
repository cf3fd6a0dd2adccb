/**
 * What the process asks of V8 and of malloc so that its resident size comes to rest. By themselves both take more the
 * longer a load lasts, up to some bound of theirs: V8 doubles the young generation of each thread as objects survive in it,
 * to 32 MiB, and malloc keeps free memory in one heap for each thread that has ever asked for some, V8's compilers
 * among them.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { nativeModule } from './native-module.js';

const MIB = 1024 * 1024;
/**
 * Half of a worker's young generation. A command allocates next to nothing, and what it does allocate is dead when it is
 * over, so that a collection costs the same however small this is.
 */
const WORKER_HALF_MIB = 4;
/** Half of the main thread's. */
const MAIN_HALF_MIB = 4;
/** Bytes and count of the objects that make it grow, and when to give up. */
const KEPT_SIZE = 16 * 1024;
const KEPT_COUNT = 256;
const MADE_MAX = 64 * MIB;
/** Between two looks at its size. */
const LOOK_MS = 1000;
/** Between two times that malloc gives back everything. */
const TRIM_MS = 10_000;
/**
 * Free bytes at the end of a heap that malloc keeps until then: more than V8's compilers take and give back all the
 * time. With half a MiB a load that has V8 compile much spent more time on pages given back and taken than on itself.
 */
const TRIM_SIZE = 16 * MIB;
/** Larger blocks are mapped by themselves: this is given back when they are freed, and taking it costs a fault a page. */
const MAP_SIZE = 4 * MIB;

/**
 * Most that an old generation takes on beyond what lives in it before it is collected, in parts of that (V8 makes it
 * 8 MiB at least), and the size of a worker's at its first collection. What a command leaves there are compiled
 * expressions that are used no more. By itself V8 waits for some multiple of what lives.
 */
const OLD_GROWTH_PERCENT = 30;
const OLD_FIRST_MIB = 20;

/** Once, on the main thread, before there are others. */
export function boundProcessMemory(): void {
  setFlagsFromString(`--min-semi-space-size=${WORKER_HALF_MIB}`);
  setFlagsFromString(`--max-semi-space-size=${WORKER_HALF_MIB}`);
  setFlagsFromString(`--initial-old-space-size=${OLD_FIRST_MIB}`);
  setFlagsFromString(`--heap-growing-percent=${OLD_GROWTH_PERCENT}`);
  const native = nativeModule();
  if (typeof native !== 'string') native.keepMallocTight(TRIM_SIZE, MAP_SIZE);
  growMainYoung();
  setInterval(boundMainYoung, LOOK_MS).unref();
  if (typeof native !== 'string') setInterval(() => native.trimMalloc(), TRIM_MS).unref();
}

/**
 * The flags that bound a young generation count when a thread starts, too late for the main thread's: that is 1 to 16 MiB
 * then. But the factor by which it grows is looked at each time. So it is made to grow now, by so much that lives that it
 * has to, which takes some 10 ms, and then to stay.
 */
function growMainYoung(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
  const kept: unknown[] = [];
  for (let made = 0; made < MADE_MAX && !isMainYoungGrown(); made += KEPT_SIZE) {
    kept[(made / KEPT_SIZE) % KEPT_COUNT] = new Array(KEPT_SIZE / 8).fill(0);
  }
  boundMainYoung();
}

/** V8 makes it small again when it collects everything while little is going on: then it may grow once more. */
function boundMainYoung(): void {
  setFlagsFromString(`--semi-space-growth-factor=${isMainYoungGrown() ? 1 : 2}`);
}

function isMainYoungGrown(): boolean {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  return (space?.space_size ?? 0) >= 2 * MAIN_HALF_MIB * MIB; // of both halves
}
