/** What holds for all list and map operations: which there are, how many arguments, what they do without a bin. */
import test from 'ava';
import { INCOMPATIBLE_TYPE, OK, OP_NOT_APPLICABLE, PARAMETER } from '../../../src/base/result.js';
import {
  ANY_ARG,
  COUNT_ARG,
  DELTA_ARG,
  INT_ARG,
  KEY_ARG,
  LIST_ARG,
  RETURN_ARG,
  STORED_ARG,
  STORED_LIST_ARG,
  STORED_MAP_ARG,
} from '../../../src/data/cdt/call.js';
import { Container } from '../../../src/data/cdt/container.js';
import { CDT_OPS, MAP_OP_FIRST, operateCdt } from '../../../src/data/cdt/operate.js';
import { BLOB, INTEGER, LIST, MAP } from '../../../src/data/type.js';
import { fromHex } from '../frame.js';
import { runValueOp } from '../run-value-op.js';

/** An argument of each kind, and one that it must not be. */
const ARGS: Readonly<Record<number, readonly [good: string, bad?: string]>> = {
  [INT_ARG]: ['00', 'c0'],
  [COUNT_ARG]: ['01', 'a20361'],
  [ANY_ARG]: ['05'],
  [STORED_ARG]: ['05', 'd4ff00'],
  [LIST_ARG]: ['9105', '80'],
  [STORED_LIST_ARG]: ['9105', '05'],
  [STORED_MAP_ARG]: ['810506', '90'],
  [KEY_ARG]: ['01', '90'],
  [DELTA_ARG]: ['01', 'a20361'],
  [RETURN_ARG]: ['05', 'c3'],
};
const VALUES: Readonly<Record<number, Uint8Array>> = {
  [LIST]: fromHex('93010203'),
  [MAP]: fromHex('8301010202' + '0303'),
};

const rows = [...CDT_OPS.entries()].flatMap(([code, row]) => (row === undefined ? [] : [{ code, row }]));
const typeOf = (code: number) => (code < MAP_OP_FIRST ? LIST : MAP);
const packed = (code: number, args: readonly string[]) =>
  fromHex((0x90 | (args.length + 1)).toString(16) + code.toString(16).padStart(2, '0') + args.join(''));
const goodArgs = (params: readonly number[], count: number) =>
  params.slice(0, count).map(kind => ARGS[kind]![0]);
const codeOf = (code: number, args: readonly string[], isModify: boolean, type: number | undefined) =>
  runValueOp(
    operateCdt,
    type === undefined ? undefined : { type, bytes: VALUES[type] ?? new Uint8Array(8) },
    packed(code, args),
    isModify,
    BLOB,
  ).code;

test('every operation takes its arguments, and neither fewer nor more', t => {
  t.is(rows.length, 23 + 12 + 23 + 14);
  for (const { code, row } of rows) {
    const all = row.params.length;
    for (let count = row.required; count <= all; count++)
      t.not(
        codeOf(code, goodArgs(row.params, count), row.modifies, typeOf(code)),
        PARAMETER,
        `${row.name} ${count}`,
      );
    const fewer = goodArgs(row.params, row.required - 1);
    if (row.required > 0) t.is(codeOf(code, fewer, row.modifies, typeOf(code)), PARAMETER, row.name);
    const more = [...goodArgs(row.params, all), '00'];
    t.is(codeOf(code, more, row.modifies, typeOf(code)), PARAMETER, row.name);
  }
});

test('the form of older clients says the same: the code in two bytes, then a list of arguments if there are any', t => {
  for (const { code, row } of rows) {
    const target = { type: typeOf(code), bytes: VALUES[typeOf(code)]! };
    for (let count = 0; count <= row.params.length + 1; count++) {
      const args = [...goodArgs(row.params, count), ...(count > row.params.length ? ['01'] : [])];
      const run = (body: Uint8Array) => runValueOp(operateCdt, target, body, row.modifies, BLOB);
      const head = `00${code.toString(16).padStart(2, '0')}`;
      const list = (0x90 | args.length).toString(16) + args.join('');
      const expected = run(packed(code, args));
      t.deepEqual(run(fromHex(head + list)), expected, `${row.name} with ${count} arguments`);
      if (count === 0) t.deepEqual(run(fromHex(head)), expected, `${row.name} without a list`);
    }
  }
  const size = { type: LIST, bytes: VALUES[LIST]! };
  for (const bad of ['00', '0010c0', '001005', '0010dc', '00ff', '00ff93921000' + '9110', '0190'])
    t.is(runValueOp(operateCdt, size, fromHex(bad), false, BLOB).code, PARAMETER, bad);
});

