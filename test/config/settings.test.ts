import test from 'ava';
import { CONTEXT_TABLES, Settings, type SettingsContext } from '../../src/config/settings.js';

test('a new instance has every default, and nothing is set', t => {
  for (const [context, rows] of Object.entries(CONTEXT_TABLES)) {
    const settings = new Settings(context as SettingsContext);
    t.deepEqual(
      settings.names(),
      rows.map(row => row.name),
    );
    for (const { name } of rows) t.false(settings.isSet(name));
    t.deepEqual(settings.toJSON(), {});
  }
  const service = new Settings('service');
  t.is(service.number('transaction-max-ms'), 1000);
  t.is(service.boolean('run-as-daemon'), true);
  t.is(service.string('auto-pin'), 'none');
  t.deepEqual(new Settings('network.service').list('address'), ['any']);
});

test('reading an unknown name or by another type throws', t => {
  const service = new Settings('service');
  t.throws(() => service.number('no-such-thing'), { message: /no setting/ });
  t.throws(() => service.number('cluster-name'), { instanceOf: TypeError });
  t.throws(() => service.string('proto-fd-max'), { instanceOf: TypeError });
  t.throws(() => service.boolean('proto-fd-max'), { instanceOf: TypeError });
  t.throws(() => service.list('proto-fd-max'), { instanceOf: TypeError });
  t.throws(() => service.put('proto-fd-max', 'many'), { instanceOf: TypeError });
  t.throws(() => new Settings('network.service').put('address', 'any'), { instanceOf: TypeError });
});

test('a dynamic setting changes and its listeners hear of it', t => {
  const service = new Settings('service');
  const heard: string[] = [];
  const stop = service.onChange(name => heard.push(`${name}=${service.toText(name)}`));
  t.is(service.setDynamic('proto-fd-idle-ms', '2m'), undefined);
  t.is(service.number('proto-fd-idle-ms'), 120_000);
  t.true(service.isSet('proto-fd-idle-ms'));
  stop();
  t.is(service.setDynamic('proto-fd-idle-ms', '0'), undefined);
  t.deepEqual(heard, ['proto-fd-idle-ms=120000']);
});

test('static, unknown, wrong and refused changes are turned down and change nothing', t => {
  const service = new Settings('service');
  const heard: string[] = [];
  service.onChange(name => heard.push(name));
  t.regex(service.setDynamic('work-directory', '/tmp')!, /static/);
  t.regex(service.setDynamic('nope', '1')!, /no setting of service/);
  t.regex(service.setDynamic('proto-fd-max', '5')!, /from 1024 to/);
  t.regex(service.setDynamic('min-cluster-size', '3')!, /refused.*accepted: 0, 1/);
  t.is(service.setDynamic('min-cluster-size', '1'), undefined);
  t.deepEqual(heard, ['min-cluster-size']);
});

test('settings survive a structured clone, with what was set and what was not', t => {
  const storage = new Settings('storage.device');
  storage.put('file', ['/a', '/b']);
  storage.put('filesize', 1 << 30);
  const copy = Settings.fromJSON('storage.device', structuredClone(storage.toJSON()));
  for (const name of storage.names()) {
    t.is(copy.toText(name), storage.toText(name));
    t.is(copy.isSet(name), storage.isSet(name));
  }
  t.deepEqual(copy.list('file'), ['/a', '/b']);
});
