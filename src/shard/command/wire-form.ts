/**
 * Values on their way to a client: what is stored, without what is the server's own. Only lists and maps that
 * persist an index differ from their stored form; a flag in the record's header says that some bin does.
 */
import { hasPersistedIndex, wireSize, writeWire } from '../../data/cdt/persisted-index.js';
import type { ParticleSpan } from '../../data/particle-span.js';
import { FLAG_PERSISTED_INDEX, REC_FLAGS_SET_GEN } from '../../storage/record/flat-record.js';
import { OP_HEADER_SIZE, OP_READ } from '../../wire/message.js';
import { writeImageHeader } from './bins.js';
import type { Executor } from './executor.js';

/** Whether some bin of the loaded record has another form for clients. */
export function isStoredApart(ex: Executor): boolean {
  const { region, at } = ex.stored;
  return (region.u32[(at >>> 2) + REC_FLAGS_SET_GEN]! & FLAG_PERSISTED_INDEX) !== 0;
}

/** Makes `value`, which may be of any type, its form for clients, in the scratch memory if that is another. */
export function toWire(ex: Executor, value: ParticleSpan): void {
  const { type, bytes, at, size } = value;
  if (!hasPersistedIndex(type, bytes, at, size)) return;
  const outSize = wireSize(type, bytes, at, size);
  const outAt = ex.scratch.take(outSize);
  writeWire(type, bytes, at, size, ex.scratch.bytes, outAt);
  value.set(type, ex.scratch.bytes, outAt, outSize);
}

/** Answers bin `bin` if it has another form for clients; the whole op lies in the scratch memory then. @returns Whether it has. */
export function answerWire(ex: Executor, bin: number): boolean {
  const { bins, value, scratch } = ex;
  bins.value(bin, value);
  const { type, bytes, at, size } = value;
  if (!hasPersistedIndex(type, bytes, at, size)) return false;
  const names = bins.sources[bin]!;
  const nameAt = bins.at[bin]! + OP_HEADER_SIZE;
  const nameSize = names[nameAt - 1]!;
  const valueSize = wireSize(type, bytes, at, size);
  const imageSize = OP_HEADER_SIZE + nameSize + valueSize;
  const outAt = scratch.take(imageSize);
  const out = scratch.bytes;
  writeWire(
    type,
    bytes,
    at,
    size,
    out,
    writeImageHeader(out, outAt, type, names, nameAt, nameSize, valueSize),
  );
  ex.answer.addImage(OP_READ, out, outAt, imageSize);
  return true;
}