test('an argument of another kind is refused', t => {
  for (const { code, row } of rows) {
    for (const [k, kind] of row.params.entries()) {
      const bad = ARGS[kind]![1];
      if (bad === undefined || (kind === KEY_ARG && !row.modifies)) continue;
      const args = goodArgs(row.params, Math.max(k + 1, row.required)).with(k, bad);
      // What an increment adds is only looked at where there is something to add it to.
      const expected = kind === KEY_ARG && row.name.startsWith('remove') ? OK : PARAMETER;
      t.is(codeOf(code, args, row.modifies, typeOf(code)), expected, `${row.name} ${k}`);
    }
  }
});

test('a read does not come as a change, nor a change as a read; other codes are none', t => {
  for (const { code, row } of rows)
    t.is(codeOf(code, goodArgs(row.params, row.required), !row.modifies, typeOf(code)), PARAMETER, row.name);
  for (let code = 0; code < 0x80; code++) {
    if (CDT_OPS[code] !== undefined) continue;
    for (const type of [LIST, MAP])
      for (const isModify of [false, true]) t.is(codeOf(code, [], isModify, type), PARAMETER, String(code));
  }
});

test('a value of another type is left alone', t => {
  for (const { code, row } of rows) {
    const args = goodArgs(row.params, row.required);
    for (const type of [typeOf(code) === LIST ? MAP : LIST, INTEGER])
      t.is(codeOf(code, args, row.modifies, type), INCOMPATIBLE_TYPE, row.name);
  }
});

test('without a bin some create one, and the others say nothing', t => {
  for (const { code, row } of rows) {
    const outcome = runValueOp(
      operateCdt,
      undefined,
      packed(code, goodArgs(row.params, row.required)),
      row.modifies,
      BLOB,
    );
    if (row.missing !== undefined) t.is(outcome.code, row.missing, row.name);
    else if (!row.creates) t.deepEqual(outcome, { code: OK }, row.name);
    else if (outcome.code === OK) t.is(outcome.changed?.type, typeOf(code), row.name);
    else t.true(row.name.startsWith('replace'), `${row.name} answers ${outcome.code}`);
  }
});

test.serial('no operation asks where an element before the first one lies', t => {
  const asked: number[] = [];
  const { offsetOf } = Container.prototype;
  Container.prototype.offsetOf = function (this: Container, index: number): number {
    asked.push(index);
    return offsetOf.call(this, index);
  };
  t.teardown(() => {
    Container.prototype.offsetOf = offsetOf;
  });
  for (const { code, row } of rows) {
    const body = packed(code, goodArgs(row.params, row.required));
    const type = typeOf(code);
    for (const hex of type === LIST ? ['90', '91c7000100'] : ['80', '81c7000100c0', '81c7000108c0']) {
      asked.length = 0;
      runValueOp(operateCdt, { type, bytes: fromHex(hex) }, body, row.modifies, BLOB);
      runValueOp(operateCdt, undefined, body, row.modifies, BLOB);
      t.true(
        asked.every(index => index >= 0),
        `${row.name} of ${hex} asks for ${asked}`,
      );
    }
  }
});

test('what is no list of an operation is refused', t => {
  const list = { type: LIST, bytes: VALUES[LIST]! };
  for (const body of [
    '',
    '90',
    '05',
    'c1',
    '91',
    '91a20310',
    '91ff',
    '91cf0000000000000010',
    '81' + '1000',
  ]) {
    const { code } = runValueOp(operateCdt, list, fromHex(body), false, BLOB);
    t.is(code, body === '91cf0000000000000010' ? OK : PARAMETER, body);
  }
  t.is(
    runValueOp(operateCdt, list, fromHex('911000'), false, BLOB).code,
    OK,
    'what follows is not looked at',
  );
  t.is(runValueOp(operateCdt, list, fromHex('9211ff'), false, BLOB).code, OK);
  t.is(runValueOp(operateCdt, list, fromHex('921103'), false, BLOB).code, OP_NOT_APPLICABLE);
});
