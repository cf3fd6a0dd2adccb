/**
 * What an index of a set (enable-index) costs the commands that write to it: the same inserts, updates and deletes on two
 * shards in this process, whole commands without sockets, one with the set indexed and one without, in turns.
 */
import { parseArgs } from 'node:util';
import { DIGEST_SIZE } from '../src/base/digest.js';
import { DELETE, messageFrame, put, write } from '../test/support/wire-client.js';
import { LocalShard } from './support/local-shard.js';

const HELP = `What an index of a set costs the writes of the set.

Usage: scripts/bench-set-index [--records N] [--rounds N]
  --records N  of the set (default 200000), of one 100-byte value
  --rounds N   of inserting, updating and deleting all of them on either shard (default 15)
Prints processor time a command, medians of the rounds, and the median of the rounds' ratios with its quartiles.`;

const SET = 'bench';
const DATA_SIZE = 1024 ** 3; // bytes
const digest = Buffer.alloc(DIGEST_SIZE, 0xa5);
const digestWords = new Uint32Array(DIGEST_SIZE / 4);
const COMMANDS = [
  { name: 'insert', frame: messageFrame({ ...put(write('v', Buffer.alloc(100, 1))), set: SET, digest }) },
  { name: 'update', frame: messageFrame({ ...put(write('v', Buffer.alloc(100, 2))), set: SET, digest }) },
  { name: 'delete', frame: messageFrame({ ...DELETE, set: SET, digest }) },
];

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '15' },
    help: { type: 'boolean', default: false },
  },
});
const records = Number(values.records);
const rounds = Number(values.rounds);
if (values.help || !(records >= 1000 && rounds >= 1)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}

/** Nanoseconds of processor time a command, `frame` sent with the digest of each record. */
function timeOf(shard: LocalShard, frame: Buffer): number {
  const digestAt = frame.indexOf(digest);
  const bytes = Buffer.from(frame);
  const before = process.cpuUsage();
  for (let number = 0; number < records; number++) {
    makeDigest(number);
    bytes.set(new Uint8Array(digestWords.buffer), digestAt);
    if (shard.run(bytes) !== 0) throw new Error(`record ${number} was refused`);
    if (number % 1024 === 0) shard.growSetIndexes();
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / records;
}

/** A cheap stand-in for RIPEMD-160. */
function makeDigest(number: number): void {
  let state = number;
  for (let i = 0; i < 5; i++) {
    state = Math.imul(state ^ (state >>> 16), 0x7feb352d);
    state = Math.imul(state ^ (state >>> 15), 0x846ca68b);
    digestWords[i] = state ^ (state >>> 16);
    state = (state + 0x9e3779b9) | 0;
  }
}

function quantile(numbers: readonly number[], share: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.round(share * (numbers.length - 1))]!;
}

const without = new LocalShard(DATA_SIZE);
const indexed = new LocalShard(DATA_SIZE);
indexed.indexSet(SET);
const times = COMMANDS.map(() => ({ without: [] as number[], indexed: [] as number[] }));
for (let round = -1; round < rounds; round++) {
  for (const [kind, { frame }] of COMMANDS.entries()) {
    const took = { without: 0, indexed: 0 };
    const isSwapped = round % 2 === 0;
    for (const which of isSwapped ? (['indexed', 'without'] as const) : (['without', 'indexed'] as const)) {
      took[which] = timeOf(which === 'indexed' ? indexed : without, frame);
    }
    if (round < 0) continue; // warms up
    times[kind]!.without.push(took.without);
    times[kind]!.indexed.push(took.indexed);
  }
}
console.log('| command | without | indexed | ratio (quartiles) |');
console.log('|---|---:|---:|---:|');
for (const [kind, { name }] of COMMANDS.entries()) {
  const { without: plain, indexed: withIndex } = times[kind]!;
  const ratios = plain.map((ns, round) => withIndex[round]! / ns);
  const [low, middle, high] = [0.25, 0.5, 0.75].map(share => quantile(ratios, share).toFixed(3));
  console.log(
    `| ${name} | ${quantile(plain, 0.5).toFixed(0)} ns | ${quantile(withIndex, 0.5).toFixed(0)} ns | ${middle} (${low}, ${high}) |`,
  );
}
