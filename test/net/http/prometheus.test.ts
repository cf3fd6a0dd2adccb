import test from 'ava';
import { renderMetrics } from '../../../src/net/http/prometheus.js';

/** Answers in the reference's form, cut short; `test` in memory, `dev` in a file. */
const ANSWERS: Readonly<Record<string, string>> = {
  build: '8.1.2.0',
  'cluster-name': 'caltrop',
  'service-clear-std': '127.0.0.1:3000',
  'get-config:context=service': 'proto-fd-max=15000;cluster-name=caltrop;auto-pin=none',
  statistics:
    'cluster_size=1;cluster_key=A204F8AC0E19;cluster_integrity=true;uptime=38;objects=25000;info_complete=48;batch_index_queue=1:0,0:0',
  namespaces: 'test;dev',
  'namespace/test':
    'objects=20000;client_read_success=638263;stop_writes=false;default-ttl=0;nsup_cycle_deleted_pct=0.00;storage-engine=memory;' +
    'storage-engine.stripe[0].used_bytes=405280;storage-engine.stripe[1].writes=1;storage-engine.data-size=1073741824;' +
    'storage-engine.stripe[0]=stripe-0.0xad001000',
  'namespace/dev':
    'objects=5000;client_read_success=30291;storage-engine=device;storage-engine.file[0]=/data/a "b"\\c;storage-engine.file[0].age=-1',
  sets: 'ns=test:set=load:objects=20000:tombstones=0:disable-eviction=false;ns=dev:set=7:objects=5000:tombstones=0:disable-eviction=false;',
  'latencies:':
    'batch-index:;{test}-read:msec,2000.0,50.00,25.00,0.00;{test}-write:;{dev}-read:usec,10.0,10.00,0.00,0.00',
};
const text = renderMetrics({ info: command => ANSWERS[command]! });
const lines = text.split('\n');

test('statistics, sets and namespaces have the names and labels of the exporter', t => {
  const node = 'cluster_name="caltrop",service="127.0.0.1:3000"';
  for (const line of [
    `aerospike_node_up{${node},build="8.1.2.0"} 1`,
    `aerospike_node_stats_uptime{${node}} 38`,
    `aerospike_node_stats_proto_fd_max{${node}} 15000`,
    `aerospike_namespace_client_read_success{${node},ns="test",storage_engine="memory"} 638263`,
    `aerospike_namespace_nsup_cycle_deleted_pct{${node},ns="test",storage_engine="memory"} 0.00`,
    `aerospike_namespace_storage_engine_data_size{${node},ns="test",storage_engine="memory"} 1073741824`,
    `aerospike_sets_objects{${node},ns="test",set="load"} 20000`,
    `aerospike_sets_disable_eviction{${node},ns="dev",set="7"} 0`,
  ]) {
    t.true(lines.includes(line), line);
  }
});

test('booleans are 0 and 1; names, lists and hexadecimal ids are left out', t => {
  t.regex(text, /^aerospike_node_stats_cluster_integrity\{.*\} 1$/m);
  t.regex(text, /^aerospike_namespace_stop_writes\{.*\} 0$/m);
  t.notRegex(text, /cluster_key|auto_pin|batch_index_queue|node_stats_cluster_name|sets_set|sets_ns/);
});

test('a stripe, file or device is a label, not part of the name', t => {
  t.regex(
    text,
    /^aerospike_namespace_storage_engine_stripe_used_bytes\{.*ns="test",stripe_index="0",stripe="stripe-0.0xad001000",storage_engine="memory"\} 405280$/m,
  );
  t.regex(text, /^aerospike_namespace_storage_engine_stripe_writes\{.*stripe_index="1",stripe="",.*\} 1$/m);
});

test('label values are escaped', t => {
  t.true(text.includes(String.raw`file_index="0",file="/data/a \"b\"\\c",storage_engine="device"} -1`));
});

test('configuration and what goes up and down are gauges, the rest counters', t => {
  for (const name of [
    'node_stats_uptime',
    'node_stats_proto_fd_max',
    'namespace_objects',
    'namespace_default_ttl',
    'namespace_storage_engine_stripe_used_bytes',
    'namespace_storage_engine_file_age',
    'sets_objects',
    'latencies_read_ms_bucket',
  ]) {
    t.true(lines.includes(`# TYPE aerospike_${name} gauge`), name);
  }
  for (const name of [
    'node_stats_info_complete',
    'namespace_client_read_success',
    'namespace_storage_engine_stripe_writes',
  ]) {
    t.true(lines.includes(`# TYPE aerospike_${name} counter`), name);
  }
});

test('latencies become buckets of operations a second that took at most so long', t => {
  const labels = 'cluster_name="caltrop",service="127.0.0.1:3000",ns="test"';
  t.deepEqual(
    lines.filter(line => line.startsWith('aerospike_latencies_read_ms')),
    [
      `aerospike_latencies_read_ms_bucket{${labels},le="+Inf"} 2000`,
      `aerospike_latencies_read_ms_bucket{${labels},le="1"} 1000`,
      `aerospike_latencies_read_ms_bucket{${labels},le="2"} 1500`,
      `aerospike_latencies_read_ms_bucket{${labels},le="4"} 2000`,
      `aerospike_latencies_read_ms_count{${labels}} 2000`,
    ],
  );
  t.regex(text, /^aerospike_latencies_read_us_bucket\{.*ns="dev",le="1"\} 9$/m);
  t.notRegex(text, /latencies_write|latencies_batch_index/);
});

test('the text is valid: one HELP and TYPE a family, its series together, none twice', t => {
  const families = new Set<string>();
  const series = new Set<string>();
  let family = '';
  t.is(lines.pop(), '');
  for (const line of lines) {
    const help = /^# HELP ([a-zA-Z_][a-zA-Z0-9_]*) \S/.exec(line);
    const sample = /^([a-zA-Z_][a-zA-Z0-9_]*)(\{.*\})? -?\d+(\.\d+)?$/.exec(line);
    if (help) {
      family = help[1]!;
      t.false(families.has(family), line);
      families.add(family);
    } else if (line.startsWith('#')) {
      t.regex(line, new RegExp(`^# TYPE ${family} (gauge|counter)$`));
    } else {
      t.is(sample?.[1], family, line);
      t.false(series.has(line.slice(0, line.lastIndexOf(' '))), line);
      series.add(line.slice(0, line.lastIndexOf(' ')));
    }
  }
  t.true(families.has('process_resident_memory_bytes'));
});
