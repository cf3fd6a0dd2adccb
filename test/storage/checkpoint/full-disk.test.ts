/** A disk that is full, or fails, while a checkpoint is written: the one before stays good, and the next works again. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { OK } from '../../../src/base/result.js';
import * as ST from '../../../src/storage/engine.js';
import { FaultyDisk, FaultyIo, seeded } from '../../support/faulty-io.js';
import { TestServer } from '../../support/server.js';
import { StorageShard } from '../../support/storage-shard.js';
import { digestOf, GET, put, write } from '../../support/wire-client.js';

const KIB = 1024;
const MIB = KIB * KIB;
const BLOCK_SIZE = 64 * KIB;
const BLOCKS = 32;
const ENOSPC = 28;
const EIO = 5;
const PATHS = ['disk.index-0-0', 'disk.index-0-1'];
const KEYS = 300;

for (const [name, error, reason] of [
  ['full', ENOSPC, /ENOSPC, no space left on device/],
  ['failing', EIO, /EIO, i\/o error/],
] as const) {
  test(`a ${name} disk: one line, the checkpoint before stays good, and later ones succeed`, t => {
    const disk = new FaultyDisk(BLOCKS * BLOCK_SIZE);
    const files = new Map(PATHS.map(file => [file, new FaultyDisk(4 * MIB)]));
    let isFailing = false;
    let startCount = 0;
    const open = (): { shard: StorageShard; io: FaultyIo } => {
      const owner = {
        setId: Uint32Array.of(1, 2, 3, 4),
        shard: 0,
        writeBlockSize: BLOCK_SIZE,
        startCount: ++startCount,
      };
      const extent = { path: 'disk', offset: 0, size: BLOCKS * BLOCK_SIZE, owner, checkpoints: PATHS };
      const faults = {
        turnsMax: 1,
        failsWrite: (_offset: number, _length: number, on: FaultyDisk) =>
          isFailing && on !== disk ? error : false,
      };
      const io = new FaultyIo(disk, 32 * MIB, seeded(startCount), faults, files);
      return { shard: new StorageShard({ backend: io, extent, limits: { flushMaxMs: 50 } }).recover(), io };
    };
    let nowMs = 1000;
    const run = (shard: StorageShard, version: number, attempts: number): void => {
      for (let key = 0; key < KEYS; key++) t.is(shard.put(key, version, 200), OK);
      const { checkpoints } = shard.engine;
      for (let attempt = 0; attempt < attempts; attempt++) {
        while (!checkpoints!.start()) shard.tick((nowMs += 10));
        while (checkpoints!.isActive) {
          checkpoints!.step(1);
          shard.tick((nowMs += 10));
        }
      }
    };
    const linesOf = (shard: StorageShard): string[] =>
      shard.log.lines.filter(line => line.includes('checkpoint'));
    const first = open();
    run(first.shard, 1, 1);
    t.is(first.shard.counters[ST.ST_CHECKPOINTS], 1);
    isFailing = true;
    run(first.shard, 2, 3);
    t.is(first.shard.counters[ST.ST_CHECKPOINT_ERRORS], 3);
    t.is(linesOf(first.shard).length, 1, 'one line for all of them');
    t.regex(linesOf(first.shard)[0]!, /^warning .*no checkpoint could be written/);
    t.regex(linesOf(first.shard)[0]!, reason);
    first.io.cutPower();

    const second = open();
    t.is(second.shard.counters[ST.ST_START_KIND], ST.START_CHECKPOINT);
    for (let key = 0; key < KEYS; key++) t.is(second.shard.get(key), 2);
    run(second.shard, 3, 1);
    isFailing = false;
    run(second.shard, 4, 1);
    t.is(second.shard.counters[ST.ST_CHECKPOINTS], 1);
    t.regex(linesOf(second.shard).at(-1)!, /^info .*checkpoints are written again/);
    isFailing = true;
    second.shard.engine.close(); // what it cannot write at the end is no failure of the stop
    isFailing = false;

    const third = open();
    t.is(third.shard.counters[ST.ST_START_KIND], ST.START_CHECKPOINT);
    for (let key = 0; key < KEYS; key++) t.is(third.shard.get(key), 4);
    third.shard.engine.close();
  });
}

const whyNot = refusal();
if (whyNot !== '') console.error(`A FULL DISK UNDER A SERVER IS NOT TESTED: ${whyNot}`);

(whyNot === '' ? test : test.skip)(
  'a server whose checkpoints have no room stops clean, and starts by those before',
  async t => {
    const server = await TestServer.start(t, {
      namespaces: [
        { name: 'test', storage: 'storage-engine device {\nfile DIRECTORY/disk/test.dat\nfilesize 64M\n}' },
      ],
      prepare: directory => {
        const disk = path.join(directory, 'disk');
        fs.mkdirSync(disk);
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=80M', 'tmpfs', disk]);
        t.teardown(() => void execFileSync('umount', ['--lazy', disk]));
      },
    });
    const disk = path.join(server.directory, 'disk');
    const filler = path.join(disk, 'filler');
    const fill = async (version: number): Promise<void> => {
      const client = await server.connect();
      for (let key = 0; key < KEYS; key++) {
        t.is((await client.command({ ...put(write('v', version)), digest: digestOf(key) })).code, OK);
      }
      client.close();
    };
    await fill(1);
    t.is(await server.stop(), 0);
    await server.run();
    t.regex(server.output, /[1-9]\d* shards by checkpoint, 0 cold, 0 records/);
    await fill(2);
    const { bavail, bsize } = fs.statfsSync(disk);
    execFileSync('fallocate', ['-l', String(bavail * bsize), filler]);
    t.is(await server.stop(), 0);
    t.regex(server.output, /no checkpoint could be written \(ENOSPC/);
    await server.run();
    t.regex(server.output, /[1-9]\d* shards by checkpoint, 0 cold, 300 records/);
    const reader = await server.connect();
    for (let key = 0; key < KEYS; key++) {
      const answer = await reader.command({ ...GET, digest: digestOf(key) });
      t.is(Number(answer.ops[0]!.value.readBigInt64BE()), 2);
    }
    reader.close();
    fs.rmSync(filler);
    t.is(await server.stop(), 0);
    await server.run();
    t.regex(server.output, /[1-9]\d* shards by checkpoint, 0 cold, 0 records/);
  },
);

function refusal(): string {
  if (process.getuid?.() !== 0) return 'only root mounts a disk';
  const directory = fs.mkdtempSync('/tmp/caltrop-test-');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64K', 'tmpfs', directory], { stdio: 'pipe' });
    execFileSync('umount', [directory]);
    return '';
  } catch (error) {
    return (error as Error).message;
  } finally {
    fs.rmdirSync(directory);
  }
}
