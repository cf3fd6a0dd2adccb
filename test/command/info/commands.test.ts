import { readFileSync } from 'node:fs';
import test from 'ava';
import { answerInfo } from '../../../src/command/info/table.js';
import { InfoConnection } from '../../../src/command/info/user-agents.js';
import { CLIENT_READ_SUCCESS, CLIENT_WRITE_ERROR } from '../../../src/observe/namespace-counters.js';
import { CLIENT_CONNECTIONS_OPENED, SLOW_READER_CLOSED } from '../../../src/observe/service-counters.js';
import { createFixture } from './info-fixture.js';

const ALL_ONES = `${'/'.repeat(680)}//8=`;

function statOf(answer: string, key: string): string | undefined {
  return answer
    .split(';')
    .find(pair => pair.startsWith(`${key}=`))
    ?.slice(key.length + 1);
}

test('version and release name Caltrop beside the build that clients parse', t => {
  const { source, ask } = createFixture(t);
  const { caltrop } = source.build;
  t.regex(caltrop, /^\d+\.\d+\.\d+$/);
  t.is(ask('version'), `Aerospike Community Edition build 8.1.2.0 (Caltrop ${caltrop})`);
  t.is(statOf(ask('release'), 'caltrop'), caltrop);
  t.is(statOf(ask('release'), 'version'), '8.1.2.0');
  t.regex(ask('build_time'), /GMT$/);
});

test('features name what current clients insist on', t => {
  const features = createFixture(t).ask('features').split(';');
  for (const feature of ['pscans', 'batch-any', 'replicas', 'peers']) t.true(features.includes(feature));
});

test('a single node claims all partitions of every namespace', t => {
  const { ask } = createFixture(t);
  t.is(ask('replicas'), `test:0,1,${ALL_ONES};dev:0,1,${ALL_ONES}`);
  t.is(ask('replicas:max=9'), ask('replicas'));
  t.is(ask('replicas-all'), `test:1,${ALL_ONES};dev:1,${ALL_ONES}`);
  t.is(ask('replicas-master'), `test:${ALL_ONES};dev:${ALL_ONES}`);
  t.regex(ask('replicas:max=0'), /^ERROR:4:/);
  const rows = ask('partition-info').split(';');
  t.is(rows.length, 1 + 2 * 4096);
  t.regex(
    rows[1]!,
    /^test:0:S:1:0:0:0:BB901000000FC02:BB901000000FC02:0:0:0:0:0:0:1:[0-9a-f]{12}\.0\.mp-:[0-9a-f]{12}\.0\.mp-$/,
  );
});

test('the cluster key is the same wherever it is shown', t => {
  const { ask } = createFixture(t);
  const key = ask('cluster-stable:size=1;namespace=dev');
  t.regex(key, /^[0-9A-F]{1,12}$/);
  t.is(statOf(ask('statistics'), 'cluster_key'), key);
  t.true(ask('smd-info').includes(`cluster_key=${key};`));
  t.is(ask('cluster-stable:namespace=nope'), 'ERROR:20:namespace not found on node');
  t.regex(ask('cluster-stable:size=x'), /^ERROR:4:/);
  t.regex(ask('cluster-stable:ignore-migrations=perhaps'), /^ERROR:4:/);
});

test('a tip is kept until it is cleared', t => {
  const { ask } = createFixture(t);
  t.is(ask('tip:host=10.0.0.2;port=3002'), 'ok');
  t.is(ask('tip-clear:host-port-list=10.0.0.2:3002,10.0.0.3:3002'), 'ERROR::1 cleared, 1 not found');
  t.is(ask('tip-clear:host-port-list=10.0.0.2:3002'), 'ERROR::0 cleared, 1 not found');
  t.is(ask('tip:host=10.0.0.2;port=3002'), 'ok');
  t.is(ask('tip-clear:host-port-list=10.0.0.2:3002'), 'ok');
  t.regex(ask('tip:host=10.0.0.2;port=x'), /^ERROR:4:/);
  t.regex(ask('tip:port=3002'), /^ERROR:4:/);
});

