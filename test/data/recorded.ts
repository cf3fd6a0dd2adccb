/**
 * The recorded answers of test/vectors as operations: requests and replies taken apart down to their ops.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** One op of a request, or one of a reply. */
export interface RecordedOp {
  readonly code: number;
  readonly particleType: number;
  readonly bin: string;
  readonly value: Uint8Array;
}

/** A request and what the reference answered. */
export interface RecordedStep {
  readonly info: readonly [number, number, number];
  readonly ops: readonly RecordedOp[];
  readonly resultCode: number;
  readonly results: readonly RecordedOp[];
}

export interface RecordedCase {
  readonly name: string;
  readonly steps: readonly RecordedStep[];
}

/** Cases of one family, such as `map`: those whose steps all had one answer. */
export function recordedCases(family: string): readonly RecordedCase[] {
  const file = new URL(`../../../test/vectors/${family}.jsonl.gz`, import.meta.url);
  return gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as { case: string; steps: { q: string; r: string[]; end?: string }[] })
    .filter(({ steps }) => steps.every(step => step.r.length === 1 && step.end === undefined))
    .map(({ case: name, steps }) => ({
      name,
      steps: steps.map(({ q, r }) => {
        const asked = message(q);
        const answered = message(r[0]!);
        return { info: asked.info, ops: asked.ops, resultCode: answered.code, results: answered.ops };
      }),
    }));
}

function message(hex: string) {
  const frame = Buffer.from(hex, 'hex').subarray(8);
  let p = frame[0]!;
  const fieldCount = frame.readUInt16BE(18);
  const opCount = frame.readUInt16BE(20);
  for (let k = 0; k < fieldCount; k++) p += 4 + frame.readUInt32BE(p);
  const ops: RecordedOp[] = [];
  for (let k = 0; k < opCount; k++) {
    const end = p + 4 + frame.readUInt32BE(p);
    const nameEnd = p + 8 + frame[p + 7]!;
    ops.push({
      code: frame[p + 4]!,
      particleType: frame[p + 5]!,
      bin: frame.subarray(p + 8, nameEnd).toString(),
      value: Uint8Array.from(frame.subarray(nameEnd, end)),
    });
    p = end;
  }
  return { info: [frame[1]!, frame[2]!, frame[3]!] as const, code: frame[5]!, ops };
}

/**
 * Follows the recorded cases of a family with a model.
 * @param begin  What the model knows before the first step of a case.
 * @param follow Takes a step. @returns What the model knows then, or how the recorded answer differs from its own.
 * @param isMeant Whether a case is followed, by its name.
 * @returns How many cases were followed, and the first difference of each that has one.
 */
export function followRecorded<State extends object>(
  family: string,
  begin: State,
  follow: (state: State, step: RecordedStep) => State | string,
  isMeant: (name: string) => boolean = () => true,
): { readonly count: number; readonly differences: readonly string[] } {
  const differences: string[] = [];
  const cases = recordedCases(family).filter(({ name }) => isMeant(name));
  for (const { name, steps } of cases) {
    let state = begin;
    for (const [n, step] of steps.entries()) {
      const next = follow(state, step);
      if (typeof next === 'string') {
        differences.push(`${name} step ${n}: ${next}`);
        break;
      }
      state = next;
    }
  }
  return { count: cases.length, differences };
}
