/** Contexts: where they lead, what they create, how a changed container is put back. Source: protocol 13. */
import test from 'ava';
import {
  INCOMPATIBLE_TYPE,
  OK,
  OP_NOT_APPLICABLE,
  PARAMETER,
  RECORD_TOO_BIG,
} from '../../../src/base/result.js';
import { operateCdt } from '../../../src/data/cdt/operate.js';
import { checkWrite, writeStored } from '../../../src/data/particle.js';
import { BLOB, INTEGER, LIST, MAP } from '../../../src/data/type.js';
import { fromHex } from '../frame.js';
import { runValueOp } from '../run-value-op.js';

/** The value with this packed form, as it is stored; its type is told by its first byte. */
function stored(text: string) {
  const bytes = fromHex(text.replaceAll(' ', ''));
  const first = bytes[0]!;
  const type = (first & 0xf0) === 0x80 || first === 0xde ? MAP : LIST;
  const out = new Uint8Array(checkWrite(type, bytes, 0, bytes.length));
  writeStored(type, bytes, 0, bytes.length, out, 0);
  return { type, bytes: out };
}

function run(target: string | undefined, body: string, isModify: boolean) {
  const value = target === undefined ? undefined : stored(target);
  return runValueOp(operateCdt, value, fromHex(body.replaceAll(' ', '')), isModify, BLOB);
}

/** What a read answers, as type and hex, or its code. */
function read(target: string | undefined, body: string) {
  const { code, result } = run(target, body, false);
  return code !== OK ? code : result === undefined ? 'nothing' : `${result.type} ${result.hex}`;
}

/** The value after a change, as hex, or the code. */
function change(target: string | undefined, body: string) {
  const { code, changed } = run(target, body, true);
  return code !== OK ? code : (changed?.hex ?? 'unchanged');
}

const compact = (text: string) => text.replaceAll(' ', '');
const APPEND_5 = '92 01 05';
const SIZE = '91 10';
const GET_0 = '92 11 00';
/** `[0xff, context, call]` */
const nested = (context: string, call: string) => `93 cc ff ${context} ${call}`;
const int = (value: string) => `${INTEGER} ${value.padStart(16, '0')}`;

test('an item picks by index, rank, key or value, in lists and maps', t => {
  const list = '94 91 07 91 03 05 91 05'; // [[7], [3], 5, [5]]
  for (const [item, first] of [
    ['10 00', '7'],
    ['10 01', '3'],
    ['10 ff', '5'],
    ['00 fd', '3'],
    ['11 01', '3'], // 5 is below all lists
    ['11 ff', '7'],
    ['01 02', '5'],
    ['13 91 05', '5'],
    ['03 91 03', '3'],
  ] as const)
    t.is(read(list, nested(`92 ${item}`, GET_0)), int(first), item);
  const map = '83 01 91 09 02 91 04 a2 03 61 91 06'; // {1: [9], 2: [4], "a": [6]}
  for (const [item, first] of [
    ['20 00', '9'],
    ['20 ff', '6'],
    ['00 01', '4'],
    ['21 00', '4'],
    ['21 ff', '9'],
    ['22 02', '4'],
    ['22 a2 03 61', '6'],
    ['02 01', '9'],
    ['23 91 06', '6'],
  ] as const)
    t.is(read(map, nested(`92 ${item}`, GET_0)), int(first), item);
});

test('of equal elements a rank picks the one that a read by rank gives', t => {
  const list = '96 90 91 07 90 91 07 90 91 07'; // [[], [7], [], [7], [], [7]]
  const indexByRank = (rank: string) => String(read(list, `93 15 01 ${rank}`));
  const indexPicked = (rank: string) => {
    const index = (change(list, nested(`92 11 ${rank}`, APPEND_5)) as string)
      .slice(2)
      .match(/(90|9[12](07)?(05)?)/g)!
      .findIndex(element => element.endsWith('05'));
    return int(`${index}`);
  };
  for (const rank of ['00', '01', '02', '03', '04', '05', 'ff'])
    t.is(indexPicked(rank), indexByRank(rank), rank);
});

test('what an item does not find, or cannot look for, is not applicable', t => {
  const list = '92 91 07 05';
  for (const item of [
    ...['10 02', '10 fd', '11 02', '13 91 08', '12 00', '02 00', '22 00', '20 00', '14 00'],
    ...['30 00', '04 c3', '1a 90', '18 00', '50 05', 'ff 00', 'cd 02 10 00'],
  ])
    t.is(read(list, nested(`92 ${item}`, SIZE)), OP_NOT_APPLICABLE, item);
  t.is(read(list, nested('94 10 01 10 00', SIZE)), OP_NOT_APPLICABLE, 'a scalar on the way');
  t.is(read(list, nested('94 10 00 cd 01 10 00', SIZE)), OP_NOT_APPLICABLE, '0x100 after the first item');
  t.is(read('81 01 90', nested('92 22 02', SIZE)), OP_NOT_APPLICABLE);
  t.is(read('81 01 90', nested('92 10 00', SIZE)), OP_NOT_APPLICABLE);
});

