import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { createLog, type ForwardedLine, formatLine } from '../../src/observe/log.js';
import { LOG_CONTEXTS, LogError } from '../../src/observe/log-config.js';

const LOG_MODULE = new URL('../../src/observe/log.js', import.meta.url).href;

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'caltrop-log-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

function fileLog(t: ExecutionContext, levels: [string, string][]) {
  const path = join(directory(t), 'caltrop.log');
  const log = createLog([{ kind: 'file', path, levels: new Map(levels) }]);
  t.teardown(() => log.close());
  return { log, path, lines: () => readFileSync(path, 'utf8').split('\n').slice(0, -1) };
}

test('a line has the form of the reference', t => {
  const line = formatLine(Date.UTC(2026, 10, 2, 8, 41, 20), 'info', 'as', 'service ready');
  t.is(line, 'Nov 02 2026 08:41:20 GMT: INFO (as): service ready\n');
});

test('text of clients cannot forge a line or steer a terminal', t => {
  const line = formatLine(
    0,
    'warning',
    'proto',
    'bad user a\nJan 01 1970 00:00:00 GMT: INFO (as): fine \x1b[2J\r',
  );
  const [first, second, end] = line.split('\n');
  t.true(first!.endsWith('WARNING (proto): bad user a'));
  t.is(second, '\tJan 01 1970 00:00:00 GMT: INFO (as): fine \\x1b[2J\\x0d');
  t.is(end, '');
});

test('each context obeys its own level, contexts not named obey `any`', t => {
  const { log, lines } = fileLog(t, [
    ['any', 'info'],
    ['rw', 'detail'],
    ['nsup', 'warning'],
  ]);
  log.context('as').info('one');
  log.context('as').debug('not this');
  log.context('rw').detail('two');
  log.context('nsup').info('not this');
  log.context('nsup').critical('three %s %d');
  t.deepEqual(
    lines().map(line => line.slice(line.indexOf('GMT: ') + 5)),
    ['INFO (as): one', 'DETAIL (rw): two', 'CRITICAL (nsup): three %s %d'],
  );
  t.true(log.context('rw').isLevelEnabled('detail'));
  t.false(log.context('as').isLevelEnabled('debug'));
});

test('two sinks have levels of their own', t => {
  const folder = directory(t);
  const [quiet, loud] = [join(folder, 'quiet'), join(folder, 'loud')];
  const log = createLog([
    { kind: 'file', path: quiet, levels: new Map([['any', 'warning']]) },
    { kind: 'file', path: loud, levels: new Map([['any', 'debug']]) },
  ]);
  t.teardown(() => log.close());
  log.context('as').debug('small');
  log.context('as').warning('large');
  t.regex(readFileSync(quiet, 'utf8'), /^.*WARNING \(as\): large\n$/);
  t.regex(readFileSync(loud, 'utf8'), /^.*DEBUG \(as\): small\n.*WARNING \(as\): large\n$/);
  t.deepEqual(log.sinks(), [quiet, loud]);
});

test('levels are listed in the order of the reference and set while running', t => {
  const { log, lines } = fileLog(t, [['any', 'info']]);
  const levels = log.levels(0)!;
  t.deepEqual(levels[0], ['misc', 'info']);
  t.deepEqual(levels.at(-1), ['masking', 'info']);
  t.is(levels.length, LOG_CONTEXTS.length);

  t.true(log.setLevel(0, 'misc', 'DEBUG'));
  log.context('misc').debug('seen');
  log.context('as').debug('unseen');
  t.true(log.setLevel(0, 'any', 'critical'));
  log.context('misc').warning('unseen');
  t.is(lines().length, 1);
  t.deepEqual(log.levels(0)![0], ['misc', 'critical']);

  t.false(log.setLevel(1, 'misc', 'debug'));
  t.false(log.setLevel(0, 'nonsense', 'debug'));
  t.false(log.setLevel(0, 'misc', 'toString'));
  t.is(log.levels(1), undefined);
});

test('reopen follows a rotated file and loses no line', t => {
  const { log, path, lines } = fileLog(t, [['any', 'info']]);
  log.context('as').info('before');
  renameSync(path, `${path}.1`);
  log.context('as').info('between');
  log.reopen();
  log.context('as').info('after');
  t.is(readFileSync(`${path}.1`, 'utf8').split('\n').length - 1, 2);
  t.is(lines().length, 1);
  t.regex(lines()[0]!, /after$/);
});

