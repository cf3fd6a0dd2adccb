/**
 * A digest is the 20-byte RIPEMD-160 hash of set name, key type and key. It is a record's identity
 * everywhere below the wire: keys are for clients, digests are for us.
 */
export const DIGEST_SIZE = 20; // bytes
export const PARTITION_COUNT = 4096;
const PARTITION_MASK = PARTITION_COUNT - 1;

/** Partition of the digest at `at`: its low 12 bits, little-endian. The same on every node. */
export function partitionOf(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8)) & PARTITION_MASK;
}
