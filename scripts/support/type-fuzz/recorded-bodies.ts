/** The operations on values that were recorded from the reference: bodies of list, map, bit and HLL ops. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  OP_BITS_MODIFY,
  OP_BITS_READ,
  OP_CDT_MODIFY,
  OP_CDT_READ,
  OP_HEADER_SIZE,
  OP_HLL_MODIFY,
  OP_HLL_READ,
} from '../../../src/wire/message.js';
import type { Family } from './case.js';

const PROTO_SIZE = 8; // bytes
const FIELD_COUNT = 18; // u16, then the count of ops
const MESSAGE_SIZE = 22; // bytes

export interface RecordedBody {
  readonly family: Family;
  readonly body: Uint8Array;
  readonly isModify: boolean;
}

const FAMILY_OF: ReadonlyMap<number, { readonly family: Family; readonly isModify: boolean }> = new Map([
  [OP_CDT_READ, { family: 'cdt', isModify: false }],
  [OP_CDT_MODIFY, { family: 'cdt', isModify: true }],
  [OP_BITS_READ, { family: 'bit', isModify: false }],
  [OP_BITS_MODIFY, { family: 'bit', isModify: true }],
  [OP_HLL_READ, { family: 'hll', isModify: false }],
  [OP_HLL_MODIFY, { family: 'hll', isModify: true }],
]);

/** @param root the repository. @param files names of recorded families. */
export function recordedBodies(root: string, files: readonly string[]): RecordedBody[] {
  const seen = new Set<string>();
  const bodies: RecordedBody[] = [];
  for (const file of files) {
    const text = gunzipSync(readFileSync(`${root}/test/vectors/${file}.jsonl.gz`)).toString();
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const { steps } = JSON.parse(line) as { steps: { q: string }[] };
      for (const { q } of steps) {
        for (const found of bodiesOf(Buffer.from(q, 'hex'))) {
          const name = Buffer.from(found.body).toString('hex');
          if (seen.has(name)) continue;
          seen.add(name);
          bodies.push(found);
        }
      }
    }
  }
  return bodies;
}

/** Those of one request, as far as it can be followed. */
function* bodiesOf(frame: Buffer): Generator<RecordedBody> {
  if (frame.length < PROTO_SIZE + MESSAGE_SIZE || frame[1] !== 3) return;
  const message = frame.subarray(PROTO_SIZE);
  let p = MESSAGE_SIZE;
  for (let k = message.readUInt16BE(FIELD_COUNT); k > 0 && p + 4 <= message.length; k--)
    p += 4 + message.readUInt32BE(p);
  for (let k = message.readUInt16BE(FIELD_COUNT + 2); k > 0 && p + OP_HEADER_SIZE <= message.length; k--) {
    const end = p + 4 + message.readUInt32BE(p);
    const valueAt = p + OP_HEADER_SIZE + message[p + 7]!;
    if (end > message.length || valueAt > end) return;
    const known = FAMILY_OF.get(message[p + 4]!);
    if (known !== undefined) yield { ...known, body: Uint8Array.from(message.subarray(valueAt, end)) };
    p = end;
  }
}
