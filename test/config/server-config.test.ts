import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { ConfigError } from '../../src/config/config-error.js';
import { DEFAULT_CONFIG_TEXT } from '../../src/config/default-config.js';
import { namespaceFromJson, namespaceToJson } from '../../src/config/namespace-config.js';
import { defaultConfig, loadConfigFile, parseConfig } from '../../src/config/server-config.js';

const MEMORY_NAMESPACE = 'namespace test {\n  storage-engine memory {\n    data-size 1G\n  }\n}\n';

/** The lines of the error that a text gives; empty when it is accepted. */
function mistakes(text: string): string[] {
  try {
    parseConfig(text, 'a.conf');
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

/** The lines of the error when `lines` stand in a namespace; that namespace opens in line 1. */
function mistakesInNamespace(...lines: string[]): string[] {
  return mistakes(
    ['namespace test {', ...lines, 'storage-engine memory {', 'data-size 1G', '}', '}'].join('\n'),
  );
}

/** The lines of the error when `lines` stand in a device storage-engine, from line 3 on. */
function mistakesOnDevice(...lines: string[]): string[] {
  return mistakes(['namespace test {', 'storage-engine device {', ...lines, '}', '}'].join('\n'));
}

test('the embedded default is a test and a durable namespace on this machine alone', t => {
  const config = defaultConfig();
  t.deepEqual(config.warnings, []);
  t.is(config.service.string('cluster-name'), 'caltrop');
  t.is(config.service.string('work-directory'), './data');
  t.is(config.service.string('http-address'), '127.0.0.1');
  t.is(config.service.number('http-port'), 3008);
  t.deepEqual(config.networkService.list('address'), ['127.0.0.1']);
  t.is(config.networkService.number('port'), 3000);
  t.deepEqual(
    config.namespaces.map(({ name, engine }) => [name, engine]),
    [
      ['test', 'memory'],
      ['durable', 'device'],
    ],
  );
  const [memory, durable] = config.namespaces;
  t.is(memory!.storage.number('data-size'), 4 * 1024 ** 3);
  t.deepEqual(durable!.storage.list('file'), ['./data/durable.dat']);
  t.is(durable!.storage.number('filesize'), 1024 ** 3);
  for (const { settings } of config.namespaces) {
    t.is(settings.number('replication-factor'), 1);
    t.is(settings.number('default-ttl'), 0);
  }
  t.like(config.logging, [{ kind: 'console' }]);
  t.is(config.logging[0]!.levels.get('rw'), 'info');
});

test('a file is read, and its name stands in the messages', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'caltrop-config-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const path = join(directory, 'caltrop.conf');
  await writeFile(path, DEFAULT_CONFIG_TEXT);
  t.is(loadConfigFile(path).source, path);
  await writeFile(path, `service {\n  proto-fd-mx 1\n}\n${MEMORY_NAMESPACE}`);
  t.throws(() => loadConfigFile(path), {
    instanceOf: ConfigError,
    message: `${path}:2: service.proto-fd-mx: is not known; did you mean proto-fd-max?`,
  });
  t.throws(() => loadConfigFile(join(directory, 'none.conf')), {
    instanceOf: ConfigError,
    message: /cannot be read/,
  });
});

test('all mistakes of a file are reported together, in the order of their lines', t => {
  const lines = mistakes(
    'service {\n  proto-fd-max 5\n  colour red\n}\nservices {\n}\nnamespace test {\n  memory-size 4G\n  default-tll 5\n}\n',
  );
  t.deepEqual(
    lines.map(line => line.split(': ').slice(0, 2).join(' ')),
    [
      'a.conf:2 service.proto-fd-max',
      'a.conf:3 service.colour',
      'a.conf:5 services',
      'a.conf:7 namespace.test.storage-engine',
      'a.conf:8 namespace.test.memory-size',
      'a.conf:9 namespace.test.default-tll',
    ],
  );
  t.regex(lines[0]!, /'5' is not accepted; accepted: a whole number from 1024 to 2147483647/);
  t.regex(lines[1]!, /accepted: advertise-ipv6, auto-pin, /);
  t.regex(lines[2]!, /did you mean service\?/);
  t.regex(lines[4]!, /write data-size/);
  t.regex(lines[5]!, /did you mean default-ttl\?/);
});

test('what strengthens durability, consistency or security and is not built stops the start', t => {
  const refused = {
    'encryption aes-256': mistakesOnDevice('encryption aes-256', 'file /a', 'filesize 1G'),
    'encryption-old-key-file /k': mistakesOnDevice('encryption-old-key-file /k', 'file /a', 'filesize 1G'),
    'device /dev/sdb /dev/sdc /dev/sdd': mistakesOnDevice('device /dev/sdb /dev/sdc /dev/sdd'),
    'file /a': mistakesOnDevice('file /a', 'device /dev/sdb', 'filesize 1G'),
    'file /a /b /c': mistakesOnDevice('file /a /b /c', 'filesize 1G'),
  };
  for (const [line, reported] of Object.entries(refused)) {
    t.is(reported.length, 1, line);
    t.regex(
      reported[0]!,
      new RegExp(`^a.conf:3: namespace.test.storage-engine.${line.split(' ')[0]}: `),
      line,
    );
  }
  t.regex(mistakesInNamespace('strong-consistency true')[0]!, /^a.conf:2: .*accepted: false$/);
  t.regex(mistakesInNamespace('strong-consistency true')[0]!, /^a.conf:2: /);
  t.regex(
    mistakesInNamespace('index-type flash {', '}')[0]!,
    /^a.conf:2: namespace.test.index-type: 'flash' is not built/,
  );
  t.regex(mistakes(`security {\n}\n${MEMORY_NAMESPACE}`)[0]!, /^a.conf:1: security: /);
  t.regex(
    mistakes(`service {\n  min-cluster-size 2\n}\n${MEMORY_NAMESPACE}`)[0]!,
    /^a.conf:2: service.min-cluster-size/,
  );
  const tls = mistakes(
    `network {\n  tls here {\n  }\n  service {\n    tls-port 4333\n    disable-localhost true\n  }\n}\n${MEMORY_NAMESPACE}`,
  );
  t.deepEqual(
    tls.map(line => line.split(': ').slice(0, 2).join(' ')),
    [
      'a.conf:2 network.tls',
      'a.conf:5 network.service.tls-port',
      'a.conf:6 network.service.disable-localhost',
    ],
  );
  const backed = mistakes(
    'namespace test {\n  storage-engine memory {\n    data-size 1G\n    file /a\n  }\n}\n',
  );
  t.regex(
    backed.join('\n'),
    /a.conf:3: namespace.test.storage-engine.data-size: is not possible beside file/,
  );
});

test('the weaker value of a refused setting is accepted', t => {
  t.deepEqual(mistakesOnDevice('encryption none', 'file /a', 'filesize 1G'), []);
  t.deepEqual(mistakesInNamespace('strong-consistency false'), []);
});

test('a known setting without effect gives one warning line', t => {
  const config = parseConfig(
    `service {\n  user root\n  info-threads 4\n}\nnetwork {\n  heartbeat {\n    mesh-seed-address-port 10.0.0.1 3002\n    mesh-seed-address-port 10.0.0.2 3002\n  }\n}\nxdr {\n  dc far {\n  }\n}\n${MEMORY_NAMESPACE}`,
    'a.conf',
  );
  t.deepEqual(config.warnings, [
    'a.conf:2: service.user is accepted but has no effect in this version',
    'a.conf:3: service.info-threads is accepted but has no effect in this version',
    'a.conf:7: network.heartbeat.mesh-seed-address-port is accepted but has no effect in this version',
    'a.conf:11: xdr is accepted but has no effect in this version',
  ]);
  t.deepEqual(config.heartbeat.list('mesh-seed-address-port'), ['10.0.0.1 3002', '10.0.0.2 3002']);
  t.is(config.service.number('info-threads'), 4);
});

test('a setting given twice has its last value and a warning', t => {
  const config = parseConfig(
    `service {\n  ticker-interval 5\n  ticker-interval 6\n}\n${MEMORY_NAMESPACE}`,
    'a.conf',
  );
  t.is(config.service.number('ticker-interval'), 6);
  t.deepEqual(config.warnings, [
    'a.conf:3: service.ticker-interval is set again, the value in line 2 has no effect',
  ]);
});

test('several addresses of both families are kept in order', t => {
  const config = parseConfig(
    `network {\n  service {\n    address 127.0.0.1\n    address ::1\n    address db1.local\n    port 4000\n    access-address 192.0.2.1\n    access-port 4100\n    alternate-access-address 198.51.100.1\n    alternate-access-address 2001:db8::1\n  }\n}\n${MEMORY_NAMESPACE}`,
    'a.conf',
  );
  t.deepEqual(config.networkService.list('address'), ['127.0.0.1', '::1', 'db1.local']);
  t.deepEqual(config.networkService.list('access-address'), ['192.0.2.1']);
  t.deepEqual(config.networkService.list('alternate-access-address'), ['198.51.100.1', '2001:db8::1']);
  t.is(config.networkService.number('access-port'), 4100);
  t.deepEqual(config.warnings, []);
});

test('a namespace reads its storage, sets and geo settings', t => {
  const config = parseConfig(
    'namespace test {\n  nsup-period 1m\n  storage-engine device {\n    file /a.dat\n    file /b.dat\n    filesize 64M\n    flush-max-ms 250\n  }\n  index-type shmem {\n  }\n  sindex-type mem {}\n  set users {\n    default-ttl 1h\n    stop-writes-count 10\n  }\n  set logs { disable-eviction true }\n  geo2dsphere-within {\n    max-cells 32\n  }\n}\n',
    'a.conf',
  );
  const [namespace] = config.namespaces;
  t.is(namespace!.engine, 'device');
  t.deepEqual(namespace!.storage.list('file'), ['/a.dat', '/b.dat']);
  t.is(namespace!.storage.number('filesize'), 64 * 1024 ** 2);
  t.is(namespace!.storage.number('flush-max-ms'), 250);
  t.is(namespace!.settings.number('nsup-period'), 60);
  t.deepEqual([...namespace!.sets.keys()], ['users', 'logs']);
  t.is(namespace!.sets.get('users')!.number('default-ttl'), 3600);
  t.is(namespace!.geo.number('max-cells'), 32);
  const copy = namespaceFromJson(structuredClone(namespaceToJson(namespace!)));
  t.deepEqual(namespaceToJson(copy), namespaceToJson(namespace!));
  t.is(copy.sets.get('users')!.number('stop-writes-count'), 10);
});

test('rules between settings are checked', t => {
  const one = (lines: string[]): string => {
    t.is(lines.length, 1, lines.join('\n'));
    return lines[0]!;
  };
  t.regex(one(mistakes('service {\n}\n')), /^a.conf: namespace: is missing/);
  t.regex(one(mistakes('namespace test {\n}\n')), /^a.conf:1: namespace.test.storage-engine: is missing/);
  t.regex(
    one(mistakes('namespace test {\n  storage-engine memory\n}\n')),
    /^a.conf:2: .*data-size: is missing/,
  );
  t.regex(
    one(mistakes('namespace test {\n  storage-engine pmem {\n  }\n}\n')),
    /'pmem' is no storage engine; accepted: memory, device/,
  );
  t.regex(one(mistakesOnDevice('filesize 1G')), /storage-engine.file: is missing/);
  t.regex(one(mistakesOnDevice('file /a')), /storage-engine.filesize: is missing/);
  t.regex(one(mistakesOnDevice('file /a', 'filesize 0')), /^a.conf:4: .*filesize: is missing/);
  t.regex(one(mistakesOnDevice('file /a', 'filesize 1M')), /^a.conf:4: .*from 16M to 2T/);
  t.regex(
    one(mistakesOnDevice('file /d/a', 'file /d/./a', 'filesize 1G')),
    /^a.conf:4: .*used in line 3 already/,
  );
  t.regex(
    one(mistakesInNamespace('default-ttl 30d')),
    /^a.conf:2: .*default-ttl: needs a nsup-period above 0/,
  );
  t.deepEqual(mistakesInNamespace('default-ttl 30d', 'nsup-period 120'), []);
  t.deepEqual(mistakesInNamespace('default-ttl 30d', 'allow-ttl-without-nsup true'), []);
  t.regex(
    one(mistakesInNamespace('set a {', 'default-ttl 5', '}')),
    /^a.conf:3: namespace.test.set.a.default-ttl/,
  );
  t.regex(
    one(mistakesInNamespace('set a {', '}', 'set a {', '}')),
    /^a.conf:4: namespace.test.set.a: is there already/,
  );
  t.regex(one(mistakesInNamespace(`set ${'s'.repeat(64)} {`, '}')), /^a.conf:2: .*at most 63 bytes/);
  t.regex(
    one(mistakesInNamespace('geo2dsphere-within {', 'min-level 9', 'max-level 3', '}')),
    /^a.conf:4: .*below min-level/,
  );
  t.regex(
    one(mistakes(MEMORY_NAMESPACE + MEMORY_NAMESPACE)),
    /^a.conf:6: namespace.test: is there already, in line 1/,
  );
  const long = 'n'.repeat(32);
  t.regex(one(mistakes(MEMORY_NAMESPACE.replace('test', long))), /^a.conf:1: .*at most 31 bytes/);
  t.deepEqual(mistakes(MEMORY_NAMESPACE.replace('test', long.slice(1))), []);
  t.regex(one(mistakes(MEMORY_NAMESPACE.replace('test', 'a:b'))), /^a.conf:1: /);
  t.regex(one(mistakes(`service {\n  node-id 0xA1\n}\n${MEMORY_NAMESPACE}`)), /^a.conf:2: service.node-id/);
  t.regex(
    one(mistakes(`service {\n  http-port 3000\n}\n${MEMORY_NAMESPACE}`)),
    /^a.conf:2: service.http-port/,
  );
  t.regex(
    one(mistakes(`port 3000\n${MEMORY_NAMESPACE}`)),
    /^a.conf:1: port: stands outside of every context/,
  );
  t.regex(
    one(mistakes(`network {\n  port 3000\n}\n${MEMORY_NAMESPACE}`)),
    /^a.conf:2: network.port: stands outside/,
  );
});

test('replication-factor above 1 is kept, with a warning that one node holds one copy', t => {
  const config = parseConfig(MEMORY_NAMESPACE.replace('{\n', '{\n  replication-factor 3\n'), 'a.conf');
  t.is(config.namespaces[0]!.settings.number('replication-factor'), 3);
  t.regex(config.warnings[0]!, /^a.conf:2: namespace.test.replication-factor has no effect beyond 1/);
});

test('forty namespaces are as good as two', t => {
  const names = Array.from({ length: 40 }, (_, index) => `ns${index}`);
  const config = parseConfig(names.map(name => MEMORY_NAMESPACE.replace('test', name)).join(''), 'a.conf');
  t.deepEqual(
    config.namespaces.map(namespace => namespace.name),
    names,
  );
});

test('log sinks have a level for every context, critical where nothing is said', t => {
  const config = parseConfig(
    `logging {\n  console {\n    context any warning\n    context rw-client DEBUG\n  }\n  file /var/log/caltrop.log {\n    context info detail\n  }\n  syslog {\n    facility local3\n  }\n}\n${MEMORY_NAMESPACE}`,
    'a.conf',
  );
  const [console_, file, syslog] = config.logging;
  t.is(console_!.levels.get('misc'), 'warning');
  t.is(console_!.levels.get('rw-client'), 'debug');
  t.like(file, { kind: 'file', path: '/var/log/caltrop.log' });
  t.is(file!.levels.get('info'), 'detail');
  t.is(file!.levels.get('misc'), 'critical');
  t.like(syslog, { kind: 'syslog', path: '/dev/log', facility: 'local3', tag: 'caltrop' });
});

test('without a logging context everything from info goes to the console', t => {
  const config = parseConfig(MEMORY_NAMESPACE, 'a.conf');
  t.like(config.logging, [{ kind: 'console' }]);
  t.is(config.logging[0]!.levels.get('storage'), 'info');
});

test('mistakes in the logging context are reported with their lines', t => {
  const lines = mistakes(
    `logging {\n  context any info\n  stdout {\n  }\n  file {\n  }\n  console {\n    context any loud\n    context rww info\n    colour on\n  }\n}\n${MEMORY_NAMESPACE}`,
  );
  t.deepEqual(
    lines.map(line => Number(line.split(':')[1])),
    [2, 3, 5, 8, 9, 10],
  );
  t.regex(lines[3]!, /accepted: critical, warning, info, debug, detail/);
  t.regex(lines[4]!, /did you mean rw\?/);
});

test('whatever a file holds, it is read or refused with a ConfigError', t => {
  const words = [
    'service',
    'namespace test',
    'storage-engine memory',
    'set',
    'logging',
    'file',
    '{',
    '}',
    '#',
    '\n',
  ];
  const names = [
    'data-size 1G',
    'node-id',
    'default-ttl 1',
    'constructor',
    '__proto__ 1',
    'context any info',
    '\0',
  ];
  const parts = fc.oneof(fc.constantFrom(...words, ...names), fc.string());
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 40 }), soup => {
      mistakes(soup.join(' '));
    }),
  );
  t.pass();
});

