/**
 * Measures what compression costs a record and gains: time to pack and to unpack the bins of one record, and their
 * size afterwards, as the storage engines do it. The text is JSON-like with random words and numbers. Then what
 * encryption costs: to decrypt a record that was read, and to encrypt a write block.
 */
import { parseArgs } from 'node:util';
import { Region } from '../src/base/arena.js';
import { monotonicMs } from '../src/base/clock.js';
import { OK } from '../src/base/result.js';
import { BlockCipher } from '../src/storage/cipher/block-cipher.js';
import { newDataKey } from '../src/storage/cipher/data-key.js';
import { CODEC_NAMES, openCodecs, ZSTD } from '../src/storage/codec/codecs.js';
import { RecordCompression } from '../src/storage/codec/record-compression.js';
import { RecordSpan, ST_COUNT } from '../src/storage/engine.js';
import { REC_BINS_AT } from '../src/storage/record/flat-record.js';
import { writeBlockHeader } from '../src/storage/write-block/block-format.js';
import { BlockTable } from '../src/storage/write-block/block-table.js';

const HELP = `Usage: scripts/bench-codec [--sizes BYTES,…] [--rounds N]
Prints microseconds to pack and unpack a record's bins, and what is left of them; to decrypt as many bytes;
and how fast write blocks are encrypted.
  --sizes BYTES,…  sizes of the bins (100,1024,10240)
  --rounds N       times 4096 records; the best round counts (8)`;

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '100,1024,10240' },
    rounds: { type: 'string', default: '8' },
    help: { type: 'boolean', default: false },
  },
});
const sizes = values.sizes.split(',').map(Number);
const rounds = Number(values.rounds);
if (values.help || !sizes.every(size => size >= 1 && size <= 1024 * 1024) || !(rounds >= 1)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}

const RECORDS = 64;
const CALLS = 4096; // a round
const BINS_AT = 80;
const WORDS = ['user', 'name', 'email', 'street', 'berlin', 'active', 'true', 'premium', 'order', 'price'];
const ZSTD_LEVELS = [1, 3, 9];

function text(size: number, seed: number): Buffer {
  let state = seed;
  let line = '';
  while (line.length < size) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    line += `"${WORDS[(state >> 8) % WORDS.length]}":${state % 100_000},`;
  }
  return Buffer.from(line.slice(0, size));
}

/** Microseconds of one call, the best round of all. */
function microseconds(call: (record: number) => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = monotonicMs();
    for (let i = 0; i < CALLS; i++) call(i % RECORDS);
    best = Math.min(best, ((monotonicMs() - start) * 1000) / CALLS);
  }
  return best;
}

const codecs = await openCodecs();
const counters = new Float64Array(ST_COUNT);
console.log('codec     bytes   pack µs  unpack µs  left');
for (const [codec, name] of CODEC_NAMES.entries()) {
  for (const level of codec === ZSTD ? ZSTD_LEVELS : codec === 0 ? [] : [0]) {
    for (const size of sizes) {
      const compression = new RecordCompression(codecs, Float64Array.of(codec, level));
      const stride = (BINS_AT + size + 63) & ~63;
      const raw = new Region(stride * RECORDS);
      const packed = new Region(stride * RECORDS);
      const packedSizes: number[] = [];
      for (let i = 0; i < RECORDS; i++) {
        raw.u32[((i * stride) >>> 2) + REC_BINS_AT] = BINS_AT;
        raw.u8.set(text(size, i + 1), i * stride + BINS_AT);
      }
      const pack = microseconds(i => {
        packedSizes[i] = compression.pack(raw, i * stride, BINS_AT + size, counters);
        if (packedSizes[i] < BINS_AT + size) compression.write(raw, i * stride, packed, i * stride);
      });
      const shrunk = [...packedSizes.keys()].filter(i => packedSizes[i]! < BINS_AT + size);
      const span = new RecordSpan();
      const unpack = microseconds(i => {
        const record = shrunk[i % shrunk.length];
        if (record === undefined) return;
        span.region = packed;
        span.at = record * stride;
        span.size = packedSizes[record]!;
        if (compression.unpack(span) !== OK) throw new Error(compression.reason);
      });
      const left = packedSizes.reduce((sum, packedSize) => sum + packedSize - BINS_AT, 0) / RECORDS / size;
      const label = codec === ZSTD ? `${name} ${level}` : name;
      const columns = [String(size).padStart(6), pack.toFixed(1).padStart(9), unpack.toFixed(1).padStart(10)];
      console.log(`${label.padEnd(8)} ${columns.join(' ')}  ${(left * 100).toFixed(0).padStart(3)} %`);
    }
  }
}

const BLOCK_SIZE = 2 * 1024 * 1024;
const OWNER = { setId: Uint32Array.of(1, 2, 3, 4), shard: 0, writeBlockSize: BLOCK_SIZE, startCount: 1 };
const BLOCK_CALLS = 16; // a round
console.log('cipher    bytes  decrypt µs');
for (const algorithm of ['aes-128', 'aes-256'] as const) {
  const cipher = new BlockCipher(newDataKey(algorithm));
  const region = new Region(2 * BLOCK_SIZE);
  const table = new BlockTable(1);
  const nonce = cipher.newNonce();
  table.nonces.set(nonce);
  table.stamps[0] = writeBlockHeader(region, 0, OWNER, 0, 1, nonce);
  for (const size of sizes) {
    const decrypt = microseconds(i =>
      cipher.decrypt(table, 0, 4096 + i * 16, region.u8, 4096 + i * 16, size),
    );
    console.log(`${algorithm} ${String(size).padStart(7)} ${decrypt.toFixed(1).padStart(11)}`);
  }
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = monotonicMs();
    for (let i = 0; i < BLOCK_CALLS; i++) cipher.encrypt(table, 0, 0, region.u8, 0, BLOCK_SIZE, BLOCK_SIZE);
    best = Math.min(best, (monotonicMs() - start) / BLOCK_CALLS);
  }
  const rate = BLOCK_SIZE / best / 1e6;
  console.log(`${algorithm} blocks of 2 MiB: ${best.toFixed(2)} ms each, ${rate.toFixed(1)} GB/s`);
}
