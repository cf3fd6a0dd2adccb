/** One case: an operation and what it works on. */
import type { Particle } from './particle.js';

export const FAMILIES = ['cdt', 'bit', 'hll'] as const;
export type Family = (typeof FAMILIES)[number];

export interface OpCase {
  readonly family: Family;
  readonly target: Particle | undefined;
  readonly body: Uint8Array;
  readonly isModify: boolean;
  /** Particle type that the op of a command would claim for its body. */
  readonly bodyType: number;
}

/** A case in one line, to be repeated with `--case`. */
export function printCase(c: OpCase): string {
  const target = c.target === undefined ? '-' : `${c.target.type}:${hex(c.target.bytes)}`;
  return `${c.family} ${c.isModify ? 'modify' : 'read'} ${c.bodyType} ${target} ${hex(c.body)}`;
}

/** The case that `printCase` has written. */
export function parseCase(text: string): OpCase {
  const [family, op, bodyType, target, body] = text.trim().split(' ');
  const [type, bytes] = (target ?? '-').split(':');
  return {
    family: familyOf(family ?? ''),
    isModify: op === 'modify',
    bodyType: Number(bodyType),
    target: bytes === undefined ? undefined : { type: Number(type), bytes: unhex(bytes) },
    body: unhex(body ?? ''),
  };
}

/** The family of this name; throws when there is none. */
export function familyOf(name: string): Family {
  const family = FAMILIES.find(known => known === name);
  if (family === undefined) throw new Error(`no family ${name}: ${FAMILIES.join(', ')}`);
  return family;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}
