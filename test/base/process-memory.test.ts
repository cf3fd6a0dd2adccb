import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { nativeModule } from '../../src/base/native-module.js';

const run = promisify(execFile);
const PROCESS_MEMORY = new URL('../../src/base/process-memory.js', import.meta.url).href;
const NATIVE_MODULE = new URL('../../src/base/native-module.js', import.meta.url).href;
const MIB = 1024 * 1024;

/** Runs a program in a process of its own, since what is tested holds for a whole process. @returns What it printed. */
async function output(program: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
  return stdout.trim();
}

/** Leaves a young generation that has grown as far as it may: much of what is made survives for a while. */
const GARBAGE = `
  const kept = new Array(20_000).fill(null);
  for (let k = 0; k < 3_000_000; k++) kept[k % kept.length] = { k, list: [k, k, k, k, k, k, k, k] };
  const space = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space').space_size;
`;
const WORKER = `
  import v8 from 'node:v8';
  import { parentPort } from 'node:worker_threads';
  ${GARBAGE}
  parentPort.postMessage(space);
`;

test('the young generations of workers and of the main thread stay small under a load', async t => {
  const sizes = async (boundAt: number): Promise<number[]> => {
    const printed = await output(`
      import v8 from 'node:v8';
      import { Worker } from 'node:worker_threads';
      import { boundProcessMemory } from '${PROCESS_MEMORY}';
      if (${boundAt} > 0) {
        const early = new Array(20_000).fill(null);
        const size = () => v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space').space_size;
        for (let k = 0; size() < ${boundAt}; k++)
          for (let i = 0; i < 1000; i++) early[(k * 1000 + i) % early.length] = { k, list: [k, k, k, k, k, k, k, k] };
        boundProcessMemory();
      }
      ${GARBAGE}
      new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(WORKER)}))).on('message', worker => console.log(space + ' ' + worker));
    `);
    return printed.split(' ').map(Number);
  };
  for (const boundAt of [1, 16 * MIB]) {
    const [main, worker] = await sizes(boundAt);
    t.is(main, Math.max(boundAt, 8 * MIB), 'main');
    t.true(worker! <= 8 * MIB, `worker: ${worker}`);
  }
  const [main, worker] = await sizes(0);
  t.true(main! > 16 * MIB && worker! > 8 * MIB, 'what they would grow to');
});

/** One object of twenty lives until thousands of others were made, which is what compiled expressions do. */
const DRAGGED = `
  import v8 from 'node:v8';
  import { parentPort } from 'node:worker_threads';
  const kept = new Array(10_000).fill(null);
  let most = 0;
  for (let k = 0; k < 20_000_000; k++) {
    const made = [k, k, k, k, k, k, k, k];
    if (k % 20 === 0) kept[(k / 20) % kept.length] = made;
    if (k % 100_000 !== 0) continue;
    const space = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space').space_size;
    if (space > most) most = space;
  }
  parentPort.postMessage(most);
`;

test('what a worker has used for a while is collected before it is much', async t => {
  const most = async (isBound: boolean): Promise<number> =>
    Number(
      await output(`
        import { Worker } from 'node:worker_threads';
        import { boundProcessMemory } from '${PROCESS_MEMORY}';
        if (${isBound}) boundProcessMemory();
        new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(DRAGGED)}))).on('message', size => console.log(size));
      `),
    );
  const bound = await most(true);
  t.true(bound <= 26 * MIB, String(bound));
  t.true((await most(false)) > 1.2 * bound, 'what it would come to');
});

(typeof nativeModule() === 'string' ? test.skip : test)('malloc gives back what is free', async t => {
  const left = await output(`
    import v8 from 'node:v8';
    import { nativeModule } from '${NATIVE_MODULE}';
    import { boundProcessMemory } from '${PROCESS_MEMORY}';
    v8.setFlagsFromString('--expose-gc');
    const gc = (await import('node:vm')).runInNewContext('gc');
    boundProcessMemory();
    gc();
    const before = process.memoryUsage.rss();
    let blocks = Array.from({ length: 4000 }, () => Buffer.allocUnsafeSlow(32 * 1024).fill(1));
    const small = blocks.map(() => Buffer.allocUnsafeSlow(200)); // they hold the ends of heaps
    const most = process.memoryUsage.rss();
    blocks = [];
    // A thread of V8's frees them, when it has its turn.
    for (let k = 0; k < 600 && (k < 3 || process.memoryUsage().arrayBuffers > ${MIB}); k++) {
      gc();
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    nativeModule().trimMalloc();
    console.log(most - before, process.memoryUsage.rss() - before, small.length);
  `);
  const [most, after] = left.split(' ').map(Number);
  t.true(most! > 120 * MIB);
  t.true(after! < 30 * MIB, left);
});
