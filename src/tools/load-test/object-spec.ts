/**
 * What a record of the load test looks like. A spec is a list of bins, comma separated:
 *   I8      an integer of 8 bytes (1 … 8)
 *   B100    a blob of 100 bytes;   B10-2000 or [B:10-2000]   of 10 to 2,000 bytes
 *   S50     a string of 50 characters; ranges as for blobs
 * The first bin has the name that the user gives, the others get _2, _3 … behind it.
 *
 * A value is a function of the key, the bin's place and a nonce that the value itself begins with, so that a
 * reader who knows the key can tell whether what it read was ever written there, whoever wrote it:
 *   blob, string: nonce (2 bytes, or 2 characters), then a piece of a fixed random page; the size varies too
 *   integer:      nonce in the low 16 bits, the rest from the key (1 and 2 byte integers have no nonce)
 */
import { mix, Random } from './random.js';

export type BinKind = 'I' | 'B' | 'S';

export interface BinSpec {
  readonly name: string;
  readonly kind: BinKind;
  /** Bytes; equal for a fixed size. */
  readonly sizeMin: number;
  readonly sizeMax: number;
}

/** A spec that cannot be read; the message says which part and what is accepted. */
export class ObjectSpecError extends Error {
  override readonly name = 'ObjectSpecError';
}

const BIN_NAME_MAX = 15; // bytes
const BIN_COUNT_MAX = 30;
const SIZE_MAX = 8 * 1024 * 1024; // bytes; no server stores more in a record
const PAGE_SIZE = 65_536; // places in the random page where a value may begin
const NONCE_SIZE = 2;
const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const PARTICLE_TYPE: Record<BinKind, number> = { I: 1, S: 3, B: 4 };
const WRITE_OP = 2;

export function parseObjectSpec(text: string, binName = 'testbin'): BinSpec[] {
  const parts = text.split(',');
  if (parts.length > BIN_COUNT_MAX)
    throw new ObjectSpecError(`${parts.length} bins: ${BIN_COUNT_MAX} at most`);
  return parts.map((part, index) => {
    const match = /^(?:([IBS]):?(\d+)(?:-(\d+))?|\[([IBS]):?(\d+)(?:-(\d+))?\])$/.exec(part.trim());
    if (!match) {
      throw new ObjectSpecError(`'${part}': want I1 … I8, B<size>, S<size>, B<min>-<max> or [B:<min>-<max>]`);
    }
    const kind = (match[1] ?? match[4]) as BinKind;
    const sizeMin = Number(match[2] ?? match[5]);
    const sizeMax = Number(match[3] ?? match[6] ?? sizeMin);
    if (kind === 'I' && (sizeMin < 1 || sizeMin > 8 || sizeMax !== sizeMin)) {
      throw new ObjectSpecError(`'${part}': an integer has 1 to 8 bytes`);
    }
    if (sizeMax < sizeMin || sizeMax > SIZE_MAX) {
      throw new ObjectSpecError(`'${part}': sizes go from small to large, ${SIZE_MAX} bytes at most`);
    }
    const name = index === 0 ? binName : `${binName}_${index + 1}`;
    if (name === '' || Buffer.byteLength(name) > BIN_NAME_MAX) {
      throw new ObjectSpecError(`bin name '${name}': 1 to ${BIN_NAME_MAX} bytes`);
    }
    return { name, kind, sizeMin, sizeMax };
  });
}

interface Bin extends BinSpec {
  readonly nameBytes: Buffer;
  readonly index: number;
  readonly type: number;
  readonly page: Buffer;
  readonly nonceSize: number;
}

/** Writes and checks the values of a spec. One a thread: it owns its random pages. */
export class ObjectSpec {
  readonly #bins: Bin[];
  /** Bytes of all write operations of one record, at most. */
  readonly opsSizeMax: number;