test('memory may be backed by files, which give it its size', t => {
  const memory = (...lines: string[]): string =>
    ['namespace test {', 'storage-engine memory {', ...lines, '}', '}'].join('\n');
  const config = parseConfig(memory('file /a', 'filesize 1G', 'flush-max-ms 100'), 'a.conf');
  t.deepEqual(config.warnings, []);
  t.deepEqual(config.namespaces[0]!.storage.list('file'), ['/a']);
  t.regex(mistakes(memory('file /a'))[0]!, /filesize: is missing/);
  const plain = parseConfig(memory('data-size 1G', 'flush-max-ms 100'), 'a.conf');
  t.deepEqual(plain.warnings, [
    'a.conf:4: namespace.test.storage-engine.flush-max-ms is accepted but has no effect without file',
  ]);
});

test('commit-to-device needs files, in memory too', t => {
  const memory = (...lines: string[]): string[] =>
    mistakes(
      ['namespace test {', 'storage-engine memory {', 'commit-to-device true', ...lines, '}', '}'].join('\n'),
    );
  t.deepEqual(memory('file /a', 'filesize 1G'), []);
  t.regex(memory('data-size 1G')[0]!, /^a.conf:3: .*commit-to-device: waits for files, and none is named/);
});

test('encryption needs a key file, and something to encrypt', t => {
  t.deepEqual(mistakesOnDevice('encryption-key-file /k', 'file /a', 'filesize 1G'), []);
  const algorithm = parseConfig(
    'namespace test {\nstorage-engine device {\nfile /a\nfilesize 1G\nencryption aes-256\nencryption-key-file /k\n}\n}',
    'a.conf',
  );
  t.is(algorithm.namespaces[0]!.storage.string('encryption'), 'aes-256');
  t.regex(
    mistakesOnDevice('encryption aes-192', 'file /a', 'filesize 1G')[0]!,
    /accepted: none, aes-128, aes-256/,
  );
  t.regex(
    mistakesOnDevice('encryption none', 'encryption-key-file /k', 'file /a', 'filesize 1G')[0]!,
    /^a.conf:3: .*encryption: is none, but/,
  );
  const inMemory = 'namespace test {\nstorage-engine memory {\ndata-size 1G\nencryption-key-file /k\n}\n}';
  t.regex(mistakes(inMemory)[0]!, /^a.conf:4: .*encrypts files, and none is named/);
});
