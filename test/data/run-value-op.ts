/** Runs one operation on one value where reading outside of the value or of the operation's body shows. */
import assert from 'node:assert/strict';
import { NULL } from '../../src/data/type.js';
import { type Operate, ValueOp } from '../../src/data/value-op.js';
import { type Framed, framings, toHex } from './frame.js';

const op = new ValueOp();

/** A particle: its type and its bytes as hex. */
export interface Particle {
  readonly type: number;
  readonly hex: string;
}

export interface Outcome {
  readonly code: number;
  readonly result?: Particle;
  readonly changed?: Particle;
}

export interface Target {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/**
 * @param target   the value, undefined for none.
 * @param body     the operation's msgpack.
 * @param bodyType particle type that the op claims.
 * @returns What came out, which was the same for the particle and the body alone and between strangers of two
 * kinds; neither was changed.
 */
export function runValueOp(
  operate: Operate,
  target: Target | undefined,
  body: Uint8Array,
  isModify: boolean,
  bodyType: number,
): Outcome {
  const bodies = framings(body);
  const outcomes = framings(target?.bytes ?? new Uint8Array(0)).map((particle, k) =>
    runOnce(operate, target, particle, body.length, bodies[k]!, isModify, bodyType),
  );
  for (const outcome of outcomes) assert.deepEqual(outcome, outcomes[0]);
  return outcomes[0]!;
}

function runOnce(
  operate: Operate,
  target: Target | undefined,
  particle: Framed,
  bodySize: number,
  body: Framed,
  isModify: boolean,
  bodyType: number,
): Outcome {
  const before = [toHex(particle.bytes), toHex(body.bytes)];
  op.scratch.reset();
  op.scratch.bytes.fill(0xa5, 0, 4096);
  op.target.set(target?.type ?? NULL, particle.bytes, particle.at, target?.bytes.length ?? 0);
  op.bytes = body.bytes;
  op.at = body.at;
  op.end = body.at + bodySize;
  op.isModify = isModify;
  op.bodyType = bodyType;
  const code = operate(op);
  assert.deepEqual([toHex(particle.bytes), toHex(body.bytes)], before, 'the inputs stay as they are');
  if (code !== 0) return { code };
  const { result, changed } = op;
  return {
    code,
    ...(result.type !== NULL && { result: particleOf(result) }),
    ...(op.isChanged && { changed: particleOf(changed) }),
  };
}

function particleOf(span: ValueOp['result']): Particle {
  assert.ok(span.at >= 0 && span.at + span.size <= span.bytes.length);
  return { type: span.type, hex: toHex(span.bytes.subarray(span.at, span.at + span.size)) };
}
