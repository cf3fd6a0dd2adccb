import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { PARTITION_COUNT } from '../../../src/base/digest.js';
import {
  decodeHeader,
  encodeHeader,
  HEADER_AT,
  HEADER_SIZE,
} from '../../../src/storage/device/device-header.js';
import {
  type DeviceSetOptions,
  type OpenDeviceSet,
  openDeviceSet,
} from '../../../src/storage/device/device-set.js';
import { StorageError } from '../../../src/storage/device/storage-error.js';
import { temporaryDirectory } from '../../support/storage-backends.js';
import { LogLines } from '../../support/storage-shard.js';

const MIB = 1024 * 1024;
const FILESIZE = 24 * MIB;

interface Place {
  options(change?: Partial<DeviceSetOptions>): DeviceSetOptions;
  files: string[];
  log: LogLines;
}

function place(t: ExecutionContext, fileCount = 1): Place {
  const directory = temporaryDirectory(t);
  const files = Array.from({ length: fileCount }, (_, i) => path.join(directory, `data${i}.dat`));
  const log = new LogLines();
  const base: DeviceSetOptions = { namespace: 'test', files, filesize: FILESIZE, recordSizeMax: MIB, log };
  return { files, log, options: change => ({ ...base, ...change }) };
}

async function opened(t: ExecutionContext, options: DeviceSetOptions): Promise<OpenDeviceSet> {
  const open = await openDeviceSet(options);
  t.teardown(() => open.close());
  return open;
}

async function createAndClose(options: DeviceSetOptions): Promise<void> {
  await (await openDeviceSet(options)).close();
}

async function refused(t: ExecutionContext, options: DeviceSetOptions, file: string, reason: RegExp) {
  const before = options.files.map(name => (fs.existsSync(name) ? fs.readFileSync(name) : undefined));
  const error = await t.throwsAsync(openDeviceSet(options), { instanceOf: StorageError });
  t.is(error.path, file);
  t.regex(error.message, reason);
  options.files.forEach((name, i) => {
    if (before[i]) t.true(fs.readFileSync(name).equals(before[i]), 'a refused file is not touched');
  });
}

test('a new file gets its full size on the disk, and is the same set ever after', async t => {
  const { options, files } = place(t);
  const first = await openDeviceSet(options());
  t.true(first.set.isNew);
  const { size, blocks } = fs.statSync(files[0]!);
  t.is(size, FILESIZE);
  t.true(blocks * 512 >= FILESIZE, 'no holes');
  t.deepEqual(structuredClone(first.set), first.set);
  await first.close();
  const second = await opened(t, options());
  t.false(second.set.isNew);
  t.deepEqual(second.set.shardOf, first.set.shardOf);
  t.deepEqual(second.set.setId, first.set.setId);
  const startCounts = [first, second].map(({ set }) => set.extents[0]!.owner.startCount);
  t.deepEqual(startCounts, [1, 2]);
});

test('where fallocate is missing the file is filled with zeros', async t => {
  const { options, files } = place(t);
  // In a child process, whose PATH leads nowhere.
  const module = new URL('../../../src/storage/device/device-set.js', import.meta.url).href;
  const script = `
    import { openDeviceSet } from ${JSON.stringify(module)};
    const log = { info() {}, warning() {}, critical() {} };
    const open = await openDeviceSet({ ...${JSON.stringify(options())}, log });
    await open.close();`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: '/nonexistent' },
  });
  t.true(fs.statSync(files[0]!).blocks * 512 >= FILESIZE);
  t.false((await opened(t, options())).set.isNew);
});

test('a disk without room is told at once, and stays as it was', async t => {
  const { options, files } = place(t, 3);
  const { bavail, bsize } = fs.statfsSync(path.dirname(files[0]!));
  const free = bavail * bsize;
  const tooLarge = options({ filesize: Math.ceil(free * 1.1) });
  await refused(t, tooLarge, files[0]!, /lacks \d+ bytes; make room, or configure a smaller filesize/);
  t.is(fs.statSync(files[0]!).blocks, 0);
});

