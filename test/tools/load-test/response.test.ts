import test from 'ava';
import fc from 'fast-check';
import { BROKEN, FrameCutter, INCOMPLETE, Message } from '../../../src/tools/load-test/response.js';

function frame(body: Buffer): Buffer {
  const head = Buffer.from([2, 3, 0, 0, 0, 0, 0, 0]);
  head.writeUIntBE(body.length, 2, 6);
  return Buffer.concat([head, body]);
}

test('frames come out whole, however the stream is split', t => {
  const bodies = fc.array(fc.uint8Array({ minLength: 22, maxLength: 400 }), { maxLength: 12 });
  fc.assert(
    fc.property(bodies, fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (each, cuts) => {
      const stream = Buffer.concat(each.map(body => frame(Buffer.from(body))));
      const cutter = new FrameCutter();
      const shared = Buffer.alloc(300);
      const got: string[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = stream.copy(shared, 0, at, at + cuts[i % cuts.length]!);
        at += size;
        cutter.add(shared, size);
        for (let bodyAt = cutter.next(); bodyAt !== INCOMPLETE; bodyAt = cutter.next()) {
          got.push(cutter.bytes.toString('hex', bodyAt, cutter.bodyEnd));
        }
        cutter.keep();
        shared.fill(0xee); // the next read would overwrite it
      }
      t.deepEqual(
        got,
        each.map(body => Buffer.from(body).toString('hex')),
      );
      t.true(cutter.isEmpty);
    }),
  );
});

for (const [what, head] of [
  ['another version', '0303000000000016'],
  ['another type', '0201000000000016'],
  ['a size below the header', '0203000000000015'],
  ['a size above 128 MiB', '0203000008000001'],
] as const) {
  test(`${what} is no frame`, t => {
    const cutter = new FrameCutter();
    const bytes = Buffer.concat([Buffer.from(head, 'hex'), Buffer.alloc(30, 22)]);
    cutter.add(bytes, bytes.length);
    t.is(cutter.next(), BROKEN);
  });
}

test('a message gives its code, row, operations and end', t => {
  const op = Buffer.from('0000000d0101000161' + '0000000000000007', 'hex');
  const head = Buffer.from('16000001000200000001000000000000000900010001', 'hex');
  const field = Buffer.from('0000000205aa', 'hex');
  const bytes = Buffer.concat([head, field, op]);
  const message = new Message();
  t.is(message.read(bytes, 0, bytes.length), bytes.length);
  t.true(message.isLast);
  t.is(message.resultCode, 2);
  t.is(message.index, 9);
  t.is(message.opCount, 1);
  t.is(message.opsAt, head.length + field.length);
  for (let end = 0; end < bytes.length; end++) t.is(message.read(bytes.subarray(0, end), 0, end), BROKEN);
});