test('a file that cannot be re-opened is kept, and that is logged', t => {
  const folder = directory(t);
  const inner = mkdtempSync(join(folder, 'inner-'));
  const log = createLog([
    { kind: 'file', path: join(inner, 'log'), levels: new Map([['any', 'info']]) },
    { kind: 'file', path: join(folder, 'other'), levels: new Map([['any', 'info']]) },
  ]);
  t.teardown(() => log.close());
  renameSync(inner, join(folder, 'moved'));
  log.reopen();
  log.reopen();
  t.regex(
    readFileSync(join(folder, 'moved', 'log'), 'utf8'),
    /WARNING \(config\): log sink .* cannot re-open: ENOENT/,
  );
  t.regex(readFileSync(join(folder, 'other'), 'utf8'), /cannot re-open/);
});

test('a sink that cannot work stops the start with its name and the cure', t => {
  const levels = new Map([['any', 'info']]);
  const missing = join(directory(t), 'absent', 'log');
  t.throws(() => createLog([{ kind: 'file', path: missing, levels }]), {
    instanceOf: LogError,
    message: /absent.*ENOENT/,
  });
  t.throws(() => createLog([{ kind: 'console', levels: new Map([['any', 'loud']]) }]), {
    message: /unknown level loud; one of critical, warning, info, debug, detail/,
  });
  t.throws(() => createLog([{ kind: 'console', levels: new Map([['nothing', 'info']]) }]), {
    message: /unknown context nothing/,
  });
});

test('lines written just before a process kills itself are not lost', t => {
  const path = join(directory(t), 'log');
  const program = `
    import { createLog } from ${JSON.stringify(LOG_MODULE)};
    const sinks = [{ kind: 'file', path: ${JSON.stringify(path)}, levels: new Map([['any', 'info']]) },
      { kind: 'console', levels: new Map([['any', 'info']]) }];
    const log = createLog(sinks);
    for (let i = 0; i < 100; i++) log.context('as').info('line ' + i);
    process.kill(process.pid, 'SIGKILL');`;
  const { stderr, signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  t.is(signal, 'SIGKILL');
  t.regex(readFileSync(path, 'utf8'), /line 99\n$/);
  t.regex(stderr, /INFO \(as\): line 99\n$/);
});

test('a worker thread hands its lines over, and follows a level set on the main thread', async t => {
  const { log, lines } = fileLog(t, [['any', 'info']]);
  const program = `
    import { parentPort, workerData } from 'node:worker_threads';
    import { ForwardingLog } from ${JSON.stringify(LOG_MODULE)};
    const storage = new ForwardingLog(workerData, line => parentPort.postMessage(line)).context('storage');
    storage.info('first');
    storage.debug('too quiet');
    parentPort.on('message', () => {
      storage.debug('second');
      parentPort.close();
    });
    parentPort.postMessage('ready');`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const worker = new Worker(url, { workerData: log.sharedThresholds });
  t.teardown(() => worker.terminate());
  await new Promise((resolve, reject) => {
    worker.on('message', (line: ForwardedLine | 'ready') => {
      if (line !== 'ready') return log.accept(line);
      log.setLevel(0, 'storage', 'debug');
      worker.postMessage('go on');
    });
    worker.on('error', reject);
    worker.on('exit', resolve);
  });
  t.deepEqual(
    lines().map(line => line.replace(/.*GMT: /, '')),
    ['INFO (storage): first', 'DEBUG (storage): second'],
  );
});

const missing = ['logger', 'python3'].filter(program => spawnSync(program, ['--version']).error);
if (missing.length > 0) console.warn(`SKIPPED: the syslog test needs ${missing.join(' and ')}`);
(missing.length > 0 ? test.skip : test)(
  'a syslog sink sends priority, tag and text of each line',
  async t => {
    const socket = join(directory(t), 'syslog');
    const program = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
for i in range(2): print(s.recv(4096).decode().strip(), flush=True)`;
    const listener = spawn('python3', ['-c', program, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => listener.kill('SIGKILL'));
    const received = createInterface({ input: listener.stdout })[Symbol.asyncIterator]();
    t.is((await received.next()).value, 'bound');

    const levels = new Map([['any', 'info']]);
    const log = createLog([{ kind: 'syslog', path: socket, facility: 'local3', tag: 'node-a', levels }]);
    t.deepEqual(log.sinks(), ['syslog']);
    log.context('as').info('one\ntwo');
    log.context('storage').critical('device gone');
    // local3 is 19: 19 * 8 + 6 (informational), 19 * 8 + 2 (critical)
    t.regex((await received.next()).value, /^<158>.* node-a: INFO \(as\): one \ttwo$/);
    t.regex((await received.next()).value, /^<154>.* node-a: CRITICAL \(storage\): device gone$/);
    log.close();
    t.throws(() => createLog([{ kind: 'syslog', path: '/nonexistent/log', levels }]), {
      message: /no socket \/nonexistent\/log/,
    });
    t.throws(() => createLog([{ kind: 'syslog', path: socket, facility: 'nowhere', levels }]), {
      message: /facility nowhere/,
    });
  },
);
