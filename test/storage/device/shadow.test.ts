/** Devices with shadows: which of a pair is rebuilt from the other at a start, and what is refused. */
import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Region } from '../../../src/base/arena.js';
import { OK } from '../../../src/base/result.js';
import { HEADER_AT, HEADER_SIZE } from '../../../src/storage/device/device-header.js';
import {
  type DeviceSet,
  type DeviceSetOptions,
  type OpenDeviceSet,
  openDeviceSet,
} from '../../../src/storage/device/device-set.js';
import { StorageError } from '../../../src/storage/device/storage-error.js';
import { SyncIo } from '../../../src/storage/io/sync-io.js';
import { writeErasedPage } from '../../../src/storage/write-block/block-format.js';
import { loopDevice, loopRefusal } from '../../support/loop-device.js';
import { TestServer } from '../../support/server.js';
import { availableBackends, type BackendKind, temporaryDirectory } from '../../support/storage-backends.js';
import { LogLines, StorageShard } from '../../support/storage-shard.js';
import { DELETE, digestOf, GET, put, write } from '../../support/wire-client.js';

const MIB = 1024 * 1024;
const FILESIZE = 33 * MIB;
const RECORDS = 300;
const NOT_FOUND = 2;
const DATA_AT = MIB;

interface Pair {
  readonly primary: string;
  readonly shadow: string;
  readonly log: LogLines;
  options(change?: Partial<DeviceSetOptions>): DeviceSetOptions;
}

function pair(t: ExecutionContext): Pair {
  const directory = temporaryDirectory(t);
  const primary = path.join(directory, 'data.dat');
  const shadow = path.join(directory, 'shadow.dat');
  const log = new LogLines();
  const base = {
    namespace: 'test',
    files: [primary],
    shadows: [shadow],
    filesize: FILESIZE,
    recordSizeMax: MIB,
    log,
  };
  return { primary, shadow, log, options: change => ({ ...base, ...change }) };
}

async function refused(
  t: ExecutionContext,
  options: DeviceSetOptions,
  file: string,
  reason: RegExp,
): Promise<void> {
  const files = [...options.files, ...(options.shadows ?? [])];
  const before = files.map(name => fs.readFileSync(name));
  const error = await t.throwsAsync(openDeviceSet(options), { instanceOf: StorageError });
  t.is(error.path, file);
  t.regex(error.message, reason);
  for (const [i, name] of files.entries())
    t.true(fs.readFileSync(name).equals(before[i]!), `${name} is untouched`);
}

/** A shard with all partitions on the first extent of the set; its records tell nothing of the others. */
async function openShard(t: ExecutionContext, set: DeviceSet, kind?: BackendKind): Promise<StorageShard> {
  const backend = kind ? await kind.start(t, 64 * MIB) : new SyncIo(64 * MIB);
  return new StorageShard({ backend, extent: set.extents[0]! }).recover();
}

/** Starts, writes version `version` of all records, stops. @param isClean Whether the stop is. */
async function live(
  t: ExecutionContext,
  options: DeviceSetOptions,
  version: number,
  isClean = true,
): Promise<void> {
  const open = await openDeviceSet(options);
  const shard = await openShard(t, open.set);
  for (let key = 0; key < RECORDS; key++) t.is(shard.put(key, version, 1000), OK);
  shard.engine.close();
  await open.close(isClean);
}

/** What lies behind the headers. */
function contents(file: string): Buffer {
  return fs.readFileSync(file).subarray(DATA_AT);
}

async function check(t: ExecutionContext, open: OpenDeviceSet, version: number): Promise<void> {
  const shard = await openShard(t, open.set);
  for (let key = 0; key < RECORDS; key++) t.is(shard.get(key), version);
  shard.engine.close();
}

