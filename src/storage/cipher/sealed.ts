/**
 * Small files beside encrypted devices, metadata of the namespace: encrypted and authenticated as a whole.
 *
 *   u32 magic "CTS1"    12 bytes nonce    16 bytes tag    the encrypted bytes
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type DataKey, subkeyOf } from './data-key.js';

const MAGIC = Buffer.from('CTS1');
const NONCE_SIZE = 12;
const TAG_SIZE = 16;
const HEAD_SIZE = MAGIC.length + NONCE_SIZE + TAG_SIZE;

/** @returns The bytes as they may lie on a disk; other ones each time. */
export function seal(key: DataKey, bytes: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_SIZE);
  const cipher = createCipheriv(`${key.algorithm}-gcm`, subkeyOf(key, 'metadata'), nonce);
  const sealed = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([MAGIC, nonce, cipher.getAuthTag(), sealed]);
}

/** @returns What was sealed; null when it was sealed by another key, was changed, or is no sealed file. */
export function unseal(key: DataKey, file: Uint8Array): Buffer | null {
  if (!isSealed(file)) return null;
  const nonce = file.subarray(MAGIC.length, MAGIC.length + NONCE_SIZE);
  const cipher = createDecipheriv(`${key.algorithm}-gcm`, subkeyOf(key, 'metadata'), nonce);
  cipher.setAuthTag(file.subarray(MAGIC.length + NONCE_SIZE, HEAD_SIZE));
  try {
    return Buffer.concat([cipher.update(file.subarray(HEAD_SIZE)), cipher.final()]);
  } catch {
    return null; // the tag does not fit
  }
}

/** Whether a file is a sealed one at all. */
export function isSealed(file: Uint8Array): boolean {
  return file.length >= HEAD_SIZE && MAGIC.equals(file.subarray(0, MAGIC.length));
}