test('shards cover every partition and lie apart, on one file and on several', async t => {
  for (const [fileCount, filesize, shards] of [
    [1, 24 * MIB, 1],
    [1, 300 * MIB, 4],
    [2, 60 * MIB, 4],
    [3, 120 * MIB, 4],
  ] as const) {
    const { options } = place(t, fileCount);
    const { set } = await opened(t, options({ filesize }));
    t.is(set.shardCount, shards);
    t.is(set.extents.length, shards);
    const counts = new Array<number>(shards).fill(0);
    for (let pid = 0; pid < PARTITION_COUNT; pid++) counts[set.shardOf[pid]!]!++;
    const total = set.extents.reduce((sum, { size }) => sum + size, 0);
    set.extents.forEach(({ size, offset, device, owner, path: file }, shard) => {
      t.true(Math.abs(counts[shard]! / PARTITION_COUNT - size / total) < 0.001);
      t.is(owner.shard, shard);
      t.is(file, set.devices[device]!.path);
      t.true(size >= 4 * set.writeBlockSize && offset >= MIB && offset + size <= filesize);
      for (const other of set.extents) {
        if (other.owner.shard === shard || other.device !== device) continue;
        t.true(other.offset >= offset + size || other.offset + other.size <= offset);
      }
    });
    t.true(total > 0.8 * fileCount * filesize, 'little is left over');
  }
});

test('a file that was laid out otherwise keeps its shards', async t => {
  const { options, files } = place(t);
  await createAndClose(options({ filesize: 80 * MIB }));
  const bytes = fs.readFileSync(files[0]!);
  const shardCount = 8;
  const extents = Array.from({ length: shardCount }, (_, shard) => ({
    shard,
    offset: MIB + shard * 8 * MIB,
    size: 8 * MIB,
  }));
  const shardOf = Uint16Array.from({ length: PARTITION_COUNT }, (_, pid) => pid % shardCount);
  for (const at of HEADER_AT) {
    const header = decodeHeader(bytes.subarray(at, at + HEADER_SIZE));
    if (typeof header !== 'object' || !('shardCount' in header)) continue; // written by the next start
    t.not(header.shardCount, shardCount);
    bytes.set(encodeHeader({ ...header, shardCount, extents, shardOf }), at);
  }
  fs.writeFileSync(files[0]!, bytes);
  const { set } = await opened(t, options({ filesize: 80 * MIB }));
  t.is(set.shardCount, shardCount);
  t.deepEqual(
    set.extents.map(({ offset, size, owner }) => ({ shard: owner.shard, offset, size })),
    extents,
  );
  t.deepEqual(set.shardOf, shardOf);
});

test('large records get large write blocks', async t => {
  const { options } = place(t);
  const { set } = await opened(t, options({ recordSizeMax: 8 * MIB, filesize: 80 * MIB }));
  t.is(set.writeBlockSize, 16 * MIB);
});

