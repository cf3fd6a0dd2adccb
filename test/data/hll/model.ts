/** HyperLogLog sketches as arrays of registers, hashed with bigint: a model too plain to be fast. Source: protocol 15. */

const M64 = (1n << 64n) - 1n;
const rotl = (x: bigint, n: bigint) => ((x << n) | (x >> (64n - n))) & M64;
const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;

/** MurmurHash3 x64 128 with seed 0, after its reference code. */
export function murmur(data: Uint8Array): [bigint, bigint] {
  const word = (at: number) => {
    let w = 0n;
    for (let k = 7; k >= 0; k--) w = (w << 8n) | BigInt(data[at + k] ?? 0);
    return w;
  };
  const k1Of = (k: bigint) => (rotl((k * C1) & M64, 31n) * C2) & M64;
  const k2Of = (k: bigint) => (rotl((k * C2) & M64, 33n) * C1) & M64;
  let [h1, h2] = [0n, 0n];
  const whole = data.length - (data.length % 16);
  for (let at = 0; at < whole; at += 16) {
    h1 = ((rotl(h1 ^ k1Of(word(at)), 27n) + h2) * 5n + 0x52dce729n) & M64;
    h2 = ((rotl(h2 ^ k2Of(word(at + 8)), 31n) + h1) * 5n + 0x38495ab5n) & M64;
  }
  h2 ^= k2Of(word(whole + 8));
  h1 ^= k1Of(word(whole));
  const size = BigInt(data.length);
  h1 = ((h1 ^ size) + (h2 ^ size)) & M64;
  h2 = ((h2 ^ size) + h1) & M64;
  const finish = (x: bigint) => {
    let k = ((x ^ (x >> 33n)) * 0xff51afd7ed558ccdn) & M64;
    k = ((k ^ (k >> 33n)) * 0xc4ceb9fe1a85ec53n) & M64;
    return k ^ (k >> 33n);
  };
  h1 = finish(h1);
  h2 = finish(h2);
  h1 = (h1 + h2) & M64;
  return [h1, (h2 + h1) & M64];
}

export interface ModelSketch {
  readonly p: number;
  readonly m: number;
  /** 2^p numbers of 6 + m bits. */
  readonly registers: bigint[];
}

export function emptySketch(p: number, m: number): ModelSketch {
  return { p, m, registers: new Array<bigint>(2 ** p).fill(0n) };
}

/** Register and value of an element, given as msgpack in its smallest form. */
export function place(p: number, m: number, element: Uint8Array): [number, bigint] {
  const [h1, h2] = murmur(element);
  let rho = 1n;
  while (rho < 65n && ((h2 >> (rho - 1n)) & 1n) === 0n) rho++;
  const minhash = (h1 >> BigInt(p)) & ((1n << BigInt(m)) - 1n);
  return [Number(h1 & ((1n << BigInt(p)) - 1n)), ((rho & 63n) << BigInt(m)) | minhash];
}

/** @returns A sketch with the elements, and how many of them changed a register. */
export function added(sketch: ModelSketch, elements: readonly Uint8Array[]): [ModelSketch, number] {
  const registers = [...sketch.registers];
  let count = 0;
  for (const element of elements) {
    const [register, value] = place(sketch.p, sketch.m, element);
    if (registers[register]! >= value) continue;
    registers[register] = value;
    count++;
  }
  return [{ ...sketch, registers }, count];
}

/** Several sketches merged into one of `p` and `m` bits. */
export function merged(p: number, m: number, sketches: readonly ModelSketch[]): ModelSketch {
  const out = emptySketch(p, m);
  for (const sketch of sketches)
    sketch.registers.forEach((value, r) => {
      const taken = m === 0 ? value >> BigInt(sketch.m) : value;
      const target = r % 2 ** p;
      if (taken > out.registers[target]!) out.registers[target] = taken;
    });
  return out;
}

/** Fewest index bits of sketches, and the minhash bits they share. */
export function template(sketches: readonly ModelSketch[]): [number, number] {
  const m = sketches[0]!.m;
  return [Math.min(...sketches.map(sketch => sketch.p)), sketches.every(sketch => sketch.m === m) ? m : 0];
}

/** The bytes of a sketch with nothing cached. */
export function bytesOf(sketch: ModelSketch, cached = 0n): Uint8Array {
  const bits = sketch.registers.map(value => value.toString(2).padStart(6 + sketch.m, '0')).join('');
  const out = new Uint8Array(11 + Math.ceil(bits.length / 8));
  out[1] = sketch.p;
  out[2] = sketch.m;
  for (let k = 0; k < 8; k++) out[3 + k] = Number((cached >> BigInt(8 * k)) & 0xffn);
  for (let k = 11; k < out.length; k++)
    out[k] = Number.parseInt(bits.slice((k - 11) * 8, (k - 10) * 8).padEnd(8, '0'), 2);
  return out;
}

/** Ertl's estimate, with all its parts. */
export function estimate(sketch: ModelSketch): number {
  const size = sketch.registers.length;
  const counts = new Array<number>(65).fill(0);
  for (const value of sketch.registers) counts[Number(value >> BigInt(sketch.m))]!++;
  let z = size * tau(counts[64]! / size);
  for (let k = 64; k >= 1; k--) z = (z + counts[k]!) / 2;
  z += size * sigma(counts[0]! / size);
  const alpha = { 4: 0.673, 5: 0.697, 6: 0.709 }[sketch.p] ?? 0.7213 / (1 + 1.079 / size);
  return Math.round((alpha * size * size) / z);
}

function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let [root, y, z, last] = [x, 1, 1 - x, Number.NaN];
  do {
    last = z;
    root = Math.sqrt(root);
    y /= 2;
    z -= (1 - root) ** 2 * y;
  } while (z !== last);
  return z / 3;
}

function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY;
  let [power, y, z, last] = [x, 1, x, Number.NaN];
  do {
    last = z;
    power *= power;
    z += power * y;
    y *= 2;
  } while (z !== last);
  return z;
}

/** Share of equal registers, less the expected collisions of two sketches; all have the same minhash bits. */
export function similarity(sketches: readonly ModelSketch[]): number {
  const isEmpty = (sketch: ModelSketch) => sketch.registers.every(value => value === 0n);
  if (sketches.every(isEmpty)) return Number.NaN;
  if (sketches.some(isEmpty)) return 0;
  const [p, m] = template(sketches);
  const union = merged(p, m, sketches);
  const same = merged(p, m, [sketches[0]!]);
  for (const sketch of sketches.slice(1))
    sketch.registers.forEach((value, r) => {
      if (same.registers[r % 2 ** p] !== value) same.registers[r % 2 ** p] = 0n;
    });
  const used = ({ registers }: ModelSketch) => registers.filter(value => value !== 0n).length;
  const size = 2 ** p;
  let expected = 0;
  if (sketches.length === 2) {
    const [a, b] = sketches.map(estimate) as [number, number];
    for (let i = 1; i <= 64; i++) {
      const b1 = i === 64 ? 0 : 2 ** -i / size;
      const b2 = 2 ** (1 - i) / size;
      const chance = (n: number) => (1 - b1) ** n - (1 - b2) ** n;
      expected += chance(a) * chance(b);
    }
    expected *= size / 2 ** m;
  }
  return Math.max(0, (used(same) - expected) / used(union));
}