test('a context that is none is a parameter error', t => {
  const list = '91 91 07';
  for (const body of [
    nested('90', SIZE),
    nested('91 10', SIZE),
    nested('93 10 00 10', SIZE),
    nested('92 a2 03 61 00', SIZE),
    nested('92 10 a2 03 61', SIZE),
    nested('80', SIZE),
    nested('92 10 00', '90'),
    nested('92 10 00', '10'),
    nested('92 10 00', nested('92 10 00', SIZE)),
    nested('92 10 00', '93 cc fe 92 04 c3 00'),
    nested('92 10 00', '92 10 00'),
    `92 cc ff 92 10 00`,
    `94 cc ff 92 10 00 ${SIZE} 00`,
    '93 cc ff 92 10',
    '93 cc fe 92 04 c3 00',
  ])
    t.is(read(list, body), PARAMETER, body);
});

test('the element that is found has to be of the kind that the operation works on', t => {
  t.is(read('92 05 80', nested('92 10 00', SIZE)), INCOMPATIBLE_TYPE);
  t.is(read('92 05 80', nested('92 10 01', SIZE)), INCOMPATIBLE_TYPE);
  t.is(read('92 05 80', nested('92 10 01', '91 60')), int('0'));
  const integer = { type: INTEGER, bytes: new Uint8Array(8) };
  t.is(
    runValueOp(operateCdt, integer, fromHex(compact(nested('92 10 00', SIZE))), false, BLOB).code,
    PARAMETER,
  );
});

test('without a bin a read says nothing, and a change that creates nothing is not applicable', t => {
  t.is(read(undefined, nested('92 10 00', SIZE)), 'nothing');
  t.is(change(undefined, nested('92 10 00', APPEND_5)), OP_NOT_APPLICABLE);
  t.is(change(undefined, nested('92 10 00', '91 0b')), OP_NOT_APPLICABLE);
});

test('a changed container stands where the old one stood', t => {
  // [1, {"a": [1]}, 9]: a captured request that appends 5 under index 1 and key "a"
  t.is(
    change('93 01 81 a2 03 61 91 01 09', nested('94 10 01 22 a2 03 61', APPEND_5)),
    compact('93 01 81 a2 03 61 92 01 05 09'),
  );
  t.is(change('82 01 91 02 03 04', nested('92 20 00', '91 0b')), compact('82 01 90 03 04'));
  t.is(change('92 91 02 04', nested('92 10 00', '93 07 00 00')), PARAMETER);
  t.is(change('92 91 02 04', nested('92 10 00', '92 07 05')), OP_NOT_APPLICABLE);
});

test('headers grow with what is in them', t => {
  const fifteen = `9f ${'01 '.repeat(15)}`;
  t.is(change(`91 ${fifteen}`, nested('92 10 00', APPEND_5)), compact(`91 dc 00 10 ${'01'.repeat(15)} 05`));
  const text = `a2 03 61`;
  const pairs = Array.from({ length: 15 }, (_, k) => `${(k + 1).toString(16).padStart(2, '0')} 00`).join(' ');
  t.is(change(`8f ${pairs}`, nested(`92 62 ${text}`, APPEND_5)), compact(`de 00 10 ${pairs} ${text} 91 05`));
});

test('ordered lists on the way are put in order again', t => {
  // ordered [[1], [3], [5]]
  const list = '94 c7 00 01 91 01 91 03 91 05';
  t.is(change(list, nested('92 10 00', '93 09 00 04')), compact('94 c7 00 01 91 03 91 04 91 05'));
  t.is(change(list, nested('92 10 02', '93 09 00 02')), compact('94 c7 00 01 91 01 91 02 91 03'));
  t.is(change(list, nested('92 10 01', '93 09 00 04')), compact('94 c7 00 01 91 01 91 04 91 05'));
  t.is(change(list, nested('92 10 02', '93 09 00 00')), compact('94 c7 00 01 91 00 91 01 91 03'));
  // two ordered lists, one in the other: both move
  const deep = '93 c7 00 01 93 c7 00 01 91 01 91 02 93 c7 00 01 91 03 91 04';
  t.is(
    change(deep, nested('94 10 00 10 00', '93 09 00 09')),
    compact('93 c7 00 01 93 c7 00 01 91 02 91 09 93 c7 00 01 91 03 91 04'),
  );
  t.is(
    change(deep, nested('94 10 01 10 01', '93 09 00 00')),
    compact('93 c7 00 01 93 c7 00 01 91 00 91 03 93 c7 00 01 91 01 91 02'),
  );
});

