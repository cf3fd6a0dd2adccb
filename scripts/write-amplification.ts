/**
 * How much the device writes for what clients write, on a file that is nearly full: fills it, overwrites records
 * picked uniformly until ten times its capacity has been written, and reads all of them back; in process, the shards
 * of one worker, without sockets. At 65 % with defrag-lwm-pct 50, then at 85 % with defrag-lwm-pct 80.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { monotonicMs } from '../src/base/clock.js';
import * as ST from '../src/storage/engine.js';
import { ringRefusal } from '../src/storage/io/uring-io.js';
import { DeviceShards } from './support/device-shards.js';

const HELP = `Usage: scripts/write-amplification [--directory DIR] [--size MIB] [--times N] [--record BYTES] [--only LWM]
Bytes written to the device for each byte that clients write, on a file filled to 65 and to 85 percent.
  --directory DIR  where the file goes (the system's temporary directory)
  --size MIB       of the file (4096)
  --times N        capacities to overwrite (10)
  --record BYTES   of a record, header included (1024)
  --only LWM       50 or 80: one of the two campaigns
Fails when a write is refused, a record is lost, free blocks fall to stop-writes-avail-pct (5 %), or the amplification
exceeds 1.1 / (1 - lwm).`;

const MIB = 1024 * 1024;
const CAMPAIGNS = [
  { fill: 0.65, lwmPct: 50 },
  { fill: 0.85, lwmPct: 80 },
] as const;
const STOP_WRITES_AVAIL_PCT = 5;

const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: tmpdir() },
    size: { type: 'string', default: '4096' },
    times: { type: 'string', default: '10' },
    record: { type: 'string', default: '1024' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const size = Number(values.size) * MIB;
const times = Number(values.times);
const recordSize = Number(values.record);
if (!(size >= 64 * MIB && times > 0 && recordSize >= 128 && recordSize <= MIB)) {
  console.error(HELP);
  process.exit(2);
}

const directory = mkdtempSync(path.join(values.directory, 'caltrop-amplification-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
let isGood = true;
for (const { fill, lwmPct } of CAMPAIGNS) {
  if (values.only !== undefined && Number(values.only) !== lwmPct) continue;
  isGood = (await run(fill, lwmPct)) && isGood;
}
process.exit(isGood ? 0 : 1);

async function run(fill: number, lwmPct: number): Promise<boolean> {
  const file = path.join(directory, 'data.dat');
  const shards = await DeviceShards.open({
    file,
    size,
    backend: ringRefusal() === '' ? 'io_uring' : 'node:fs',
    isDirect: false,
    tokenCount: 64,
    limits: { defragLwmPct: lwmPct },
  });
  shards.turn(false);
  const capacity = shards.figure(ST.ST_TOTAL_BYTES);
  const count = Math.floor((capacity * fill) / ((recordSize + 15) & -16));
  const versions = new Uint16Array(count).fill(1);
  for (let number = 0; number < count; number++) {
    shards.overwrite(number, 1, recordSize);
    if (number % 64 === 0) shards.turn(false);
  }
  const startMs = monotonicMs();
  const client = shards.figure(ST.ST_CLIENT_BYTES);
  const written = shards.figure(ST.ST_WRITTEN_BYTES);
  const end = client + capacity * times;
  let availMin = 100;
  let waits = 0;
  let seed = 1;
  for (let i = 0; shards.figure(ST.ST_CLIENT_BYTES) < end; i++) {
    for (let k = 0; k < 64; k++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      const number = Math.floor((seed / 2 ** 32) * count);
      const version = (versions[number]! + 1) & 0xffff;
      waits += shards.overwrite(number, version, recordSize);
      versions[number] = version;
    }
    shards.turn(false);
    if (i % 64 === 0) {
      availMin = Math.min(availMin, (shards.figure(ST.ST_AVAILABLE_BYTES) / capacity) * 100);
    }
  }
  const seconds = (monotonicMs() - startMs) / 1000;
  const clientBytes = shards.figure(ST.ST_CLIENT_BYTES) - client;
  const amplification = (shards.figure(ST.ST_WRITTEN_BYTES) - written) / clientBytes;
  const usedPct = (shards.figure(ST.ST_USED_BYTES) / capacity) * 100;
  const wrong = shards.countWrong(versions);
  await shards.close();
  rmSync(file);
  const mark = 1.1 / (1 - lwmPct / 100);
  const isGood = amplification <= mark && wrong === 0 && availMin > STOP_WRITES_AVAIL_PCT;
  console.log(
    `${usedPct.toFixed(1)} % used, defrag-lwm-pct ${lwmPct}: ${amplification.toFixed(2)} bytes written a byte of records ` +
      `(at most ${mark.toFixed(2)}), at least ${availMin.toFixed(1)} % free, ${wrong} of ${count} records wrong or lost, ` +
      `${(clientBytes / MIB / seconds).toFixed(0)} MiB/s of records, ${waits} waits: ${isGood ? 'ok' : 'FAILED'}`,
  );
  return isGood;
}
