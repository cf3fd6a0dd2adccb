import test from 'ava';
import fc from 'fast-check';
import type { SettingRow } from '../../src/config/schema.js';
import {
  boolean,
  choice,
  integer,
  list,
  milliseconds,
  orZero,
  seconds,
  size,
  text,
} from '../../src/config/schema.js';
import { describeAccepted, formatValue, parseValue } from '../../src/config/setting-value.js';
import { CONTEXT_TABLES } from '../../src/config/settings.js';

const WIDE = [0, Number.MAX_SAFE_INTEGER] as const;
const TESTED = {
  integer: integer('n', 1, [-1, 100], 'static honoured', ''),
  size: size('s', 0, WIDE, 'static honoured', ''),
  seconds: seconds('t', 0, WIDE, 'static honoured', ''),
  milliseconds: milliseconds('m', 0, WIDE, 'static honoured', ''),
  boolean: boolean('b', false, 'static honoured', ''),
  choice: choice('c', ['none', 'cpu'], 'static honoured', ''),
  text: text('x', '', 'static honoured', ''),
  paths: list('p', 'paths', [], 'static honoured', ''),
  addresses: list('a', 'addresses', [], 'static honoured', ''),
  endpoints: list('e', 'endpoints', [], 'static honoured', ''),
};

function read(row: SettingRow, written: string): unknown {
  const parsed = parseValue(row, written);
  return 'reason' in parsed ? undefined : parsed.value;
}

test('sizes take K M G T P in either case, as powers of 1024', t => {
  const expected = {
    7: 7,
    '1K': 1024,
    '4k': 4096,
    '3M': 3 * 1024 ** 2,
    '4G': 4 * 1024 ** 3,
    '2T': 2 * 1024 ** 4,
    '1P': 1024 ** 5,
  };
  for (const [written, value] of Object.entries(expected)) t.is(read(TESTED.size, written), value, written);
  for (const written of ['4X', '4GB', 'G', '1.5G', '-1K', '4 G', '9999999P', '1s'])
    t.is(read(TESTED.size, written), undefined, written);
});

test('seconds take s m h d, milliseconds take ms too', t => {
  const sec = { 90: 90, '5s': 5, '2m': 120, '3H': 10_800, '30D': 2_592_000 };
  for (const [written, value] of Object.entries(sec)) t.is(read(TESTED.seconds, written), value, written);
  const ms = { 90: 90, '5ms': 5, '5s': 5000, '2m': 120_000, '1h': 3_600_000, '1d': 86_400_000 };
  for (const [written, value] of Object.entries(ms)) t.is(read(TESTED.milliseconds, written), value, written);
  t.is(read(TESTED.seconds, '5ms'), undefined);
  t.is(read(TESTED.seconds, '5K'), undefined);
});

test('integers take no suffix and keep their range', t => {
  t.is(read(TESTED.integer, '-1'), -1);
  t.is(read(TESTED.integer, '100'), 100);
  for (const written of ['-2', '101', '1K', '1.0', 'one', '0x10', '1e2'])
    t.is(read(TESTED.integer, written), undefined, written);
});

test('0 is accepted below the range only where the row says so', t => {
  const port = integer('port', 0, [1024, 65_535], 'static honoured', '');
  t.is(read(port, '0'), undefined);
  t.is(read(orZero(port), '0'), 0);
  t.is(read(orZero(port), '80'), undefined);
  t.is(describeAccepted(orZero(port)), '0, or a whole number from 1024 to 65535');
});

test('booleans are true, false, yes or no in any case', t => {
  t.deepEqual(
    ['true', 'YES', 'False', 'no', '1', 'on', 'constructor'].map(word => read(TESTED.boolean, word)),
    [true, true, false, false, undefined, undefined, undefined],
  );
});

test('choices name their values, and unknown ones are refused with them', t => {
  t.is(read(TESTED.choice, 'CPU'), 'cpu');
  t.deepEqual(parseValue(TESTED.choice, 'gpu'), { reason: "'gpu' is not accepted; accepted: none, cpu" });
});

test('addresses are any, IPv4, IPv6 or host names', t => {
  for (const written of ['any', '127.0.0.1', '::1', 'fe80::1%eth0', 'db1.example.com', 'localhost']) {
    t.deepEqual(read(TESTED.addresses, written), [written]);
  }
  for (const written of ['1.2.3', '300.1.1.1', 'a b', '-x', 'a;b', '1.2.3.4:3000']) {
    t.is(read(TESTED.addresses, written), undefined, written);
  }
});

test('endpoints are a host and a port', t => {
  t.deepEqual(read(TESTED.endpoints, '10.0.0.1 3002'), ['10.0.0.1 3002']);
  for (const written of ['10.0.0.1', '10.0.0.1 0', '10.0.0.1 70000', 'h 1 2', '10.0.0.1:3002']) {
    t.is(read(TESTED.endpoints, written), undefined, written);
  }
});

test('a path has no blanks, and may have that of a shadow behind it', t => {
  t.deepEqual(read(TESTED.paths, '/data/a.dat'), ['/data/a.dat']);
  t.deepEqual(read(TESTED.paths, '/data/a.dat \t/data/shadow.dat'), ['/data/a.dat /data/shadow.dat']);
  t.is(read(TESTED.paths, '/data/a.dat /data/shadow.dat /data/third.dat'), undefined);
});

test('a setting without a value is refused, whatever its type', t => {
  for (const row of Object.values(TESTED)) t.is(read(row, ''), undefined, row.type);
});

test('no text makes a reader throw, and what is accepted prints as text that gives the same value', t => {
  const rows = Object.values(TESTED).filter(row => row.type !== 'text');
  const words = fc.oneof(fc.string(), fc.integer().map(String), fc.stringMatching(/^\d{1,6}[a-zA-Z]{0,2}$/));
  fc.assert(
    fc.property(fc.constantFrom(...rows), words, (row, written) => {
      const value = read(row, written);
      if (value !== undefined) t.deepEqual(read(row, formatValue(value as string)), value);
    }),
  );
});

for (const [context, rows] of Object.entries(CONTEXT_TABLES)) {
  test(`${context}: each row's default and bounds are values of it, and its help is one line`, t => {
    t.is(new Set(rows.map(row => row.name)).size, rows.length, 'a name stands twice');
    for (const row of rows) {
      t.regex(row.help, /^\S[^\n]*\S$/, row.name);
      if (row.accepts.length > 0) t.true(row.accepts.includes(row.default), row.name);
      if (typeof row.default === 'object') {
        for (const element of row.default) t.deepEqual(read(row, element), [element], row.name);
      } else if (row.default !== '') {
        t.is(read(row, formatValue(row.default)), row.default, row.name);
      }
      if (typeof row.default === 'number') {
        t.is(read(row, String(row.min)), row.min, row.name);
        t.is(read(row, String(row.max)), row.max, row.name);
        if (row.max < Number.MAX_SAFE_INTEGER) t.is(read(row, String(row.max + 1)), undefined, row.name);
      }
    }
  });
}
