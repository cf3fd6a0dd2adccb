import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {
  newDataKey,
  subkeyOf,
  unwrapKey,
  WRAPPED_KEY_SIZE,
  wrapKey,
  wrappingKeyOf,
} from '../../../src/storage/cipher/data-key.js';
import { isSealed, seal, unseal } from '../../../src/storage/cipher/sealed.js';
import { StorageError } from '../../../src/storage/device/storage-error.js';
import { temporaryDirectory } from '../../support/storage-backends.js';

const SET_ID = Uint32Array.of(1, 2, 3, 4);

for (const algorithm of ['aes-128', 'aes-256'] as const) {
  test(`${algorithm}: a data key comes out of its wrapping as it went in, with the same key alone`, t => {
    const key = newDataKey(algorithm);
    t.is(key.bytes.length, algorithm === 'aes-128' ? 16 : 32);
    const wrappingKey = randomBytes(32);
    const wrapped = wrapKey(key, wrappingKey, SET_ID);
    t.is(wrapped.length, WRAPPED_KEY_SIZE);
    const opened = unwrapKey(wrapped, wrappingKey, SET_ID)!;
    t.is(opened.algorithm, algorithm);
    t.true(Buffer.from(opened.bytes).equals(key.bytes));
    t.is(unwrapKey(wrapped, randomBytes(32), SET_ID), null);
    t.is(unwrapKey(wrapped, wrappingKey, Uint32Array.of(1, 2, 3, 5)), null);
    for (let i = 0; i < WRAPPED_KEY_SIZE; i++) {
      const changed = Uint8Array.from(wrapped);
      changed[i]! ^= 1;
      t.is(unwrapKey(changed, wrappingKey, SET_ID), null, `byte ${i}`);
    }
    t.false(Buffer.from(wrapKey(key, wrappingKey, SET_ID)).equals(wrapped), 'a fresh nonce each time');
  });

  test(`${algorithm}: a sealed file opens with its key alone, and not when it was changed`, t => {
    const key = newDataKey(algorithm);
    for (const size of [0, 1, 1000]) {
      const bytes = randomBytes(size);
      const file = seal(key, bytes);
      t.true(isSealed(file));
      t.true(unseal(key, file)!.equals(bytes));
      t.is(unseal(newDataKey(algorithm), file), null);
      t.is(unseal(key, file.subarray(0, file.length - 1)), null);
      file[file.length - 1]! ^= 1;
      t.is(unseal(key, file), null);
    }
    t.is(unseal(key, Buffer.from('{"plain": true}')), null);
  });
}

test('keys for different purposes differ', t => {
  const key = newDataKey('aes-128');
  const keys = (['blocks', 'checkpoints', 'metadata'] as const).map(purpose => subkeyOf(key, purpose));
  t.is(new Set(keys.map(bytes => bytes.toString('hex'))).size, 3);
});

test('a key file is read as it is; each device set makes another key of it', t => {
  const directory = temporaryDirectory(t);
  const file = path.join(directory, 'key');
  writeFileSync(file, 'sixteen bytes  .');
  const key = wrappingKeyOf(file, SET_ID);
  t.true(wrappingKeyOf(file, SET_ID).equals(key));
  t.false(wrappingKeyOf(file, Uint32Array.of(9, 2, 3, 4)).equals(key));
  writeFileSync(file, 'sixteen bytes  .\n');
  t.false(wrappingKeyOf(file, SET_ID).equals(key));
});

test('a key file that is missing or too short is refused by name', t => {
  const file = path.join(temporaryDirectory(t), 'key');
  t.throws(() => wrappingKeyOf(file, SET_ID), {
    instanceOf: StorageError,
    message: /key: .*cannot be read.*ENOENT/,
  });
  writeFileSync(file, 'fifteen bytes .');
  t.throws(() => wrappingKeyOf(file, SET_ID), {
    instanceOf: StorageError,
    message: /has 15 bytes.*needs 16/,
  });
});
