/**
 * Ways to hand a particle to a function such that reading outside it shows: in the middle of a buffer, between
 * two different kinds of strangers, and alone in a buffer that ends where it ends.
 */

/** A particle inside a larger buffer. */
export interface Framed {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** The same particle three times: alone, between zeroes, and between bytes that look like more of a value. */
export function framings(particle: Uint8Array): readonly Framed[] {
  const between = (fill: number): Framed => {
    const bytes = new Uint8Array(particle.length + 32).fill(fill);
    bytes.set(particle, 16);
    return { bytes, at: 16 };
  };
  return [{ bytes: particle.slice(), at: 0 }, between(0x00), between(0x93)];
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
