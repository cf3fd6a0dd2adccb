/** Compression of stored records in a running server: set at a start and while it runs, in memory and on files. */
import test from 'ava';
import { TestServer } from '../support/server.js';
import { digestOf, GET, put, read, write } from '../support/wire-client.js';

const STORAGES = {
  memory: 'storage-engine memory {\n  data-size 64M\n  compression zstd\n}',
  device: `storage-engine device {
  file DIRECTORY/test.dat
  filesize 128M
  post-write-cache 0
  flush-max-ms 50
  compression zstd
}`,
};
const CODECS = ['zstd', 'none', 'lz4', 'snappy'];
const COUNT = 200;

const valueOfKey = (key: string): string =>
  `{"name": "${key}", "tags": ["a", "b"], "active": true} `.repeat(12);

for (const [name, storage] of Object.entries(STORAGES)) {
  test(`${name}: records stay readable whatever the setting was and is`, async t => {
    const server = await TestServer.start(t, { namespaces: [{ name: 'test', storage }] });
    const client = await server.connect();
    const setConfig = (item: string) => server.info(`set-config:context=namespace;id=test;${item}`);
    let usedBefore = 0;
    const used = new Map<string, number>();
    for (const codec of CODECS) {
      t.is(await setConfig(`compression=${codec}`), 'ok');
      for (let i = 0; i < COUNT; i++) {
        const key = `${codec}-${i}`;
        t.is(
          (
            await client.command({
              ...put(write('v', valueOfKey(key)), write('n', i)),
              digest: digestOf(key),
            })
          ).code,
          0,
        );
      }
      const usedNow = await server.statistic('data_used_bytes', 'namespace/test');
      used.set(codec, usedNow - usedBefore);
      usedBefore = usedNow;
      const ratio = await server.statistic('data_compression_ratio', 'namespace/test');
      if (codec === 'zstd') t.true(ratio > 0.1 && ratio < 0.5, `${ratio}`);
    }
    for (const codec of ['zstd', 'lz4', 'snappy']) t.true(used.get(codec)! < used.get('none')! * 0.5, codec);
    t.regex(await server.info('get-config:context=namespace;id=test'), /storage-engine\.compression=snappy;/);
    t.regex(await setConfig('compression=gzip'), /^ERROR|^FAIL/i);
    t.is(await setConfig('compression-level=9'), 'ok');

    const check = async (): Promise<void> => {
      const reader = await server.connect();
      for (const codec of CODECS) {
        for (let i = 0; i < COUNT; i++) {
          const key = `${codec}-${i}`;
          const answer = await reader.command({ ...GET, digest: digestOf(key) });
          t.is(answer.code, 0, key);
          t.is(answer.ops[0]!.value.toString(), valueOfKey(key));
        }
        const one = await reader.command({ info1: 0x01, ops: [read('n')], digest: digestOf(`${codec}-7`) });
        t.is(one.ops[0]!.value.readBigInt64BE(), 7n);
      }
      reader.close();
    };
    await check();
    // A record that is changed keeps what was not touched, and is packed as the setting says by then.
    t.is((await client.command({ ...put(write('n', 8)), digest: digestOf('zstd-7') })).code, 0);
    t.is((await client.command({ ...put(write('n', 7)), digest: digestOf('zstd-7') })).code, 0);
    client.close();
    if (name === 'memory') return;
    await server.stop();
    await server.run();
    await check();
  });
}
