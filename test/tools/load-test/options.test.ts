import test from 'ava';
import { HELP, parseOptions } from '../../../src/tools/load-test/options.js';
import { parseWorkload, shareStart } from '../../../src/tools/load-test/workload.js';

test('without arguments it loads the local server for ten seconds', t => {
  const options = parseOptions([])!;
  t.is(options.plan.host, '127.0.0.1');
  t.is(options.plan.port, 3000);
  t.is(options.plan.durationMs, 10_000);
  t.is(options.plan.warmupMs, 1000);
  t.is(options.plan.rate, undefined);
  t.deepEqual(options.plan.workload, { kind: 'mix', readPct: 50 });
  t.deepEqual(options.percentiles, [50, 90, 99, 99.9]);
});

test('an insert and a count end by themselves, unmeasured time included', t => {
  t.is(parseOptions(['-w', 'I'])!.plan.durationMs, undefined);
  t.is(parseOptions(['--count', '5'])!.plan.durationMs, undefined);
  t.is(parseOptions(['--count', '5'])!.plan.warmupMs, 0);
  t.is(parseOptions(['--count', '5', '-t', '2'])!.plan.durationMs, 2000);
});

test('every option is read, long, short and with =', t => {
  const { plan, threadCount, percentiles, jsonFile, isQuiet } = parseOptions(
    [
      [
        '-h',
        '::1',
        '-p',
        '4000',
        '-n',
        'ns',
        '-s',
        'st',
        '-k',
        '7',
        '-K',
        '9',
        '-o',
        'I4,S3',
        '-b',
        'x',
        '-w',
        'RU,99.5',
      ],
      [
        '-z',
        '3',
        '-c',
        '8',
        '-t',
        '0.5',
        '--warmup',
        '0',
        '-g',
        '10.5',
        '--batch-size=20',
        '--churn=4',
        '--timeout=0',
      ],
      ['--seed=5', '--verify', '--latency=1,99.99', '--json=out', '-q'],
    ].flat(),
  )!;
  t.deepEqual(plan, {
    host: '::1',
    port: 4000,
    namespace: 'ns',
    set: 'st',
    keyCount: 7,
    startKey: 9,
    bins: [
      { name: 'x', kind: 'I', sizeMin: 4, sizeMax: 4 },
      { name: 'x_2', kind: 'S', sizeMin: 3, sizeMax: 3 },
    ],
    workload: { kind: 'mix', readPct: 99.5 },
    connectionCount: 8,
    durationMs: 500,
    warmupMs: 0,
    requestCount: undefined,
    rate: 10.5,
    batchSize: 20,
    churn: 4,
    timeoutMs: 0,
    seed: 5,
    verify: true,
  });
  t.is(threadCount, 3);
  t.deepEqual(percentiles, [1, 99.99]);
  t.is(jsonFile, 'out');
  t.true(isQuiet);
});

for (const args of [
  ['--nonsense'],
  ['stray'],
  ['--port', '0'],
  ['--port', '65536'],
  ['--keys', '1.5'],
  ['--keys', ''],
  ['--workload', 'RU,101'],
  ['--workload', 'XX'],
  ['--object-spec', 'Q1'],
  ['--rate', 'fast'],
  ['--rate', '0'],
  ['--latency', '50,200'],
  ['--batch-size', '0'],
]) {
  test(`'${args.join(' ')}' is refused with its name`, t => {
    t.throws(() => parseOptions(args), {
      name: 'UsageError',
      message: new RegExp(args[0]!.replace(/^--/, '')),
    });
  });
}

test('--help is not an error and names every option', t => {
  t.is(parseOptions(['--help']), undefined);
  for (const name of ['--rate', '--churn', '--verify', '--json', '--warmup']) t.true(HELP.includes(name));
});

test('a workload is I or RU with a percentage', t => {
  t.deepEqual(parseWorkload('I'), { kind: 'insert', readPct: 0 });
  t.deepEqual(parseWorkload('RU'), { kind: 'mix', readPct: 50 });
  t.deepEqual(parseWorkload('RU,0'), { kind: 'mix', readPct: 0 });
  t.is(parseWorkload('RU,'), undefined);
});

test('shares are whole, nearly equal and add up', t => {
  for (const [count, parts] of [
    [10, 3],
    [2, 4],
    [100, 1],
  ] as const) {
    const sizes = Array.from(
      { length: parts },
      (_, i) => shareStart(count, i + 1, parts) - shareStart(count, i, parts),
    );
    t.is(
      sizes.reduce((sum, size) => sum + size, 0),
      count,
    );
    t.true(Math.max(...sizes) - Math.min(...sizes) <= 1);
  }
});