test('counters of all threads reach namespace and statistics', t => {
  const { source, ask } = createFixture(t);
  const [main, worker] = [
    source.namespaces[0]!.counters.addBlock(),
    source.namespaces[0]!.counters.addBlock(),
  ];
  main.f64[CLIENT_READ_SUCCESS]! += 2;
  worker.f64[CLIENT_READ_SUCCESS]! += 5;
  worker.f64[CLIENT_WRITE_ERROR]! += 1;
  source.counterBlock[CLIENT_CONNECTIONS_OPENED]! += 3;
  source.counterBlock[SLOW_READER_CLOSED]! += 1;
  t.is(statOf(ask('namespace/test'), 'client_read_success'), '7');
  t.is(statOf(ask('namespace/test'), 'client_write_error'), '1');
  t.is(statOf(ask('namespace/dev'), 'client_read_success'), '0');
  t.is(statOf(ask('statistics'), 'client_connections_opened'), '3');
  t.is(statOf(ask('statistics'), 'slow_reader_closed'), '1');
});

test('figures of shards add up to those of the namespace, its devices and sets', t => {
  const { ask } = createFixture(t);
  const memory = ask('namespace/test');
  t.is(statOf(memory, 'objects'), '20000');
  t.is(statOf(memory, 'data_used_bytes'), '3200000');
  t.is(statOf(memory, 'data_total_bytes'), `${2 ** 30}`);
  t.is(statOf(memory, 'data_avail_pct'), '50');
  t.is(statOf(memory, 'storage-engine.stripe[15].used_bytes'), '200000');
  t.is(statOf(memory, 'storage-engine.stripe[15]'), 'stripe-15');
  t.is(statOf(ask('namespace/dev'), 'storage-engine.file[0].free_wblocks'), '80');
  t.is(ask('objects'), '25000');
  t.is(statOf(ask('statistics'), 'objects'), '25000');
});

test('a set that only the configuration names is listed with nothing in it', t => {
  const { ask } = createFixture(t);
  t.is(ask('sets/test/quiet'), '');
  t.is(ask('set-config:context=namespace;namespace=test;set=quiet;stop-writes-count=7'), 'ok');
  t.regex(ask('sets/test/quiet'), /^objects=0:tombstones=0:.*:stop-writes-count=7:stop-writes-size=0;$/);
  t.true(ask('sets').startsWith('ns=test:set=load:objects=20000:'));
});

test('set-config shows in get-config, in namespace and in the log', t => {
  const { ask, logFile } = createFixture(t);
  t.is(ask('set-config:context=namespace;id=test;default-ttl=100'), 'ok');
  t.is(statOf(ask('get-config:context=namespace;namespace=test'), 'default-ttl'), '100');
  t.is(statOf(ask('namespace/test'), 'default-ttl'), '100');
  t.is(statOf(ask('namespace/dev'), 'default-ttl'), '0');
  t.regex(ask('set-config:context=namespace;id=test;replication-factor=3'), /^ERROR:4:/);
  const log = readFileSync(logFile, 'utf8');
  t.regex(log, /INFO \(info\): set-config changed: context=namespace;id=test;default-ttl=100/);
  t.regex(log, /INFO \(info\): set-config not changed \(ERROR:4:[^)]*\): .*replication-factor=3/);
});

test('log levels are read and set by sink and context', t => {
  const { ask, logFile } = createFixture(t);
  t.is(ask('logs'), `0:${logFile}`);
  t.is(statOf(ask('log/0').replaceAll(':', '='), 'rw'), 'INFO');
  t.is(ask('log-set:id=0;rw=debug'), 'ok');
  t.is(statOf(ask('log/0').replaceAll(':', '='), 'rw'), 'DEBUG');
  t.is(ask('log-set:id=0;any=warning'), 'ok');
  t.is(statOf(ask('log/0').replaceAll(':', '='), 'misc'), 'WARNING');
  t.is(ask('log/1'), 'ERROR::bad-id');
  t.is(ask('log-set:id=1;misc=info'), 'ERROR::bad-id');
  t.regex(ask('log-set:id=0;nope=info'), /^ERROR:4:/);
  t.regex(ask('log-set:id=0;misc=loud'), /^ERROR:4:/);
});

