/** Raw block devices as a namespace's storage; device-set.test.ts has what holds for files too. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { OK } from '../../../src/base/result.js';
import { type DeviceSetOptions, openDeviceSet } from '../../../src/storage/device/device-set.js';
import { StorageError } from '../../../src/storage/device/storage-error.js';
import { loopDevice, loopRefusal } from '../../support/loop-device.js';
import { TestServer } from '../../support/server.js';
import { availableBackends, temporaryDirectory } from '../../support/storage-backends.js';
import { LogLines, StorageShard } from '../../support/storage-shard.js';
import { digestOf, GET, put, write } from '../../support/wire-client.js';

const MIB = 1024 * 1024;
const TIB = 1024 * 1024 * MIB;
const SIZE = 64 * MIB;

if (loopRefusal !== '') console.error(`RAW DEVICES ARE NOT TESTED: ${loopRefusal}`);
const deviceTest = loopRefusal === '' ? test.serial : test.serial.skip;

function options(files: readonly string[], change: Partial<DeviceSetOptions> = {}): DeviceSetOptions {
  const log = new LogLines();
  return {
    namespace: 'test',
    files,
    kind: 'device',
    filesize: 0,
    recordSizeMax: MIB,
    isDirect: true,
    log,
    ...change,
  };
}

async function createAndClose(given: DeviceSetOptions): Promise<void> {
  await (await openDeviceSet(given)).close();
}

async function refused(
  t: ExecutionContext,
  given: DeviceSetOptions,
  device: string,
  reason: RegExp,
): Promise<void> {
  const before = fs.readFileSync(device);
  const error = await t.throwsAsync(openDeviceSet(given), { instanceOf: StorageError });
  t.is(error.path, device);
  t.regex(error.message, reason);
  t.true(fs.readFileSync(device).equals(before), 'a refused device is not touched');
}

deviceTest('a blank device is used whole, and is the same set ever after', async t => {
  const devices = [loopDevice(t, SIZE), loopDevice(t, 2 * SIZE)];
  const first = await openDeviceSet(options(devices));
  t.true(first.set.isNew);
  t.deepEqual(
    first.set.devices.map(({ kind, size }) => [kind, size]),
    [
      ['device', SIZE],
      ['device', 2 * SIZE],
    ],
  );
  t.true(first.set.extents.every(extent => extent.isDirect));
  await first.close();
  const second = await openDeviceSet(options(devices));
  t.false(second.set.isNew);
  t.deepEqual(second.set.setId, first.set.setId);
  await second.close();
  await refused(
    t,
    options(devices.toReversed()),
    devices[1]!,
    /is device 2 of its namespace, but is named as device 1/,
  );
  await refused(t, options([devices[0]!]), devices[0]!, /as one of 2 devices, 1 are configured/);
  const third = loopDevice(t, SIZE);
  await refused(t, options([...devices, third]), devices[0]!, /as one of 2 devices, 3 are configured/);
  await refused(
    t,
    options(devices, { namespace: 'other' }),
    devices[0]!,
    /belongs to namespace test, not to other/,
  );
});

deviceTest('a device that somebody else uses is refused', async t => {
  const device = loopDevice(t, SIZE);
  const ours = await openDeviceSet(options([device]));
  await t.throwsAsync(openDeviceSet(options([device])), { message: /in use/ });
  await ours.close();
  const claim = `require('fs').openSync(${JSON.stringify(device)}, require('fs').constants.O_RDWR | require('fs').constants.O_EXCL); console.log('claimed'); setInterval(() => {}, 1000)`;
  const other = spawn(process.execPath, ['-e', claim], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => void other.kill());
  await once(other.stdout, 'data');
  await t.throwsAsync(openDeviceSet(options([device])), {
    message: /in use: it is mounted.*claimed by another/,
  });
  other.kill();
  await once(other, 'exit');
  await createAndClose(options([device]));
});

deviceTest('what a device holds is named and left alone', async t => {
  const device = loopDevice(t, SIZE);
  fs.writeFileSync(device, Buffer.from('old data'), { flag: 'r+' });
  await refused(t, options([device]), device, /holds something, but no Caltrop data/);
  const far = loopDevice(t, SIZE);
  const file = fs.openSync(far, 'r+');
  fs.writeSync(file, Buffer.from('x'), 0, 1, SIZE - 1);
  fs.closeSync(file);
  await refused(t, options([far]), far, /holds something/);
  const formatted = loopDevice(t, SIZE);
  execFileSync('mkfs.ext4', ['-q', formatted], { stdio: 'pipe' });
  await refused(t, options([formatted]), formatted, /holds an ext file system/);
});

deviceTest('a path that is not what its line says is refused', async t => {
  const device = loopDevice(t, SIZE);
  const asFile = options([device], { kind: 'file', filesize: SIZE });
  await t.throwsAsync(openDeviceSet(asFile), {
    message: /is a block device; name it in a line that says device/,
  });
  await t.throwsAsync(openDeviceSet(options(['/dev/null'])), { message: /is no block device/ });
  await t.throwsAsync(openDeviceSet(options(['/dev/no-such-device'])), {
    message: /there is no such device/,
  });
  const small = loopDevice(t, 4 * MIB);
  await refused(t, options([small]), small, /its size of 4194304 bytes is too small/);
});

deviceTest('records beyond 2 TiB are written and read', async t => {
  const device = loopDevice(t, 3 * TIB);
  const open = await openDeviceSet(options([device]));
  t.teardown(() => open.close());
  const last = open.set.extents.at(-1)!;
  t.true(last.offset > 2 * TIB);
  // The last blocks of the device, as an extent of its own: reading all first pages of 3 TiB would take a minute.
  const extent = { ...last, offset: last.offset + last.size - 16 * 2 * MIB, size: 16 * 2 * MIB };
  for (const backend of availableBackends()) {
    const io = await backend.start(t, 64 * MIB);
    let shard = new StorageShard({ backend: io, extent }).recover();
    for (let key = 0; key < 50; key++) t.is(shard.put(key, 1, 60_000), OK);
    shard.engine.close();
    shard = new StorageShard({ backend: io, extent }).recover();
    for (let key = 0; key < 50; key++) t.is(shard.get(key), 1, backend.name);
    shard.engine.close();
  }
});

const RECORDS = 200;

async function fill(t: ExecutionContext, server: TestServer, version: number): Promise<void> {
  const client = await server.connect();
  for (let key = 0; key < RECORDS; key++) {
    const answer = await client.command({ ...put(write('v', `${key} ${version}`)), digest: digestOf(key) });
    t.is(answer.code, OK);
  }
  client.close();
  await server.flushed();
}

async function check(t: ExecutionContext, server: TestServer, version: number): Promise<void> {
  const reader = await server.connect();
  for (let key = 0; key < RECORDS; key++) {
    const answer = await reader.command({ ...GET, digest: digestOf(key) });
    t.is(answer.ops[0]!.value.toString(), `${key} ${version}`);
  }
  reader.close();
}

deviceTest('a server keeps its records on a raw device over a kill, and starts by checkpoint', async t => {
  const device = loopDevice(t, 128 * MIB);
  const link = path.join(temporaryDirectory(t), 'disk');
  const on = (name: string) => ({
    namespaces: [{ name: 'test', storage: `storage-engine device {\ndevice ${name}\nflush-max-ms 50\n}` }],
  });
  const server = await TestServer.start(t, on(device));
  await fill(t, server, 1);
  await server.stop('SIGKILL');
  await server.run();
  await check(t, server, 1);
  t.regex(server.output, /, 0 shards by checkpoint/);
  t.is(await server.stop(), 0);
  // The device may have another path now.
  fs.symlinkSync(device, link);
  server.configure(on(link));
  await server.run();
  t.regex(server.output, /, 4 shards by checkpoint, 0 cold, 0 records/);
  await check(t, server, 1);
  await fill(t, server, 2);
  await server.stop('SIGKILL');
  await server.run();
  t.regex(server.output, /, 4 shards by checkpoint, 0 cold, 200 records/);
  await check(t, server, 2);
  const figures = await server.info('namespace/test');
  t.regex(figures, /storage-engine\.device\[0\]\.read_errors=0/);
  t.true(figures.includes(`storage-engine.device[0]=${link}`));
  await server.stop();
  const directory = path.join(server.directory, 'checkpoint');
  t.is(fs.readdirSync(directory).length, 8);
  // A device that was wiped is another one: what the one before has left is removed.
  fs.writeFileSync(device, Buffer.alloc(128 * MIB), { flag: 'r+' });
  await server.run();
  t.is(await server.statistic('objects', 'namespace/test'), 0);
  t.is(fs.readdirSync(directory).length, 8);
  t.regex(server.output, /, 0 shards by checkpoint, 4 cold, 0 records/);
});

deviceTest('a memory namespace on raw devices is there again after a stop and a kill', async t => {
  const devices = [loopDevice(t, 64 * MIB), loopDevice(t, 64 * MIB)];
  const storage = `storage-engine memory {
    ${devices.map(device => `device ${device}`).join('\n')}
    flush-max-ms 50
  }`;
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', storage }] });
  await fill(t, server, 1);
  await check(t, server, 1);
  t.is(await server.stop(), 0);
  await server.run();
  await check(t, server, 1);
  await fill(t, server, 2);
  await server.stop('SIGKILL');
  await server.run();
  await check(t, server, 2);
  const figures = await server.info('namespace/test');
  for (const [number, device] of devices.entries()) {
    t.true(figures.includes(`storage-engine.device[${number}]=${device}`));
    t.regex(figures, new RegExp(`storage-engine\\.device\\[${number}\\]\\.used_bytes=[1-9]`));
  }
  t.is(await server.statistic('cache_read_pct', 'namespace/test'), 0, 'reads ask no device');
});