test('a file in use is refused, by this process and by another', async t => {
  const { options, files } = place(t);
  const module = new URL('../../../src/storage/device/device-set.js', import.meta.url).href;
  const script = `
    import { openDeviceSet } from ${JSON.stringify(module)};
    const log = { info() {}, warning() {}, critical() {} };
    await openDeviceSet({ ...${JSON.stringify(options())}, log });
    console.log('open');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  // Another name of the same file does not help.
  const alias = `${files[0]}.alias`;
  fs.linkSync(files[0]!, alias);
  await refused(t, options(), files[0]!, /in use by another process/);
  await refused(t, options({ files: [alias] }), alias, /in use by another process/);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const open = await openDeviceSet(options());
  await refused(t, options(), files[0]!, /in use/);
  await open.close();
});

test('a file of another namespace is refused', async t => {
  const { options, files } = place(t);
  await createAndClose(options());
  await refused(t, options({ namespace: 'other' }), files[0]!, /belongs to namespace test, not to other/);
});

test('files in another order, too few, too many or from another set are refused', async t => {
  const { options, files } = place(t, 3);
  const [a, b, c] = files as [string, string, string];
  await createAndClose(options({ files: [a, b] }));
  await refused(t, options({ files: [b, a] }), b, /is file 2 of its namespace, but is named as file 1/);
  await refused(t, options({ files: [a] }), a, /one of 2 files, 1 are configured/);
  await refused(t, options({ files: [a, b, c] }), a, /one of 2 files, 3 are configured/);
  await refused(t, options({ files: [a, c] }), c, /is blank, while other files/);
  fs.rmSync(c, { force: true });
  const other = place(t, 2);
  await createAndClose(other.options());
  await refused(t, options({ files: [a, other.files[1]!] }), other.files[1]!, /created apart/);
  await refused(t, options({ files: [a, a] }), a, /the same file/);
});

test('a file that shrank, in the configuration or on the disk, is refused; a larger filesize is a warning', async t => {
  const { options, files, log } = place(t);
  await createAndClose(options());
  await refused(t, options({ filesize: FILESIZE - MIB }), files[0]!, /cannot shrink/);
  await createAndClose(options({ filesize: FILESIZE * 2 }));
  t.true(log.lines.some(line => line.startsWith('warning') && line.includes('keeps it')));
  await refused(t, options({ recordSizeMax: 4 * MIB }), files[0]!, /max-record-size is 4194304/);
  fs.truncateSync(files[0]!, FILESIZE - MIB);
  await refused(t, options(), files[0]!, /its end is missing/);
});

test('a filesize that is too small names the least', async t => {
  const { options, files } = place(t);
  await refused(t, options({ filesize: 5 * MIB }), files[0]!, /too small; 9437184 is the least/);
  await createAndClose(options({ filesize: 9 * MIB }));
});

test('a file that holds something else is refused', async t => {
  const { options, files } = place(t);
  fs.writeFileSync(files[0]!, 'important');
  await refused(t, options(), files[0]!, /holds something/);
  const bytes = Buffer.alloc(4 * MIB);
  bytes[2 * MIB] = 1;
  fs.writeFileSync(files[0]!, bytes);
  await refused(t, options(), files[0]!, /holds something/);
});

test('one damaged header copy is survived, two are refused', async t => {
  const { options, files } = place(t);
  await createAndClose(options());
  flip(files[0]!, HEADER_AT[0] + 5000);
  await createAndClose(options());
  await createAndClose(options()); // both copies are good again
  flip(files[0]!, HEADER_AT[1] + 5000);
  await createAndClose(options());
  flip(files[0]!, HEADER_AT[0] + 60);
  flip(files[0]!, HEADER_AT[1] + 60);
  await refused(t, options(), files[0]!, /both copies of its header are damaged/);
});

test('a newer format is refused', async t => {
  const { options, files } = place(t);
  await createAndClose(options());
  for (const at of HEADER_AT) writeAt(files[0]!, at + 4, Uint8Array.of(9, 0, 0, 0));
  await refused(t, options(), files[0]!, /format version 9, this program reads 1/);
});

test('an initialisation that was cut off is begun again', async t => {
  const { options, files } = place(t, 2);
  await createAndClose(options());
  // As after a crash before the second file got its header: the first says CREATING, the second is blank.
  for (const at of HEADER_AT) writeAt(files[1]!, at, new Uint8Array(HEADER_SIZE));
  await refused(t, options(), files[1]!, /is blank/);
  const { encodeHeader, decodeHeader, STATE_CREATING } = await import(
    '../../../src/storage/device/device-header.js'
  );
  const bytes = fs.readFileSync(files[0]!).subarray(0, HEADER_SIZE);
  const header = decodeHeader(bytes);
  if (typeof header === 'string' || !('state' in header)) throw new Error('no header');
  header.state = STATE_CREATING;
  for (const at of HEADER_AT) writeAt(files[0]!, at, encodeHeader(header));
  const { set } = await opened(t, options());
  t.true(set.isNew);
});

test('what cannot be opened is named', async t => {
  const { options } = place(t);
  await refused(t, options({ files: ['/nowhere/data.dat'] }), '/nowhere/data.dat', /cannot be opened/);
  await refused(t, options({ files: ['/dev/null'] }), '/dev/null', /no ordinary file/);
});

function flip(file: string, at: number): void {
  const byte = fs.readFileSync(file)[at]!;
  writeAt(file, at, Uint8Array.of(byte ^ 1));
}

function writeAt(file: string, at: number, bytes: Uint8Array): void {
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, bytes, 0, bytes.length, at);
  fs.closeSync(fd);
}

test('workers are told to go past the cache when that is wished and possible', async t => {
  const { options, log } = place(t);
  const cached = await openDeviceSet(options());
  t.deepEqual([...new Set(cached.set.extents.map(extent => extent.isDirect))], [false]);
  await cached.close();
  const { set } = await opened(t, options({ isDirect: true }));
  const isRefused = log.lines.some(line => /takes no direct I\/O/.test(line));
  for (const extent of set.extents) {
    t.is(extent.isDirect, !isRefused);
    t.true(extent.readAlign === 512 || extent.readAlign === 4096);
  }
});

/** A key file with these bytes. */
function keyFile(directory: string, name: string, contents: string): string {
  const file = path.join(directory, name);
  fs.writeFileSync(file, contents);
  return file;
}

/** An encrypted set, closed again, with two key files beside it of which it was created with the first. */
async function encryptedSet(t: ExecutionContext, fileCount = 1) {
  const it = place(t, fileCount);
  const directory = path.dirname(it.files[0]!);
  const first = keyFile(directory, 'first', 'the first key of all');
  const second = keyFile(directory, 'second', 'another one, random!');
  const by = (name: string, oldKeyFile = '', algorithm: 'aes-128' | 'aes-256' = 'aes-128') =>
    it.options({ encryption: { algorithm, keyFile: name, oldKeyFile } });
  const created = await openDeviceSet(by(first));
  await created.close();
  return { ...it, first, second, by, dataKey: Buffer.from(created.set.dataKey!.bytes) };
}

test('an encrypted set keeps its data key, and opens with its key file alone', async t => {
  const { files, by, first, second, dataKey } = await encryptedSet(t);
  t.is(dataKey.length, 16);
  t.false(fs.readFileSync(files[0]!).includes(dataKey), 'the data key is not on the disk');
  const again = await opened(t, by(first));
  t.true(Buffer.from(again.set.dataKey!.bytes).equals(dataKey));
  t.is(again.set.extents[0]!.dataKey, again.set.dataKey);
  await again.close();
  await refused(
    t,
    by(second),
    files[0]!,
    /cannot be decrypted with the key in .*second.*encryption-old-key-file/,
  );
  await refused(t, by('/nowhere/key'), '/nowhere/key', /cannot be read.*ENOENT/);
});

test('encryption that was added, left out or changed is refused with what to do', async t => {
  const { files, options, by, first } = await encryptedSet(t);
  await refused(
    t,
    options(),
    files[0]!,
    /is encrypted; configure encryption aes-128 and the encryption-key-file/,
  );
  await refused(
    t,
    by(first, '', 'aes-256'),
    files[0]!,
    /was created with encryption aes-128, aes-256 is configured/,
  );
  const plain = place(t);
  await createAndClose(plain.options());
  const encryption = { algorithm: 'aes-256', keyFile: first, oldKeyFile: '' } as const;
  await refused(t, plain.options({ encryption }), plain.files[0]!, /was created without encryption, aes-256/);
});

test('a key file that cannot be read leaves no file prepared', async t => {
  const { options, files } = place(t);
  const encryption = { algorithm: 'aes-128', keyFile: '/nowhere/key', oldKeyFile: '' } as const;
  await t.throwsAsync(openDeviceSet(options({ encryption })), { instanceOf: StorageError });
  t.is(fs.statSync(files[0]!).size, 0);
});

test('a key file is replaced by naming the old one once; from then on the old one opens nothing', async t => {
  const { files, by, first, second, dataKey, log } = await encryptedSet(t, 2);
  await createAndClose(by(second, first));
  t.regex(log.lines.join('\n'), /data1.dat: its encryption key is now protected by .*second/);
  await refused(t, by(first), files[0]!, /cannot be decrypted/);
  const open = await opened(t, by(second));
  t.true(Buffer.from(open.set.dataKey!.bytes).equals(dataKey), 'the data stays as it is');
  await open.close();
  // Neither copy of a header is left for the old key: each alone is refused.
  for (const at of HEADER_AT) {
    const file = fs.openSync(files[0]!, 'r+');
    const saved = new Uint8Array(HEADER_SIZE);
    fs.readSync(file, saved, 0, HEADER_SIZE, at);
    fs.writeSync(file, new Uint8Array(HEADER_SIZE).fill(1), 0, HEADER_SIZE, at);
    await refused(t, by(first), files[0]!, /cannot be decrypted/);
    fs.writeSync(file, saved, 0, HEADER_SIZE, at);
    fs.closeSync(file);
  }
});

test('a replacement that was cut off between two files goes on at the next start', async t => {
  const { files, by, first, second, dataKey } = await encryptedSet(t, 2);
  const before = fs.readFileSync(files[1]!);
  await createAndClose(by(second, first));
  fs.writeFileSync(files[1]!, before); // as if only the first had been written
  await refused(t, by(second), files[1]!, /cannot be decrypted/);
  const open = await opened(t, by(second, first));
  t.true(Buffer.from(open.set.dataKey!.bytes).equals(dataKey));
  await open.close();
  await createAndClose(by(second));
});
