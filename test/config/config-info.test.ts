import test from 'ava';
import { applySetConfig, getConfig, setSettings } from '../../src/config/config-info.js';
import { parseConfig, type ServerConfig } from '../../src/config/server-config.js';
import { LOG_CONTEXTS } from '../../src/observe/log-config.js';
import {
  DEVICE_NAMESPACE,
  LOG_CONTEXT_NAMES,
  MEMORY_NAMESPACE,
  NETWORK,
  SERVICE,
} from './reference-answers.js';

/** The configuration that the reference had when its answers were recorded. */
const REFERENCE_TEXT = `
service {
  cluster-name local
  node-id BB901000000FC02
  pidfile /var/lib/reference/asd.pid
  proto-fd-max 10000
  service-threads 10
  batch-index-threads 2
  work-directory /var/lib/reference
}
logging {
  file /var/lib/reference/asd.log {
    context any info
  }
}
network {
  service {
    address 127.0.0.1
    port 3000
  }
  heartbeat {
    mode mesh
    address 127.0.0.1
    port 3002
    mtu 65536
  }
  fabric {
    address 127.0.0.1
    port 3001
  }
}
namespace test {
  replication-factor 1
  nsup-period 120
  nsup-hist-period 5
  storage-engine memory {
    data-size 1G
  }
}
namespace dev {
  replication-factor 1
  nsup-period 120
  storage-engine device {
    file /var/lib/reference/data/dev.dat
    filesize 1G
  }
}
`;

const reference = (): ServerConfig => parseConfig(REFERENCE_TEXT, 'reference.conf');
const CALTROPS_OWN = /^(http-|socket-engine=)/;

test('get-config gives the recorded answers of the reference, with its defaults and in its order', t => {
  const config = reference();
  const service = getConfig(config, 'context=service').split(';');
  t.deepEqual(
    service.filter(pair => !CALTROPS_OWN.test(pair)),
    SERVICE,
  );
  t.deepEqual(getConfig(config, 'context=network').split(';'), NETWORK);
  const stripes = () => 8;
  t.deepEqual(getConfig(config, 'context=namespace;id=test', stripes).split(';'), MEMORY_NAMESPACE);
  t.deepEqual(getConfig(config, 'context=namespace;namespace=test;', stripes).split(';'), MEMORY_NAMESPACE);
  t.deepEqual(getConfig(config, 'context=namespace;namespace=dev', stripes).split(';'), DEVICE_NAMESPACE);
  t.deepEqual(
    getConfig(config, '')
      .split(';')
      .filter(pair => !CALTROPS_OWN.test(pair)),
    [...SERVICE, ...NETWORK],
  );
});

test('get-config answers what it does not know as the reference does', t => {
  const config = reference();
  t.is(getConfig(config, 'context=namespace;id=nope'), 'ERROR:20:namespace not found on node');
  t.is(getConfig(config, 'context=namespace'), "ERROR:20:missing 'namespace'");
  t.is(getConfig(config, 'context=bogus'), 'ERROR:4:invalid context');
  t.is(getConfig(config, 'context=security'), '');
  t.is(getConfig(config, 'context=xdr'), '');
});

test('every address has a pair of its own, and none is told when all are listened on', t => {
  const text = REFERENCE_TEXT.replace(
    '    address 127.0.0.1\n    port 3000',
    '    address 127.0.0.1\n    address ::1\n    port 3000',
  );
  const lines = getConfig(parseConfig(text, 'a.conf'), 'context=network').split(';');
  t.deepEqual(
    lines.filter(line => /^service\.(access-)?address=/.test(line)),
    [
      'service.address=127.0.0.1',
      'service.address=::1',
      'service.access-address=127.0.0.1',
      'service.access-address=::1',
    ],
  );
  const any = getConfig(parseConfig(text.replace('127.0.0.1', 'any'), 'a.conf'), 'context=network').split(
    ';',
  );
  t.false(any.some(line => line.startsWith('service.access-address=')));
});

