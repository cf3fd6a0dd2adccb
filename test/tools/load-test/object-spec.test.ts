import test from 'ava';
import fc from 'fast-check';
import { ObjectSpec, parseObjectSpec } from '../../../src/tools/load-test/object-spec.js';

const KEY = fc.integer({ min: 0, max: 2 ** 48 });
const NONCE = fc.integer({ min: 0, max: 65_535 });
const BIN = fc.oneof(
  fc.integer({ min: 1, max: 8 }).map(size => `I${size}`),
  fc.tuple(fc.constantFrom('B', 'S'), fc.nat(300), fc.nat(300)).map(([kind, a, b]) => `${kind}${a}-${a + b}`),
);
const SPEC = fc.array(BIN, { minLength: 1, maxLength: 5 }).map(bins => bins.join(','));

test('a spec names its bins, kinds and sizes', t => {
  t.deepEqual(parseObjectSpec('I8,B100,[B:10-2000],S:5', 'a'), [
    { name: 'a', kind: 'I', sizeMin: 8, sizeMax: 8 },
    { name: 'a_2', kind: 'B', sizeMin: 100, sizeMax: 100 },
    { name: 'a_3', kind: 'B', sizeMin: 10, sizeMax: 2000 },
    { name: 'a_4', kind: 'S', sizeMin: 5, sizeMax: 5 },
  ]);
});

for (const text of [
  '',
  'X4',
  'I0',
  'I9',
  'I1-2',
  'B',
  'B20-10',
  '[B10',
  'B9999999',
  'B1,',
  Array(31).fill('I1').join(),
]) {
  test(`the spec '${text.slice(0, 12)}' is refused`, t => {
    t.throws(() => parseObjectSpec(text), { name: 'ObjectSpecError' });
  });
}

test('a bin name longer than 15 bytes is refused', t => {
  t.throws(() => parseObjectSpec('I1', 'abcdefghijklmnop'), { message: /15 bytes/ });
  t.throws(() => parseObjectSpec('I1,I1', 'abcdefghijklmno'), { message: /abcdefghijklmno_2/ });
});

test('every value that is written is recognised for its key', t => {
  fc.assert(
    fc.property(SPEC, KEY, NONCE, (text, key, nonce) => {
      const { spec, bytes, end } = write(text, key, nonce);
      return end <= spec.opsSizeMax && spec.checkOps(bytes, 0, spec.binCount, key);
    }),
  );
  t.pass();
});

test('a value of another key, another bin count or with a changed byte is not', t => {
  const sized = fc.constantFrom('B16-200', 'S16-200', 'I8', 'I3,B40,S40');
  fc.assert(
    fc.property(sized, KEY, NONCE, fc.nat(), (text, key, nonce, where) => {
      const { spec, bytes, end } = write(text, key, nonce);
      if (spec.checkOps(bytes, 0, spec.binCount - 1, key)) return false;
      if (text !== 'I8' && spec.checkOps(bytes, 0, spec.binCount, key + 1)) return false;
      // the last byte of the record always lies in a value, behind its nonce except in an integer
      const at = end - 1 - (text === 'I8' ? 4 + (where % 4) : where % 8);
      bytes[at] = bytes[at]! ^ (1 + (where % 255));
      return !spec.checkOps(bytes, 0, spec.binCount, key);
    }),
  );
  t.pass();
});

test('sizes spread over the whole range', t => {
  const spec = new ObjectSpec(parseObjectSpec('B10-2000'));
  const bytes = Buffer.alloc(spec.opsSizeMax);
  const sizes = Array.from(
    { length: 5000 },
    (_, key) => spec.writeOps(bytes, 0, key, key & 7) - 8 - 'testbin'.length,
  );
  t.true(Math.min(...sizes) >= 10 && Math.min(...sizes) < 20);
  t.true(Math.max(...sizes) <= 2000 && Math.max(...sizes) > 1990);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  t.true(Math.abs(mean - 1005) < 30, `mean ${mean}`);
});

test('strings hold printable characters only', t => {
  const { bytes } = write('S200', 77, 4095);
  t.regex(bytes.toString('latin1', 8 + 'testbin'.length, 8 + 'testbin'.length + 200), /^[\w-]{200}$/);
});

function write(text: string, key: number, nonce: number) {
  const spec = new ObjectSpec(parseObjectSpec(text));
  const bytes = Buffer.alloc(spec.opsSizeMax);
  const end = spec.writeOps(bytes, 0, key, nonce);
  return { spec, bytes, end };
}
