/**
 * One case: an operation and the value that it works on; an expression and the bins that it is about; or a value
 * that is to be written whole.
 */
import type { Particle } from './particle.js';

export const FAMILIES = ['cdt', 'bit', 'hll', 'expression', 'write'] as const;
export type Family = (typeof FAMILIES)[number];

export interface OpCase {
  readonly family: Family;
  readonly target: Particle | undefined;
  readonly body: Uint8Array;
  readonly isModify: boolean;
  /** Particle type that the op of a command would claim for its body; that of a value to be written. */
  readonly bodyType: number;
  /** For an expression. */
  readonly bins: Bins;
}

/** Bins of a record, by name. */
export type Bins = readonly (readonly [name: string, value: Particle])[];

/** A case in one line, to be repeated with `--case`. */
export function printCase(c: OpCase): string {
  const target = c.target === undefined ? '-' : printParticle(c.target);
  const bins = c.bins.map(([name, value]) => ` ${name}=${printParticle(value)}`).join('');
  return `${c.family} ${c.isModify ? 'modify' : 'read'} ${c.bodyType} ${target} ${hex(c.body)}${bins}`;
}

/** The case that `printCase` has written. */
export function parseCase(text: string): OpCase {
  const [family, op, bodyType, target, body, ...bins] = text.trim().split(' ');
  return {
    family: familyOf(family ?? ''),
    isModify: op === 'modify',
    bodyType: Number(bodyType),
    target: target === undefined || target === '-' ? undefined : parseParticle(target),
    body: unhex(body ?? ''),
    bins: bins.map(bin => [bin.slice(0, bin.indexOf('=')), parseParticle(bin.slice(bin.indexOf('=') + 1))]),
  };
}

/** The family of this name; throws when there is none. */
export function familyOf(name: string): Family {
  const family = FAMILIES.find(known => known === name);
  if (family === undefined) throw new Error(`no family ${name}: ${FAMILIES.join(', ')}`);
  return family;
}

function printParticle({ type, bytes }: Particle): string {
  return `${type}:${hex(bytes)}`;
}

function parseParticle(text: string): Particle {
  const [type, bytes] = text.split(':');
  return { type: Number(type), bytes: unhex(bytes ?? '') };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}