test('set-config changes what is dynamic, in every context and under every name that tools send', t => {
  const config = reference();
  const [namespace] = config.namespaces;
  const ok = (params: string) => t.is(applySetConfig(config, params), 'ok', params);
  ok('context=service;proto-fd-max=9000');
  t.is(config.service.number('proto-fd-max'), 9000);
  ok('context=namespace;id=test;default-ttl=100');
  t.is(namespace!.settings.number('default-ttl'), 100);
  ok('context=namespace;namespace=test;default-ttl=1d;max-record-size=2M');
  t.is(namespace!.settings.number('default-ttl'), 86_400);
  t.is(namespace!.settings.number('max-record-size'), 2 * 1024 ** 2);
  ok('context=namespace;id=test;flush-max-ms=500');
  t.is(namespace!.storage.number('flush-max-ms'), 500);
  ok('context=namespace;id=test;storage-engine.flush-max-ms=250');
  t.is(namespace!.storage.number('flush-max-ms'), 250);
  ok('context=namespace;id=test;geo2dsphere-within-max-cells=20');
  t.is(namespace!.geo.number('max-cells'), 20);
  ok('context=network;heartbeat.interval=200');
  t.is(config.heartbeat.number('interval'), 200);
});

test('set-config of a set gives that set settings of its own', t => {
  const config = reference();
  const [namespace] = config.namespaces;
  const defaults = setSettings(namespace!, 'users');
  t.is(
    defaults.join(':'),
    'default-read-touch-ttl-pct=0:default-ttl=0:disable-eviction=false:enable-index=false:stop-writes-count=0:stop-writes-size=0',
  );
  t.is(applySetConfig(config, 'context=namespace;id=test;set=users;default-ttl=60'), 'ok');
  t.is(namespace!.sets.get('users')!.number('default-ttl'), 60);
  t.is(namespace!.settings.number('default-ttl'), 0);
  t.true(setSettings(namespace!, 'users').includes('default-ttl=60'));
  t.is(
    applySetConfig(config, 'context=namespace;id=test;set=other;nope=1'),
    'ERROR:4:invalid set-config parameter',
  );
  t.is(
    applySetConfig(config, `context=namespace;id=test;set=${'s'.repeat(64)};default-ttl=1`),
    'ERROR:4:invalid set-config parameter',
  );
  t.deepEqual([...namespace!.sets.keys()], ['users']);
});

test('set-config refuses as the reference does, and then changes nothing', t => {
  const config = reference();
  const invalid = 'ERROR:4:invalid set-config parameter';
  const refused: [params: string, answer: string][] = [
    ['context=service', invalid],
    ['context=service;bogus=1', invalid],
    ['context=service;work-directory=/x', invalid],
    ['context=service;proto-fd-max=1', invalid],
    ['context=service;proto-fd-max', invalid],
    ['context=service;proto-fd-max=9000;bogus=1', invalid],
    ['context=service;min-cluster-size=2', invalid],
    ['context=network;interval=200', invalid],
    ['context=network;constructor.x=1', invalid],
    ['context=namespace;id=test;bogus=1', invalid],
    ['context=namespace;id=test;replication-factor=2', invalid],
    ['context=namespace;id=nope;default-ttl=1', 'ERROR:20:namespace not found on node'],
    ['context=namespace;default-ttl=1', "ERROR:20:missing 'namespace'"],
    ['context=bogus;a=b', 'ERROR:4:invalid context'],
    ['', "ERROR:4:missing 'context'"],
  ];
  const before = getConfig(config, '');
  for (const [params, answer] of refused) t.is(applySetConfig(config, params), answer, params);
  t.is(getConfig(config, ''), before);
});

test('the log contexts are those of the reference', t => {
  t.deepEqual(LOG_CONTEXTS, LOG_CONTEXT_NAMES);
});
