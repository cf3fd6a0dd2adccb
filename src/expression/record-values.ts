/** Operators that ask the record: its bins, its key, its metadata. Source: protocol 16, section 3. */
import { readU32 } from '../wire/message.js';
import { multiplyTo, remainderOf, setFromDouble, setInt } from './int64.js';
import { FALSE, type Machine, TRUE, UNKNOWN } from './machine.js';
import {
  KEY_TYPE_OPERAND,
  NAME_OPERAND,
  NAMED_TYPE,
  type Operator,
  type OperatorRow,
  TYPE_OPERAND,
} from './operator.js';
import { NODE_OPERANDS, NODE_TYPE } from './program.js';
import type { RecordView } from './record-view.js';
import { Value } from './value.js';
import { BOOL, INT, STR } from './value-type.js';

const NANOSECONDS_A_MILLISECOND = 1_000_000;
const NEVER = -1;
/** Bytes before the part of a digest that DIGEST_MODULO looks at. */
const DIGEST_TAIL = 16;

const factor = new Value();

/** Metadata that is a number within a double. */
const metadata = (name: string, of: (record: RecordView) => number): Operator => ({
  name,
  params: [],
  result: INT,
  asks: 'metadata',
  run: (m, _node, out) => {
    if (m.record === undefined) return UNKNOWN;
    out.setInt(0);
    setFromDouble(out, of(m.record));
    return TRUE;
  },
});

/** Metadata in nanoseconds: more than a double holds. Negative milliseconds stand for themselves. */
const nanoseconds = (name: string, of: (record: RecordView) => number): Operator => ({
  name,
  params: [],
  result: INT,
  asks: 'metadata',
  run: (m, _node, out) => {
    if (m.record === undefined) return UNKNOWN;
    const milliseconds = of(m.record);
    out.setInt(0);
    setFromDouble(out, milliseconds);
    if (milliseconds < 0) return TRUE;
    factor.setInt(NANOSECONDS_A_MILLISECOND);
    multiplyTo(out, factor);
    return TRUE;
  },
});

const fact = (name: string, of: (record: RecordView) => boolean): Operator => ({
  name,
  params: [],
  result: BOOL,
  asks: 'metadata',
  run: m => (m.record === undefined ? UNKNOWN : of(m.record) ? TRUE : FALSE),
});

export const RECORD_VALUES: readonly OperatorRow[] = [
  [
    64,
    { name: 'digest_modulo', params: [], form: 'modulo', result: INT, asks: 'metadata', run: digestModulo },
  ],
  [65, metadata('device_size', record => record.deviceSize)],
  [66, nanoseconds('last_update', record => record.lastUpdateMs)],
  [67, metadata('since_update', record => record.nowMs - record.lastUpdateMs)],
  [68, nanoseconds('void_time', record => (record.voidTimeMs === 0 ? NEVER : record.voidTimeMs))],
  [69, metadata('ttl', ttlSec)],
  [70, { name: 'set_name', params: [], result: STR, asks: 'metadata', run: setName }],
  [71, fact('key_exists', record => record.hasKey)],
  [72, fact('is_tombstone', record => record.isTombstone)],
  [73, metadata('memory_size', record => record.memorySize)],
  [74, metadata('record_size', record => record.recordSize)],
  [80, { name: 'key', params: [KEY_TYPE_OPERAND], result: NAMED_TYPE, asks: 'bins', run: key }],
  [81, { name: 'bin', params: [TYPE_OPERAND, NAME_OPERAND], result: NAMED_TYPE, asks: 'bins', run: bin }],
  [82, { name: 'bin_type', params: [NAME_OPERAND], result: INT, asks: 'bins', run: binType }],
];

function ttlSec(record: RecordView): number {
  if (record.voidTimeMs === 0) return NEVER;
  return Math.floor(record.voidTimeMs / 1000) - Math.floor(record.nowMs / 1000);
}

/** Operands: both halves of the modulus. The last four bytes of the digest are a little-endian number. */
function digestModulo(m: Machine, node: number, out: Value): number {
  if (m.record === undefined) return UNKNOWN;
  const { digestBytes, digestAt } = m.record;
  const word = readU32(digestBytes, digestAt + DIGEST_TAIL);
  const swapped = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  out.setInt(0);
  setInt(out, 0, swapped);
  setInt(factor, m.code[node + NODE_OPERANDS]!, m.code[node + NODE_OPERANDS + 1]!);
  remainderOf(out, factor);
  return TRUE;
}

function setName(m: Machine, _node: number, out: Value): number {
  if (m.record === undefined) return UNKNOWN;
  m.record.setName(m.particle);
  return out.setParticle(m.particle, STR) ? TRUE : UNKNOWN;
}

function key(m: Machine, node: number, out: Value): number {
  if (m.record?.hasBins !== true || !m.record.key(m.particle)) return UNKNOWN;
  return out.setParticle(m.particle, m.code[node + NODE_TYPE]!) ? TRUE : UNKNOWN;
}

/** Operands: where the name lies in the program's bytes, its size. */
function bin(m: Machine, node: number, out: Value): number {
  const { record, code, particle } = m;
  if (record?.hasBins !== true) return UNKNOWN;
  if (!record.bin(m.program.bytes, code[node + NODE_OPERANDS]!, code[node + NODE_OPERANDS + 1]!, particle))
    return UNKNOWN;
  m.noteSize(particle.size);
  const type = code[node + NODE_TYPE]!;
  if (!out.setParticle(particle, type)) return UNKNOWN;
  return type === BOOL ? out.low : TRUE;
}

function binType(m: Machine, node: number, out: Value): number {
  const { record, code, particle } = m;
  if (record?.hasBins !== true) return UNKNOWN;
  const nameAt = code[node + NODE_OPERANDS]!;
  const isThere = record.bin(m.program.bytes, nameAt, code[node + NODE_OPERANDS + 1]!, particle);
  out.setInt(isThere ? particle.type : 0);
  return TRUE;
}