test('both get every write, and are in step after a clean stop alone', async t => {
  const { primary, shadow, options } = pair(t);
  await live(t, options(), 1);
  t.true(contents(primary).equals(contents(shadow)));
  t.true(contents(primary).some(byte => byte !== 0));
  const first = await openDeviceSet(options());
  t.is(first.set.devices[0]!.shadowPath, shadow);
  t.true(first.set.extents.every(extent => extent.shadow!.isInStep));
  await first.close();
  const second = await openDeviceSet(options());
  t.false(second.set.extents[0]!.shadow!.isInStep, 'the one before was not said to have ended well');
  await second.close(true);
});

for (const kind of availableBackends()) {
  test(`${kind.name}: a write has ended when both have it, and what differs after a kill is put right`, async t => {
    const { primary, shadow, options } = pair(t);
    const open = await openDeviceSet(options());
    const shard = await openShard(t, open.set, kind);
    for (let key = 0; key < RECORDS; key++) t.is(shard.put(key, 1, 1000), OK);
    shard.engine.close();
    await open.close();
    t.true(contents(primary).equals(contents(shadow)));
    // The last pages of the shadow were lost, and a block that is free on the primary was not given up on it.
    const file = fs.openSync(shadow, 'r+');
    const { offset, owner } = open.set.extents[0]!;
    fs.writeSync(file, Buffer.alloc(64 * 1024), 0, 64 * 1024, offset + 128 * 1024);
    const used = Buffer.alloc(4096);
    fs.readSync(file, used, 0, used.length, offset);
    fs.writeSync(file, used, 0, used.length, offset + 3 * owner.writeBlockSize);
    fs.closeSync(file);
    const again = await openDeviceSet(options());
    const backend = await kind.start(t, 64 * MIB);
    const cold = { ...again.set.extents[0]!, checkpoints: [] };
    const recovered = new StorageShard({ backend, extent: cold }).recover();
    t.regex(recovered.log.lines.join('\n'), /shadow.dat shard 0: brought in step with its primary, 2 blocks/);
    recovered.engine.close();
    await again.close();
    // The block that is free is erased by a page that says so: zeros, torn by a power cut, would leave some of its records.
    const erased = new Region(4096);
    writeErasedPage(erased, 0, owner.setId);
    const want = contents(primary);
    want.set(erased.u8, offset - DATA_AT + 3 * owner.writeBlockSize);
    t.true(want.equals(contents(shadow)));
  });
}

test('a primary that was lost is rebuilt from its shadow', async t => {
  const { primary, shadow, log, options } = pair(t);
  await live(t, options(), 1);
  fs.rmSync(primary);
  for (const name of fs.readdirSync(path.dirname(primary))) {
    if (name.includes('.index-')) fs.rmSync(path.join(path.dirname(primary), name));
  }
  const open = await openDeviceSet(options());
  t.regex(
    log.lines.join('\n'),
    /data.dat: rebuilding it from .*shadow.dat[\s\S]*data.dat: rebuilt, 1 blocks copied/,
  );
  t.true(open.set.extents[0]!.shadow!.isInStep);
  t.true(contents(primary).equals(contents(shadow)));
  await check(t, open, 1);
  await open.close(true);
  await live(t, options(), 2, false);
  t.true(contents(primary).equals(contents(shadow)));
});

