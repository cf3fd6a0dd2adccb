/** A record whose bins lie wherever a frame has put them. */
import type { ParticleSpan } from '../../../src/data/particle-span.js';
import { INTEGER, STRING } from '../../../src/data/type.js';
import type { RecordView } from '../../../src/expression/record-view.js';

const NOW_MS = 1_700_000_000_000;
const SET_NAME = Buffer.from('set');

interface Bin {
  readonly name: string;
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly size: number;
}

export class FuzzRecord implements RecordView {
  hasBins = true;
  readonly hasKey = true;
  readonly isTombstone = false;
  hasUnsortedMap = false;
  readonly digestBytes = Uint8Array.from({ length: 20 }, (_, k) => k * 11);
  readonly digestAt = 0;
  readonly lastUpdateMs = NOW_MS - 12_345;
  readonly nowMs = NOW_MS;
  readonly voidTimeMs = NOW_MS + 100_000;
  readonly deviceSize = 0;
  readonly memorySize = 512;
  readonly recordSize = 512;
  readonly #bins: Bin[] = [];

  clear(): void {
    this.#bins.length = 0;
  }

  add(name: string, type: number, bytes: Uint8Array, at: number, size: number): void {
    this.#bins.push({ name, type, bytes, at, size });
  }

  bin(names: Uint8Array, nameAt: number, nameSize: number, out: ParticleSpan): boolean {
    for (const { name, type, bytes, at, size } of this.#bins) {
      if (name.length !== nameSize) continue;
      let k = 0;
      while (k < nameSize && names[nameAt + k] === name.charCodeAt(k)) k++;
      if (k < nameSize) continue;
      out.set(type, bytes, at, size);
      return true;
    }
    return false;
  }

  key(out: ParticleSpan): boolean {
    out.set(INTEGER, this.digestBytes, 4, 8);
    return true;
  }

  setName(out: ParticleSpan): void {
    out.set(STRING, SET_NAME, 0, SET_NAME.length);
  }
}
