import { randomBytes } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { Region } from '../../../src/base/arena.js';
import { BlockCipher } from '../../../src/storage/cipher/block-cipher.js';
import type { DataKey } from '../../../src/storage/cipher/data-key.js';
import { BLOCK_HEADER_SIZE, writeBlockHeader } from '../../../src/storage/write-block/block-format.js';
import { BlockTable } from '../../../src/storage/write-block/block-table.js';

const KIB = 1024;
const BLOCK_SIZE = 1024 * KIB;
const BLOCK = 3;
const OWNER = { setId: Uint32Array.of(1, 2, 3, 4), shard: 5, writeBlockSize: BLOCK_SIZE, startCount: 1 };
const KEYS: readonly DataKey[] = [
  { algorithm: 'aes-128', bytes: Uint8Array.from({ length: 16 }, (_, i) => i) },
  { algorithm: 'aes-256', bytes: Uint8Array.from({ length: 32 }, (_, i) => i) },
];

/** What zeros become, in the block of the test below, at bytes 128 and 524288. */
const FORMS = {
  'aes-128': ['f60e60435525bfe91cb9531c5839c069', '33670cf2a6242148c8f4bccd01b8f6cf'],
  'aes-256': ['d21b063ce6b5107c8cf5efac8beab2fe', '2f7175d1b4812462f97b3afa8992c978'],
};

/** A block of random bytes with a header, and what the table says of it. */
function block(nonce: Uint32Array): { region: Region; table: BlockTable } {
  const region = new Region(2 * BLOCK_SIZE);
  region.u8.set(randomBytes(BLOCK_SIZE));
  const table = new BlockTable(8);
  table.stamps[BLOCK] = writeBlockHeader(region, 0, OWNER, BLOCK, 77, nonce);
  table.nonces.set(nonce, BLOCK * 2);
  return { region, table };
}

const bytes = ({ u8 }: Region, at: number, size: number): Buffer => Buffer.from(u8.slice(at, at + size));

for (const key of KEYS) {
  test(`${key.algorithm}: pieces are encrypted, ranges decrypted, each by itself`, t => {
    const cipher = new BlockCipher(key);
    const { region, table } = block(Uint32Array.from(cipher.newNonce()));
    const plain = bytes(region, 0, BLOCK_SIZE);
    const cuts = [0, 4 * KIB, 8 * KIB, 300 * KIB, BLOCK_SIZE];
    for (let i = 1; i < cuts.length; i++) {
      const from = cuts[i - 1]!;
      cipher.encrypt(table, BLOCK, from, region.u8, from, BLOCK_SIZE + from, cuts[i]! - from);
    }
    t.true(bytes(region, 0, BLOCK_SIZE).equals(plain), 'the source stays');
    t.true(bytes(region, BLOCK_SIZE, BLOCK_HEADER_SIZE).equals(plain.subarray(0, BLOCK_HEADER_SIZE)));
    const encrypted = bytes(region, BLOCK_SIZE, BLOCK_SIZE);
    let same = 0;
    for (let i = BLOCK_HEADER_SIZE; i < BLOCK_SIZE; i++) if (encrypted[i] === plain[i]) same++;
    t.true(Math.abs(same - BLOCK_SIZE / 256) < BLOCK_SIZE / 1024, `${same} bytes are equal`);
    const range = fc.tuple(
      fc.integer({ min: BLOCK_HEADER_SIZE / 16, max: BLOCK_SIZE / 16 - 1 }),
      fc.nat(300_000),
    );
    t.notThrows(() =>
      fc.assert(
        fc.property(range, ([unit, wanted]) => {
          const from = unit * 16;
          const size = Math.min(wanted, BLOCK_SIZE - from);
          const out = new Region(size + 8);
          out.u8.set(encrypted.subarray(from, from + size));
          cipher.decrypt(table, BLOCK, from, out.u8, 0, size);
          return bytes(out, 0, size).equals(plain.subarray(from, from + size));
        }),
      ),
    );
    const whole = new Region(BLOCK_SIZE);
    whole.u8.set(encrypted);
    cipher.decryptBlock(whole, 0, BLOCK_SIZE);
    t.true(bytes(whole, 0, BLOCK_SIZE).equals(plain), 'by its own header');
  });

  test(`${key.algorithm}: the form on the device is the one of the first version`, t => {
    const cipher = new BlockCipher(key);
    const { region, table } = block(Uint32Array.of(0x01020304, 0x05060708));
    region.u8.fill(0, BLOCK_HEADER_SIZE, BLOCK_SIZE);
    cipher.encrypt(table, BLOCK, 0, region.u8, 0, BLOCK_SIZE, 4 * KIB);
    cipher.encrypt(table, BLOCK, 512 * KIB, region.u8, 512 * KIB, BLOCK_SIZE + 512 * KIB, 4 * KIB);
    const first = bytes(region, BLOCK_SIZE + BLOCK_HEADER_SIZE, 16).toString('hex');
    const second = bytes(region, BLOCK_SIZE + 512 * KIB, 16).toString('hex');
    t.deepEqual([first, second], FORMS[key.algorithm]);
  });
}

test('a block has another nonce each time, and the same bytes another form', t => {
  const cipher = new BlockCipher(KEYS[0]!);
  const forms = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const { region, table } = block(Uint32Array.from(cipher.newNonce()));
    region.u8.fill(7, BLOCK_HEADER_SIZE, 4 * KIB);
    cipher.encrypt(table, BLOCK, 0, region.u8, 0, BLOCK_SIZE, 4 * KIB);
    forms.add(bytes(region, BLOCK_SIZE + BLOCK_HEADER_SIZE, 64).toString('hex'));
  }
  t.is(forms.size, 100);
});

test('a block without a nonce is left as it is', t => {
  const cipher = new BlockCipher(KEYS[0]!);
  const { region, table } = block(new Uint32Array(2));
  const plain = bytes(region, 0, BLOCK_SIZE);
  cipher.decryptBlock(region, 0, BLOCK_SIZE);
  cipher.decrypt(table, BLOCK, 4 * KIB, region.u8, 4 * KIB, 4 * KIB);
  t.true(bytes(region, 0, BLOCK_SIZE).equals(plain));
});