test('a rebuild that was cut off goes on where it was, and the target alone is refused', async t => {
  const { primary, shadow, log, options } = pair(t);
  await live(t, options(), 1);
  const whole = fs.readFileSync(primary);
  fs.rmSync(primary);
  await (await openDeviceSet(options())).close(true);
  // As it is in the middle: the header says so, and nothing is there.
  const file = fs.openSync(primary, 'r+');
  const { encodeHeader, decodeHeader, STATE_REBUILDING } = await import(
    '../../../src/storage/device/device-header.js'
  );
  for (const at of HEADER_AT) {
    const bytes = Buffer.alloc(HEADER_SIZE);
    fs.readSync(file, bytes, 0, HEADER_SIZE, at);
    const header = decodeHeader(bytes);
    if (typeof header === 'string' || !('state' in header)) throw new Error('no header');
    header.state = STATE_REBUILDING;
    fs.writeSync(file, encodeHeader(header), 0, HEADER_SIZE, at);
  }
  fs.writeSync(file, Buffer.alloc(FILESIZE - DATA_AT), 0, FILESIZE - DATA_AT, DATA_AT);
  fs.closeSync(file);
  await refused(t, options({ shadows: [] }), primary, /being rebuilt from its shadow and is not complete/);
  const open = await openDeviceSet(options());
  t.regex(log.lines.at(-1)!, /rebuilt, 1 blocks copied/);
  t.true(contents(primary).equals(whole.subarray(DATA_AT)));
  t.true(contents(primary).equals(contents(shadow)));
  await check(t, open, 1);
  await open.close(true);
});

test('a shadow that is new, was replaced, or missed starts is rebuilt from the primary', async t => {
  const { primary, shadow, log, options } = pair(t);
  await live(t, options({ shadows: [] }), 1);
  await live(t, options(), 2);
  t.regex(log.lines.join('\n'), /shadow.dat: rebuilding it from .*data.dat/);
  t.true(contents(primary).equals(contents(shadow)));
  fs.rmSync(shadow);
  await live(t, options(), 3);
  t.true(contents(primary).equals(contents(shadow)));
  await live(t, options({ shadows: [] }), 4);
  t.regex(log.lines.join('\n'), /warning .*data.dat: had a shadow and has none now/);
  t.false(contents(primary).equals(contents(shadow)));
  await live(t, options(), 5);
  t.true(contents(primary).equals(contents(shadow)));
  // One that another has taken the place of, and that comes back.
  const before = fs.readFileSync(shadow);
  fs.rmSync(shadow);
  await live(t, options(), 6);
  fs.writeFileSync(shadow, before);
  const open = await openDeviceSet(options());
  t.true(contents(primary).equals(contents(shadow)));
  await check(t, open, 6);
  await open.close();
});

test('what does not belong together is refused by name', async t => {
  const { primary, shadow, options } = pair(t);
  await live(t, options(), 1);
  const older = fs.readFileSync(primary);
  await live(t, options(), 2);
  const swapped = options({ files: [shadow], shadows: [primary] });
  await refused(t, swapped, shadow, /is a shadow, but is named as a primary; name the primary first/);
  await refused(
    t,
    options({ files: [shadow], shadows: [] }),
    shadow,
    /is a shadow, but is named as a primary/,
  );
  const other = pair(t);
  await live(t, other.options(), 1);
  await refused(
    t,
    options({ shadows: [other.shadow] }),
    other.shadow,
    /was created apart from the other files/,
  );
  await refused(
    t,
    options({ shadows: [other.primary] }),
    other.primary,
    /is no shadow, but is named as that of/,
  );
  const foreign = pair(t);
  await live(t, foreign.options({ namespace: 'other' }), 1);
  await refused(t, options({ shadows: [foreign.shadow] }), foreign.shadow, /belongs to namespace other/);
  await t.throwsAsync(openDeviceSet(options({ shadows: [primary] })), { message: /is the same file as/ });
  fs.writeFileSync(primary, older);
  await refused(t, options(), primary, /is older than its shadow .*has seen 1 starts, that one 2/);
});

test('an encrypted pair is rebuilt as it lies there, and its key file is replaced on both', async t => {
  const { primary, options } = pair(t);
  const directory = path.dirname(primary);
  const [first, second] = ['a', 'b'].map(name => {
    const file = path.join(directory, `key-${name}`);
    fs.writeFileSync(file, Buffer.alloc(64, name));
    return file;
  }) as [string, string];
  const by = (keyFile: string, oldKeyFile = '') =>
    options({ encryption: { algorithm: 'aes-128', keyFile, oldKeyFile } });
  await live(t, by(first), 1);
  fs.rmSync(primary);
  await live(t, by(second, first), 2);
  fs.rmSync(primary);
  const open = await openDeviceSet(by(second));
  await check(t, open, 2);
  await open.close();
});

