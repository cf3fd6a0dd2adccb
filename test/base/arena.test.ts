import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import { Arena } from '../../src/base/arena.js';
import { nativeModule } from '../../src/base/native-module.js';

const MIB = 1024 * 1024;

/** Bytes of this process's memory that the kernel was asked to make of large pages. */
function advisedSize(): number {
  let total = 0;
  let size = 0;
  for (const line of readFileSync('/proc/self/smaps', 'latin1').split('\n')) {
    const sizeKib = /^Size:\s+(\d+) kB/.exec(line)?.[1];
    if (sizeKib !== undefined) size = Number(sizeKib) * 1024;
    else if (/^VmFlags:.* hg\b/.test(line)) total += size;
  }
  return total;
}

test('chunks of an arena are zeroed, and large ones are of large pages where the kernel has them', t => {
  const told: number[] = [];
  const small = new Arena(MIB, chunk => told.push(chunk));
  t.is(small.addChunk(), 0);
  t.is(small.addChunk(), 1);
  t.deepEqual(told, [0, 1]);
  t.true(small.chunks[1]!.u8.every(byte => byte === 0));
  if (typeof nativeModule() === 'string' || !existsSync('/sys/kernel/mm/transparent_hugepage')) return;
  const before = advisedSize();
  new Arena(MIB).addChunk();
  t.is(advisedSize(), before, 'a small one is not');
  const large = new Arena(32 * MIB);
  large.addChunk();
  t.true(advisedSize() >= before + 30 * MIB);
  t.is(large.chunks[0]!.i32[5 * MIB], 0);
});
