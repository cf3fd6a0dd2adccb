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
/** From this on that of the main thread stays as it is. It has this or twice as much by the time our code begins. */
const MAIN_HALF_MIB = 4;
const LOOK_MS = 10_000;
/**
 * Free bytes at the end of a heap that malloc keeps between two looks: more than V8's compilers take and give back all the
 * time. With half a MiB a load that has V8 compile much spent more time on pages given back and taken than on itself.
 */
const TRIM_SIZE = 16 * MIB;
/** Larger blocks are mapped by themselves: this is given back when they are freed, and taking it costs a fault a page. */
const MAP_SIZE = 4 * MIB;

/** Once, on the main thread, before there are others. */
export function boundProcessMemory(): void {
  setFlagsFromString(`--min-semi-space-size=${WORKER_HALF_MIB}`);
  setFlagsFromString(`--max-semi-space-size=${WORKER_HALF_MIB}`);
  const native = nativeModule();
  if (typeof native !== 'string') native.keepMallocTight(TRIM_SIZE, MAP_SIZE);
  const look = (): void => {
    boundMainHeap();
    if (typeof native !== 'string') native.trimMalloc();
  };
  boundMainHeap();
  setInterval(look, LOOK_MS).unref();
}

/**
 * The flags that bound a young generation count when a thread starts, too late for this one. But the factor by which it
 * grows is looked at each time: 1 as long as it has the size that it may have. V8 shrinks it when little is going on.
 */
function boundMainHeap(): void {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  const isGrown = (space?.space_size ?? 0) >= 2 * MAIN_HALF_MIB * MIB;
  setFlagsFromString(`--semi-space-growth-factor=${isGrown ? 1 : 2}`);
}