test('latencies list what was recorded, and info only when it is asked for', t => {
  const { source, ask } = createFixture(t);
  source.latencies.ofNamespace('test').read.record(0.3);
  t.regex(ask('latencies:'), /^batch-index:;\{test\}-read:msec,[\d.]+,(0\.00,){16}0\.00;\{test\}-write:;/);
  t.is(ask('latencies:hist={dev}-si-query'), '{dev}-si-query:');
  t.is(ask('latencies:hist=info'), 'ERROR:4:bad hist name');
  t.is(ask('set-config:context=service;enable-hist-info=true'), 'ok');
  t.regex(ask('latencies:hist=info'), /^info:msec,/);
});

test('a histogram that nobody has taken is unavailable', t => {
  const { ask } = createFixture(t);
  t.is(ask('histogram:namespace=test;type=object-size;set=other'), 'hist-unavailable');
  t.is(ask('histogram:type=ttl'), "ERROR:20:missing 'namespace'");
  t.regex(ask('histogram:namespace=test;type=bogus'), /^ERROR:4:/);
});

test('a user agent is taken once a socket and leaves with it', t => {
  const { source, ask } = createFixture(t);
  const agent = Buffer.from('1,nodejs-6.7.1,not-set').toString('base64');
  const [first, second] = [new InfoConnection(), new InfoConnection()];
  t.is(ask(`user-agent-set:value=${agent}`, first), 'ok');
  t.is(ask(`user-agent-set:value=${agent}`, second), 'ok');
  t.is(ask(`user-agent-set:value=${agent}`, first), 'ERROR:4:already set');
  t.is(ask('user-agents'), `user-agent=${agent}:count=2`);
  source.userAgents.remove(first);
  source.userAgents.remove(first);
  t.is(ask('user-agents'), `user-agent=${agent}:count=1`);
  source.userAgents.remove(second);
  t.is(ask('user-agents'), '');
  t.is(ask('user-agent-set:value=not base64'), "ERROR:4:'value' invalid base64");
  t.regex(ask(`user-agent-set:value=${Buffer.alloc(65, 97).toString('base64')}`), /^ERROR:4:/);
  t.is(ask('user-agent-set:'), "ERROR:4:missing 'value'");
});

test('dumps write into the log', t => {
  const { ask, logFile } = createFixture(t);
  for (const what of ['cluster', 'hb', 'fabric', 'migrates', 'rw', 'skew']) t.is(ask(`dump-${what}:`), 'ok');
  t.is(ask('dump-wb-summary:ns=dev;verbose=false'), 'ok');
  t.regex(ask('dump-wb-summary:ns=dev'), /^ERROR:4:'verbose'/);
  const log = readFileSync(logFile, 'utf8');
  t.regex(log, /cluster: key [0-9A-F]+ generation 1 principal BB901000000FC02 stable true/);
  t.regex(log, /write blocks: \{dev\} \S+dev\.dat: free 80 /);
});

test('best practices that are not followed are named', t => {
  const { ask } = createFixture(t);
  t.is(ask('best-practices'), 'failed_best_practices=swappiness');
  t.is(statOf(ask('statistics'), 'failed_best_practices'), 'true');
});

test('a mistake in a command is an error answer and a line of the log', async t => {
  const { source, logFile } = createFixture(t);
  const broken = { ...source, gauges: () => Object.create(null).missing.field };
  const answer = Buffer.from(
    await answerInfo(broken, new InfoConnection(), Buffer.from('statistics\nnode\n')),
  ).toString();
  t.is(answer, 'statistics\tERROR::internal error\nnode\tBB901000000FC02\n');
  t.regex(readFileSync(logFile, 'utf8'), /WARNING \(info\): info command statistics failed: TypeError/);
});