test('missing levels are made from where the way ends', t => {
  // the worked example: maps.put("k", 1) under [mapKeyCreate x K, listIndexCreate 0 pad] without a bin
  t.is(
    change(undefined, nested('94 cc a2 a2 03 78 cc 90 00', '94 43 a2 03 6b 01 00')),
    compact('82 c7 00 01 c0 a2 03 78 91 81 a2 03 6b 01'),
  );
  // lists.create, ordered, under key x
  t.is(
    change(undefined, nested('92 cc e2 a2 03 78', '92 00 01')),
    compact('82 c7 00 03 c0 a2 03 78 91 c7 00 01'),
  );
  t.is(change('82 01 02 05 06', nested('92 62 03', APPEND_5)), compact('83 01 02 03 91 05 05 06'));
  t.is(change('91 90', nested('94 10 00 62 03', APPEND_5)), OP_NOT_APPLICABLE);
  t.is(change('91 80', nested('96 10 00 62 03 10 00', APPEND_5)), compact('91 81 03 91 91 05'));
  t.is(read('91 80', nested('94 10 00 62 03', SIZE)), OP_NOT_APPLICABLE);
});

test('an operation that creates nothing leaves missing levels missing', t => {
  t.is(change('80', nested('92 62 03', '92 07 00')), 'unchanged');
  t.is(change(undefined, nested('92 62 03', '92 07 00')), 'unchanged');
  t.is(change('80', nested('92 62 03', '91 0d')), 'unchanged');
  t.is(change(undefined, nested('92 62 03', '91 0d')), INCOMPATIBLE_TYPE, 'a sort wants a list');
});

test('a list gets a new element at its end, further on with padding, in its place when it is ordered', t => {
  t.is(change('91 07', nested('92 50 01', APPEND_5)), compact('92 07 91 05'));
  t.is(change('91 07', nested('92 50 02', APPEND_5)), OP_NOT_APPLICABLE);
  t.is(change('91 07', nested('92 cc 90 03', APPEND_5)), compact('94 07 c0 c0 91 05'));
  t.is(change('91 07', nested('92 cc 90 fe', APPEND_5)), OP_NOT_APPLICABLE);
  t.is(change('90', nested('92 50 ff', APPEND_5)), compact('91 91 05'));
  t.is(
    change('93 c7 00 01 07 81 01 02', nested('92 cc d0 08', APPEND_5)),
    compact('94 c7 00 01 07 91 05 81 01 02'),
  );
  t.is(change(undefined, nested('92 50 01', APPEND_5)), OP_NOT_APPLICABLE);
  t.is(change(undefined, nested('92 cc 90 02', APPEND_5)), compact('93 c0 c0 91 05'));
  t.is(change(undefined, nested('92 cc d0 07', APPEND_5)), compact('92 c7 00 01 91 05'));
  t.is(change(undefined, nested('92 cc d0 fe', APPEND_5)), OP_NOT_APPLICABLE);
  t.is(change(undefined, nested('92 cc 90 ce 7f ff ff ff', APPEND_5)), RECORD_TOO_BIG);
});

test('only an index in a list and a key in a map can be made', t => {
  for (const item of ['51 00', '53 05', '61 00', '60 00', '63 05', '40 00', '42 00'])
    t.is(change(undefined, nested(`92 ${item}`, APPEND_5)), OP_NOT_APPLICABLE, item);
  t.is(change(undefined, nested('94 62 01 11 00', APPEND_5)), OP_NOT_APPLICABLE);
  t.is(
    change(undefined, nested('92 62 d4 ff 00', APPEND_5)),
    OP_NOT_APPLICABLE,
    'a key that cannot be stored',
  );
});

test('an index is persisted at the top alone', t => {
  // 0x100: the map that is made keeps its index; it has one pair, which needs no table
  t.is(change(undefined, nested('92 cd 01 a2 01', APPEND_5)), compact('82 c7 00 11 c0 01 91 05'));
  // a second pair: the table holds where it starts
  const { changed } = run('82 c7 00 11 c0 01 91 05', nested('92 62 02', APPEND_5), true);
  t.is(changed?.hex, compact('83 c7 01 11 03 c0 01 91 05 02 91 05'));
  const again = run('83 c7 00 11 c0 01 91 05 02 91 05', nested('92 22 01', APPEND_5), true);
  t.is(again.changed?.hex, compact('83 c7 01 11 04 c0 01 92 05 05 02 91 05'));
});

test('contexts and values are bounded in depth', t => {
  const deep = (levels: number) => `${'91'.repeat(levels)} 01`;
  const items = (count: number) => `dc ${(count * 2).toString(16).padStart(4, '0')} ${'10 00'.repeat(count)}`;
  t.is(read(deep(200), nested(items(199), GET_0)), int('1'));
  t.is(read(deep(200), nested(items(200), SIZE)), INCOMPATIBLE_TYPE);
  t.is(read(deep(200), nested(items(300), SIZE)), OP_NOT_APPLICABLE);
  t.is(change(deep(256), nested(items(255), APPEND_5)), compact(`${'91'.repeat(255)} 92 01 05`));
  t.is(change(deep(256), nested(items(255), '92 01 90')), PARAMETER);
  t.is(change(deep(250), `92 01 ${deep(255)}`), compact(`92 ${deep(249)} ${deep(255)}`));
  t.is(change(deep(250), `92 01 ${deep(256)}`), PARAMETER);
  const created = `dc 0200 ${'50 00'.repeat(256)}`;
  t.is(change(undefined, nested(created, APPEND_5)), PARAMETER);
});