  constructor(specs: readonly BinSpec[]) {
    const pageSize = PAGE_SIZE + Math.max(...specs.map(bin => bin.sizeMax));
    const blobPage = randomPage(pageSize);
    const stringPage = Buffer.from(blobPage.map(byte => CHARACTERS.charCodeAt(byte & 63)));
    this.#bins = specs.map((spec, index) => ({
      ...spec,
      nameBytes: Buffer.from(spec.name),
      index,
      type: PARTICLE_TYPE[spec.kind],
      page: spec.kind === 'S' ? stringPage : blobPage,
      nonceSize: spec.kind === 'I' ? (spec.sizeMin > 2 ? NONCE_SIZE : 0) : Math.min(NONCE_SIZE, spec.sizeMin),
    }));
    this.opsSizeMax = this.#bins.reduce(
      (sum, bin) => sum + 8 + bin.nameBytes.length + Math.max(8, bin.sizeMax),
      0,
    );
  }

  get binCount(): number {
    return this.#bins.length;
  }

  /** Writes one WRITE operation a bin at `at`; returns the offset behind them. */
  writeOps(out: Buffer, at: number, key: number, nonce: number): number {
    let end = at;
    for (const bin of this.#bins) {
      const valueAt = end + 8 + bin.nameBytes.length;
      const valueEnd = writeValue(bin, out, valueAt, key, nonceOf(bin, nonce));
      out.writeUInt32BE(valueEnd - end - 4, end);
      out[end + 4] = WRITE_OP;
      out[end + 5] = bin.type;
      out[end + 6] = 0;
      out[end + 7] = bin.nameBytes.length;
      out.set(bin.nameBytes, end + 8);
      end = valueEnd;
    }
    return end;
  }

  /**
   * Whether the `opCount` operations at `at` of an answer are exactly the bins of this spec, each with a value
   * that was written for `key` at some time. The operations must have been length-checked.
   */
  checkOps(bytes: Buffer, at: number, opCount: number, key: number): boolean {
    if (opCount !== this.#bins.length) return false;
    let opAt = at;
    let found = 0;
    for (let i = 0; i < opCount; i++) {
      const opEnd = opAt + 4 + bytes.readUInt32BE(opAt);
      const valueAt = opAt + 8 + bytes[opAt + 7]!;
      const bin = this.#bins.find(
        each => bytes.compare(each.nameBytes, 0, each.nameBytes.length, opAt + 8, valueAt) === 0,
      );
      if (bin === undefined || bytes[opAt + 5] !== bin.type || !checkValue(bin, bytes, valueAt, opEnd, key)) {
        return false;
      }
      found |= 1 << bin.index;
      opAt = opEnd;
    }
    return found === 2 ** this.#bins.length - 1;
  }
}

function randomPage(size: number): Buffer {
  const random = new Random(20100101);
  const page = Buffer.alloc((size + 3) & ~3);
  for (let at = 0; at < page.length; at += 4) page.writeUInt32LE(random.u32(), at);
  return page;
}

/** The nonce as far as the bin can hold it: bytes of a blob, characters of a string, 16 bits of an integer. */
function nonceOf(bin: Bin, nonce: number): number {
  return nonce & (2 ** ((bin.kind === 'S' ? 6 : 8) * bin.nonceSize) - 1);
}

function seedOf(bin: Bin, key: number, nonce: number): number {
  return mix(mix(key >>> 0, Math.floor(key / 2 ** 32)), (nonce << 8) | bin.index);
}

function sizeOf(bin: Bin, seed: number): number {
  return bin.sizeMin + Math.floor((mix(seed, 1) * (bin.sizeMax - bin.sizeMin + 1)) / 2 ** 32);
}

function writeValue(bin: Bin, out: Buffer, at: number, key: number, nonce: number): number {
  const seed = seedOf(bin, key, nonce);
  if (bin.kind === 'I') {
    out.writeUInt32BE(integerHigh(bin, seed), at);
    out.writeUInt32BE(integerLow(bin, seed, nonce), at + 4);
    return at + 8;
  }
  const size = sizeOf(bin, seed);
  const pageAt = seed & (PAGE_SIZE - 1);
  bin.page.copy(out, at, pageAt, pageAt + size);
  for (let i = 0; i < bin.nonceSize; i++) out[at + i] = nonceSymbol(bin, nonce, i);
  return at + size;
}

function checkValue(bin: Bin, bytes: Buffer, at: number, end: number, key: number): boolean {
  if (bin.kind === 'I') {
    if (end - at !== 8) return false;
    const low = bytes.readUInt32BE(at + 4);
    const nonce = bin.nonceSize > 0 ? low & 0xffff : 0;
    const seed = seedOf(bin, key, nonce);
    return bytes.readUInt32BE(at) === integerHigh(bin, seed) && low === integerLow(bin, seed, nonce);
  }
  if (end - at < bin.sizeMin || end - at > bin.sizeMax) return false;
  let nonce = 0;
  for (let i = 0; i < bin.nonceSize; i++) {
    const symbol = bytes[at + i]!;
    if (bin.kind === 'B') nonce |= symbol << (8 * i);
    else nonce |= CHARACTERS.indexOf(String.fromCharCode(symbol)) << (6 * i);
  }
  const seed = seedOf(bin, key, nonce);
  if (nonce < 0 || end - at !== sizeOf(bin, seed)) return false;
  const pageAt = (seed & (PAGE_SIZE - 1)) + bin.nonceSize;
  const rest = end - at - bin.nonceSize;
  return bytes.compare(bin.page, pageAt, pageAt + rest, at + bin.nonceSize, end) === 0;
}

function nonceSymbol(bin: Bin, nonce: number, i: number): number {
  return bin.kind === 'B' ? (nonce >>> (8 * i)) & 255 : CHARACTERS.charCodeAt((nonce >>> (6 * i)) & 63);
}

function integerHigh(bin: Bin, seed: number): number {
  return bin.sizeMin > 4 ? mix(seed, 2) >>> (8 * (8 - bin.sizeMin)) : 0;
}

function integerLow(bin: Bin, seed: number, nonce: number): number {
  const word = mix(seed, 3) >>> (bin.sizeMin < 4 ? 8 * (4 - bin.sizeMin) : 0);
  return bin.nonceSize > 0 ? ((word & ~0xffff) | nonce) >>> 0 : word;
}
