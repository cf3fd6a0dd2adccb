import test from 'ava';
import { Region } from '../../src/base/arena.js';
import type { NamespaceConfig } from '../../src/config/namespace-config.js';
import { parseConfig } from '../../src/config/server-config.js';
import {
  createNamespaceMemory,
  TUNE_COMPRESSION,
  TUNE_EVER_COMPRESSED,
} from '../../src/shard/namespace-memory.js';
import { tune } from '../../src/shard/namespace-setup.js';
import { NO_CODEC } from '../../src/storage/codec/codecs.js';

/** A namespace in memory whose settings tell `onRead` before each of them is read. */
function namespaceWith(compression: string, onRead: () => void): NamespaceConfig {
  const text = `
service { cluster-name a }
network { service { address 127.0.0.1
 port 3000 } }
namespace test {
  storage-engine memory {
    data-size 1G
    compression ${compression}
  }
}
`;
  const [config] = parseConfig(text, 'test.conf').namespaces;
  const told = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        onRead();
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  return { ...config!, storage: told(config!.storage), settings: told(config!.settings) };
}

test('no moment shows a codec to workers that the word for “may be compressed” does not precede', t => {
  const memory = createNamespaceMemory(1);
  const tuning = new Region(memory.tuning).f64;
  let looks = 0;
  const look = (): void => {
    looks++;
    if (tuning[TUNE_COMPRESSION] !== NO_CODEC && tuning[TUNE_EVER_COMPRESSED] === 0)
      t.fail(`at look ${looks}`);
  };
  tuning[TUNE_COMPRESSION] = NO_CODEC;
  tune(namespaceWith('none', look), memory);
  t.is(tuning[TUNE_EVER_COMPRESSED], 0);
  tune(namespaceWith('lz4', look), memory);
  t.not(tuning[TUNE_COMPRESSION], NO_CODEC);
  t.is(tuning[TUNE_EVER_COMPRESSED], 1);
  t.true(looks > 20);
  tune(namespaceWith('none', look), memory);
  t.is(tuning[TUNE_EVER_COMPRESSED], 1); // the records written meanwhile are packed still
});
