/**
 * The figures of a namespace on a file say what was done: known amounts are written, read, deleted and found again,
 * and `namespace/test`, the log and the metrics have to agree with that.
 */
import test from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { DELETE, digestOf, GET, put, type Row, write } from '../support/wire-client.js';

const KEYS = 300;
const VALUE_SIZE = 5000; // bytes
const RECORD_ALIGN = 16;

type Figures = Map<string, string>;

async function figuresOf(server: TestServer): Promise<Figures> {
  const pairs = (await server.info('namespace/test')).split(';').map(pair => pair.split('=', 2));
  return new Map(pairs as [string, string][]);
}

const number = (figures: Figures, name: string): number => Number(figures.get(name));

async function forAll(server: TestServer, rowOf: (key: number) => Omit<Row, 'index'>): Promise<void> {
  const client = await server.connect();
  for (let at = 0; at < KEYS; at += 100) {
    const rows = Array.from({ length: 100 }, (_, index) => ({ ...rowOf(at + index), index }));
    await client.batch(rows);
  }
  client.close();
}

const putOf = (key: number): Omit<Row, 'index'> => ({
  ...put(write('b', Buffer.alloc(VALUE_SIZE, key))),
  digest: digestOf(key),
});

test('figures of a device say what was written, read and deleted', async t => {
  const server = await TestServer.start(t, {
    service: ['ticker-interval 1', 'http-address 127.0.0.1'],
    namespaces: [
      {
        name: 'test',
        storage: `storage-engine device {
          file DIRECTORY/test.dat
          filesize 256M
          flush-max-ms 50
          post-write-cache 0
        }`,
      },
    ],
  });
  const file = (name: string): string => `storage-engine.file[0].${name}`;
  const empty = await figuresOf(server);
  t.is(number(empty, 'data_used_bytes'), 0);
  t.is(number(empty, 'client_written_bytes'), 0);
  t.is(empty.get('write_amplification'), '0.000');

  await forAll(server, putOf);
  await server.flushed();
  const written = await figuresOf(server);
  const used = number(written, 'data_used_bytes');
  const size = used / KEYS;
  t.true(size > VALUE_SIZE && size < VALUE_SIZE + 200 && size % RECORD_ALIGN === 0, `${size} bytes a record`);
  t.is(number(written, 'objects'), KEYS);
  t.is(number(written, file('used_bytes')), used);
  t.is(number(written, 'client_written_bytes'), used, 'every record once');
  const deviceBytes = number(written, 'device_written_bytes');
  t.true(deviceBytes >= used && deviceBytes % 4096 === 0, `${deviceBytes} bytes to the device`);
  t.is(written.get('write_amplification'), (deviceBytes / used).toFixed(3));
  t.true(number(written, file('writes')) + number(written, file('partial_writes')) > 0);
  t.is(number(written, file('write_q')), 0);
  t.is(number(written, 'client_write_success') + number(written, 'batch_sub_write_success'), KEYS);

  await forAll(server, putOf);
  const rewritten = await figuresOf(server);
  t.is(number(rewritten, 'client_written_bytes'), 2 * used);
  t.is(number(rewritten, 'data_used_bytes'), used);

  await forAll(server, key =>
    key < KEYS / 2 ? { ...DELETE, digest: digestOf(key) } : { ...GET, digest: digestOf(key) },
  );
  const halved = await figuresOf(server);
  t.is(number(halved, 'data_used_bytes'), used / 2);
  t.is(number(halved, 'objects'), KEYS / 2);
  t.is(number(halved, 'batch_sub_delete_success'), KEYS / 2);
  t.is(number(halved, 'batch_sub_read_success'), KEYS / 2);

  await server.stop();
  await server.run();
  const found = await figuresOf(server);
  t.is(number(found, 'data_used_bytes'), used / 2);
  t.is(number(found, 'objects'), KEYS / 2);
  t.is(number(found, file('used_bytes')), used / 2);
  t.is(number(found, 'client_written_bytes'), 0, 'counted since the start');
  t.regex(found.get('start_kind')!, /^(cold|checkpoint)$/);

  await forAll(server, key => ({ ...GET, digest: digestOf(key) }));
  const read = await figuresOf(server);
  t.is(number(read, 'batch_sub_read_success'), KEYS / 2);
  t.is(number(read, 'batch_sub_read_not_found'), KEYS / 2);
  t.is(number(read, file('read_errors')), 0);
  t.is(number(read, file('write_errors')), 0);
  t.true(number(read, file('late_writes')) >= 0, 'more than none on a busy machine');
  t.is(number(read, file('checksum_errors')), 0);

  const lines = [
    `\\{test\\} \\S+/test\\.dat: used-bytes ${used / 2} free-wblocks \\d+ write-q 0 write \\(`,
    '\\{test\\} objects: all 150 master 150 prole 0 non-replica 0',
    `\\{test\\} data-usage: used-bytes ${used / 2} used-pct \\d+ avail-pct \\d+ cache-read-pct`,
  ];
  const isShown = (line: string): boolean => new RegExp(line).test(server.output);
  await until('the ticker says so', () => lines.every(isShown));
});
