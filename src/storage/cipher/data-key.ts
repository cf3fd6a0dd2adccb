/**
 * The keys of an encrypted device set. Everything on it is encrypted under a random data key, which lies in the header
 * of each device, itself encrypted (wrapped) under a key that comes from the operator's key file. So a key file is
 * replaced by wrapping the same data key anew, without touching any data.
 *
 * Wrapped key, 64 bytes, little-endian: u32 algorithm (0: the set is not encrypted), 12 bytes nonce, 32 bytes key
 * (aes-128 uses the first 16, the others are zero), 16 bytes tag. AES-256-GCM; the device set's id is authenticated too.
 */
import { createCipheriv, createDecipheriv, hkdfSync, pbkdf2Sync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { StorageError } from '../device/storage-error.js';

export const WRAPPED_KEY_SIZE = 64; // bytes
/** By the number in the wrapped key. */
export const ALGORITHMS = ['none', 'aes-128', 'aes-256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** A data key, as workers get it. */
export interface DataKey {
  readonly algorithm: Exclude<Algorithm, 'none'>;
  /** 16 or 32 bytes. */
  readonly bytes: Uint8Array;
}

const KEY_FILE_SIZE_MIN = 16; // bytes: less is guessed
const ITERATIONS = 100_000; // of PBKDF2: a key file may hold words that somebody chose
const NONCE_AT = 4;
const NONCE_SIZE = 12;
const KEY_AT = 16;
const KEY_SIZE_MAX = 32;
const TAG_AT = 48;
const WRAP_CIPHER = 'aes-256-gcm';

export function keySizeOf(algorithm: DataKey['algorithm']): number {
  return algorithm === 'aes-128' ? 16 : 32;
}

export function newDataKey(algorithm: DataKey['algorithm']): DataKey {
  return { algorithm, bytes: randomBytes(keySizeOf(algorithm)) };
}

/**
 * The key that a key file stands for, for one device set.
 * @param path Of a file of random bytes, or of a long secret; used as it is, line ends included.
 * @throws StorageError.
 */
export function wrappingKeyOf(path: string, setId: Uint32Array): Buffer {
  let contents: Buffer;
  try {
    contents = readFileSync(path);
  } catch (error) {
    const reason = `the encryption key file cannot be read: ${(error as Error).message}`;
    throw new StorageError(path, reason, { cause: error });
  }
  if (contents.length < KEY_FILE_SIZE_MIN) {
    throw new StorageError(
      path,
      `has ${contents.length} bytes; an encryption key file needs ${KEY_FILE_SIZE_MIN} or more, random ones: head -c 256 /dev/urandom`,
    );
  }
  return pbkdf2Sync(contents, bytesOf(setId), ITERATIONS, KEY_SIZE_MAX, 'sha256');
}

/** @param setId Four words. @returns WRAPPED_KEY_SIZE bytes, different ones each time. */
export function wrapKey(key: DataKey, wrappingKey: Uint8Array, setId: Uint32Array): Uint8Array {
  const out = new Uint8Array(WRAPPED_KEY_SIZE);
  const nonce = randomBytes(NONCE_SIZE);
  const padded = new Uint8Array(KEY_SIZE_MAX);
  padded.set(key.bytes);
  new DataView(out.buffer).setUint32(0, ALGORITHMS.indexOf(key.algorithm), true);
  out.set(nonce, NONCE_AT);
  const cipher = createCipheriv(WRAP_CIPHER, wrappingKey, nonce);
  cipher.setAAD(Buffer.concat([out.subarray(0, NONCE_AT), bytesOf(setId)]));
  out.set(cipher.update(padded), KEY_AT);
  cipher.final();
  out.set(cipher.getAuthTag(), TAG_AT);
  return out;
}

/** @returns null when the wrapping key is another one, or the bytes are damaged. */
export function unwrapKey(wrapped: Uint8Array, wrappingKey: Uint8Array, setId: Uint32Array): DataKey | null {
  const algorithm = algorithmOf(wrapped);
  if (algorithm === 'none' || algorithm === undefined) return null;
  const nonce = wrapped.subarray(NONCE_AT, NONCE_AT + NONCE_SIZE);
  const cipher = createDecipheriv(WRAP_CIPHER, wrappingKey, nonce);
  cipher.setAAD(Buffer.concat([wrapped.subarray(0, NONCE_AT), bytesOf(setId)]));
  cipher.setAuthTag(wrapped.subarray(TAG_AT));
  try {
    const padded = Buffer.concat([cipher.update(wrapped.subarray(KEY_AT, TAG_AT)), cipher.final()]);
    return { algorithm, bytes: Uint8Array.from(padded.subarray(0, keySizeOf(algorithm))) };
  } catch {
    return null; // the tag does not fit
  }
}

/** What a wrapped key says it is for; undefined: something that this version does not know. */
export function algorithmOf(wrapped: Uint8Array): Algorithm | undefined {
  return ALGORITHMS[new DataView(wrapped.buffer, wrapped.byteOffset).getUint32(0, true)];
}

/** A key of the same size for one purpose, so that no two of them share a stream of key bytes. */
export function subkeyOf(key: DataKey, purpose: 'blocks' | 'checkpoints' | 'metadata'): Buffer {
  return Buffer.from(hkdfSync('sha256', key.bytes, '', `caltrop ${purpose}`, key.bytes.length));
}

function bytesOf(setId: Uint32Array): Buffer {
  return Buffer.from(Uint32Array.from(setId).buffer);
}
