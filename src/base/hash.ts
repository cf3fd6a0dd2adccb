/** A hash of names and other short bytes for tables in memory: FNV-1a with its high bits mixed in. @returns A u32. */
export function hashName(bytes: Uint8Array, at: number, size: number): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < size; i++) h = Math.imul(h ^ bytes[at + i]!, 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
}
