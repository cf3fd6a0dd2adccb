import test from 'ava';
import { ObjectSpec, parseObjectSpec } from '../../../src/tools/load-test/object-spec.js';
import { RequestWriter } from '../../../src/tools/load-test/request.js';

const spec = new ObjectSpec(parseObjectSpec('I8', 'a'));

// Source: protocol 01, section 9, the table of digests.
test('the digest of set demo, key 42 is the one that clients compute', t => {
  const out = Buffer.alloc(20);
  new RequestWriter('test', 'demo', spec, 0).digest(42, out, 0);
  t.is(out.toString('hex'), 'cf5a1365effa4dc53333f2166d103358f8711096');
});

test('a get is the message that protocol 01 describes', t => {
  const writer = new RequestWriter('test', 'demo', spec, 1000);
  const out = Buffer.alloc(writer.sizeMax(0), 0xff);
  const size = writer.get(out, 42);
  t.is(
    out.toString('hex', 0, size),
    '0203000000000041' + // frame, 65 bytes
      '160300000000' + // header size, info1 READ | GET_ALL
      '0000000000000000000003e8' + // generation, ttl, timeout 1000 ms
      '00030000' + // three fields, no operation
      '000000050074657374' + // namespace
      '000000050164656d6f' + // set
      '0000001504cf5a1365effa4dc53333f2166d103358f8711096',
  );
});

test('a put carries one WRITE operation a bin', t => {
  const writer = new RequestWriter('test', 'demo', spec, 0);
  const out = Buffer.alloc(writer.sizeMax(0), 0xff);
  const size = writer.put(out, 42, 7);
  t.is(out.readUIntBE(2, 6), size - 8);
  t.is(out.readUInt16BE(8 + 20), 1);
  t.is(out[8 + 2], 1);
  const opAt = size - 17;
  t.is(out.toString('hex', opAt, opAt + 9), '0000000d0201000161');
  t.true(spec.checkOps(out, opAt, 1, 42));
});

test('a batch has a full row first and repeats of 25 bytes behind it', t => {
  const writer = new RequestWriter('test', 'demo', spec, 0);
  const out = Buffer.alloc(writer.sizeMax(3), 0xff);
  const size = writer.batchGet(out, Float64Array.of(42, 43, 42));
  const bodySize = out.readUIntBE(2, 6);
  t.is(bodySize, size - 8);
  t.is(out[9], 1 | 8);
  t.is(out.readUInt32BE(30), size - 34);
  t.is(out[34], 41);
  t.is(out.readUInt32BE(35), 3);
  const firstRow =
    `00000000cf5a1365effa4dc53333f2166d103358f8711096` +
    '0003' +
    '00020000' +
    '000000050074657374000000050164656d6f';
  t.is(out.toString('hex', 40, 40 + firstRow.length / 2), firstRow);
  t.is(out.toString('hex', size - 25, size), '00000002cf5a1365effa4dc53333f2166d103358f871109601');
});
