/** Types of expressions, as they are written on the wire, and the particles that they stand for. Source: protocol 16, section 2. */
import * as particle from '../data/type.js';

export const NIL = 0;
export const BOOL = 1;
export const INT = 2;
export const STR = 3;
export const LIST = 4;
export const MAP = 5;
export const BLOB = 6;
export const FLOAT = 7;
export const GEO = 8;
export const HLL = 9;
export const TYPE_COUNT = 10;
/** Not a static type: the variable that holds it was computed and is unknown. */
export const UNKNOWN_TYPE = 10;
/** Static type of "remove this entry", which is the value of no operand. */
export const REMOVE_TYPE = 11;

/** Particle type of each expression type. */
export const PARTICLE_TYPE: readonly number[] = [
  particle.NULL,
  particle.BOOL,
  particle.INTEGER,
  particle.STRING,
  particle.LIST,
  particle.MAP,
  particle.BLOB,
  particle.FLOAT,
  particle.GEOJSON,
  particle.HLL,
];

/** A set of types, as a bit each. */
export function typeSet(...types: readonly number[]): number {
  return types.reduce((set, type) => set | (1 << type), 0);
}

export const ANY = (1 << TYPE_COUNT) - 1;
