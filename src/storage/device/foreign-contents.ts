/** What somebody else's file or device holds: whether it is blank, and if not, what it looks like. */
import type { FileHandle } from 'node:fs/promises';

const MIB = 1024 * 1024;
const PAGE_SIZE = 4096; // bytes
const PAGES_MAX = 65_536;
/** Pages that are read at once. */
const READS = 32;

/** Bytes that tell what a device holds: where they are, and whose. */
const SIGNATURES: readonly (readonly [at: number, hex: string, what: string])[] = [
  [0, '58465342', 'an XFS file system'],
  [0, '4c554b53babe', 'a LUKS volume'],
  [3, '4e54465320202020', 'an NTFS file system'],
  [512, '4546492050415254', 'a GPT partition table'],
  [512, '4c4142454c4f4e45', 'an LVM volume'],
  [1080, '53ef', 'an ext file system'],
  [4086, '53574150535041434532', 'swap space'],
  [4096, 'fc4e2ba9', 'a RAID member'],
  [65_600, '5f42485266535f4d', 'a btrfs file system'],
  [510, '55aa', 'a partition table or boot sector'],
];

/**
 * Whether nothing but zeros is to be seen: in the first and the last MiB, and in a page of every MiB between; beyond
 * 64 GiB in 65,536 pages that lie evenly, so that a large device takes seconds.
 */
export async function isBlank(file: FileHandle, size: number): Promise<boolean> {
  if (!(await isZero(file, 0, MIB)) || !(await isZero(file, Math.max(0, size - MIB), MIB))) return false;
  const step = MIB * Math.max(1, Math.ceil(size / MIB / PAGES_MAX));
  for (let from = MIB; from < size; from += READS * step) {
    const places = Array.from({ length: READS }, (_, i) => from + i * step).filter(at => at < size);
    const found = await Promise.all(places.map(at => isZero(file, at, PAGE_SIZE)));
    if (found.includes(false)) return false;
  }
  return true;
}

/** `an ext file system`, or `something`. */
export async function describeContents(file: FileHandle): Promise<string> {
  const first = Buffer.alloc(MIB);
  await file.read(first, 0, MIB, 0);
  const known = SIGNATURES.find(([at, hex]) => first.toString('hex', at, at + hex.length / 2) === hex);
  return known?.[2] ?? 'something';
}

async function isZero(file: FileHandle, at: number, length: number): Promise<boolean> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, at);
  return bytes.subarray(0, bytesRead).every(byte => byte === 0);
}