const media: readonly {
  name: string;
  lines(t: ExecutionContext): string;
  wipe(server: TestServer, line: string): void;
}[] = [
  {
    name: 'files',
    lines: () => 'file DIRECTORY/data.dat DIRECTORY/shadow.dat\nfilesize 128M',
    wipe: ({ directory }) => {
      for (const name of fs.readdirSync(directory)) {
        if (name.startsWith('data.dat')) fs.rmSync(path.join(directory, name));
      }
    },
  },
  ...(loopRefusal === ''
    ? [
        {
          name: 'devices',
          lines: (t: ExecutionContext) => `device ${loopDevice(t, 128 * MIB)} ${loopDevice(t, 128 * MIB)}`,
          wipe: (_: TestServer, line: string) =>
            fs.writeFileSync(line.split(' ')[1]!, Buffer.alloc(128 * MIB), { flag: 'r+' }),
        },
      ]
    : []),
];
if (loopRefusal !== '') console.error(`SHADOWS OF RAW DEVICES ARE NOT TESTED: ${loopRefusal}`);

for (const medium of media) {
  for (const [engine, environment] of [
    ['device', { CALTROP_IO: 'node' }],
    ['device', {}],
    ['memory', {}],
  ] as const) {
    const how = 'CALTROP_IO' in environment ? ', node:fs' : '';
    test.serial(`a server on ${medium.name}, ${engine}${how}: the primary is lost with a kill`, async t => {
      const line = medium.lines(t);
      const storage = `storage-engine ${engine} {
        ${line}
        commit-to-device true
        enable-benchmarks-storage true
        compression lz4
        encryption-key-file DIRECTORY/caltrop.conf
      }`;
      const server = await TestServer.start(t, { namespaces: [{ name: 'test', storage }], environment });
      const client = await server.connect();
      for (let key = 0; key < RECORDS; key++) {
        t.is(
          (await client.command({ ...put(write('v', `${key}`.repeat(50))), digest: digestOf(key) })).code,
          OK,
        );
      }
      for (let key = 0; key < RECORDS; key += 3) {
        t.is((await client.command({ ...DELETE, digest: digestOf(key) })).code, OK);
      }
      client.close();
      const latencies = await server.info('latencies:hist={test}-benchmarks-storage');
      for (const name of ['write', 'flush', 'shadow-write', 'shadow-flush']) {
        t.regex(latencies, new RegExp(`\\{test\\}-device-${name}:msec,`)); // an empty one has no figures
      }
      await server.stop('SIGKILL');
      medium.wipe(server, line);
      await server.run();
      t.regex(server.output, /rebuilding it from/);
      const reader = await server.connect();
      for (let key = 0; key < RECORDS; key++) {
        const answer = await reader.command({ ...GET, digest: digestOf(key) });
        t.is(answer.code, key % 3 === 0 ? NOT_FOUND : OK);
        if (key % 3 !== 0) t.is(answer.ops[0]!.value.toString(), `${key}`.repeat(50));
      }
      reader.close();
      const figures = await server.info('namespace/test');
      t.regex(figures, /storage-engine\.(file|device)\[0\]\.shadow=/);
      t.regex(figures, /storage-engine\.(file|device)\[0\]\.shadow_write_q=0;/);
      t.regex(figures, /storage-engine\.(file|device)\[0\]\.shadow_write_errors=0;/);
      t.is(await server.stop(), 0);
      await server.run();
      t.notRegex(server.output, /brought in step|rebuilding/);
      await server.stop('SIGKILL');
      await server.run();
      t.notRegex(server.output, /rebuilding/);
    });
  }
}
