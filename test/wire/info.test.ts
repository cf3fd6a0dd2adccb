import test from 'ava';
import fc from 'fast-check';
import {
  buildInfoResponse,
  INFO_LINE_COUNT_MAX,
  InfoParams,
  infoError,
  parseInfoRequest,
} from '../../src/wire/info.js';

const bytes = (text: string) => Buffer.from(text, 'utf8');
const parse = (text: string) => parseInfoRequest(bytes(text))!.map(({ name, args }) => [name, args]);

test('a request is cut into names and arguments', t => {
  t.deepEqual(parse('node\nsets/test/load\nlatencies:hist={test}-read\nudf-list;\nstatistics/\n'), [
    ['node', ''],
    ['sets', 'test/load'],
    ['latencies', 'hist={test}-read'],
    ['udf-list', ''],
    ['statistics', ''],
  ]);
});

test('the last line feed may be missing, and empty lines are no commands', t => {
  t.deepEqual(parse('node\nbuild'), [
    ['node', ''],
    ['build', ''],
  ]);
  t.deepEqual(parse('\n\nnode\n\n'), [['node', '']]);
  t.deepEqual(parse(''), []);
});

test('the captured request gives the captured response', t => {
  const lines = parseInfoRequest(bytes('node\npartition-generation\nbuild\n'))!;
  const body = buildInfoResponse(lines, ['BB9000000000001', '1', '8.1.2.0']);
  t.is(Buffer.from(body).toString(), 'node\tBB9000000000001\npartition-generation\t1\nbuild\t8.1.2.0\n');
});

test('lines come back byte for byte, whatever they are', t =>
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
      fc.boolean(),
      (rows, isEnded) => {
        const wanted = rows.map(row => row.filter(byte => byte !== 0x0a)).filter(row => row.length > 0);
        const parts = wanted.flatMap(row => [...row, 0x0a]);
        const request = Uint8Array.from(isEnded || parts.length === 0 ? parts : parts.slice(0, -1));
        const lines = parseInfoRequest(request)!;
        t.deepEqual(
          lines.map(line => [...line.bytes]),
          wanted.map(row => [...row]),
        );
        const body = buildInfoResponse(
          lines,
          lines.map(() => 'ok'),
        );
        const want = wanted.flatMap(row => [...row, 0x09, 0x6f, 0x6b, 0x0a]);
        t.deepEqual([...body], want);
      },
    ),
  ));

test('a response holds text of any script, and an answer cannot forge a line', t => {
  const lines = parseInfoRequest(bytes('sets\nnode\n'))!;
  const body = buildInfoResponse(lines, ['set=né\nnode\tX', 'A1']);
  t.is(Buffer.from(body).toString('utf8'), 'sets\tset=né node\tX\nnode\tA1\n');
});

test('a request with too many commands is not cut at all', t => {
  t.is(parseInfoRequest(bytes('node\n'.repeat(INFO_LINE_COUNT_MAX)))?.length, INFO_LINE_COUNT_MAX);
  t.is(parseInfoRequest(bytes('node\n'.repeat(INFO_LINE_COUNT_MAX + 1))), undefined);
});

test('parameters may contain = and :, and a trailing ; is nothing', t => {
  const params = new InfoParams('context=namespace;exp=kxGRAgA=;ctx=a:b;flag;context=other;');
  t.is(params.get('context'), 'namespace');
  t.is(params.get('exp'), 'kxGRAgA=');
  t.is(params.get('ctx'), 'a:b');
  t.is(params.get('flag'), '');
  t.is(params.get('none'), undefined);
  t.is([...params.entries()].length, 4);
});

test('an unknown error prints no code', t => {
  t.is(infoError(4, "missing 'set'"), "ERROR:4:missing 'set'");
  t.is(infoError(1, 'bad-id'), 'ERROR::bad-id');
});
