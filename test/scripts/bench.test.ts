import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import {
  preciseTime,
  processorTime,
  residentSize,
  timeBetween,
} from '../../scripts/support/processor-time.js';

const scriptFile = (name: string) => fileURLToPath(new URL(`../../scripts/${name}.js`, import.meta.url));
const hasCompiler = spawnSync('cc', ['--version']).status === 0;

async function run(script: string, args: readonly string[]): Promise<{ code: number; text: string }> {
  const child = spawn(process.execPath, [scriptFile(script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      text += chunk;
    });
  }
  const [code] = (await once(child, 'close')) as [number];
  return { code, text };
}

(hasCompiler ? test : test.skip)('bench prints a row a load, with the ratio to the floor', async t => {
  const { code, text } = await run('bench', ['--runs', '1', '--secs', '0.3', '--only', 'reads-4,batch']);
  t.is(code, 0, text);
  t.regex(
    text,
    /^\| reads, 4 connections \| \d+ \| \d+ \| \d+\.\d\d \|( \d+\.\d\d \|){4}( \d+\.\d \+ \d+\.\d \|){2}$/m,
  );
  t.regex(text, /^\| batches of 100 reads, 16 connections \| \d+ \(\d+ records\/s\) \| – \| – \|/m);
  t.regex(text, /An idle server uses \d+\.\d\d % of one core/);
});

for (const [script, args] of [
  ['bench', ['--only', 'nothing']],
  ['bench', ['--runs', '0']],
  ['soak', ['--storage', 'tape']],
  ['smoke-clients', ['--only', 'cobol']],
] as const) {
  test(`${script} ${args.join(' ')} is refused with the help text`, async t => {
    const { code, text } = await run(script, args);
    t.is(code, 2);
    t.regex(text, new RegExp(`Usage: scripts/${script}`));
  });
}

test('soak reports the quarters of the resident size and what was not found', async t => {
  const { text } = await run('soak', [
    '--count',
    '30000',
    '--keys',
    '2000',
    '--churn',
    '100',
    '--connections',
    '16',
  ]);
  t.regex(text, /^30000 requests, \d+ a second, 0 records not found$/m);
  t.regex(text, /^largest resident size by quarter, MiB: (\d+\.\d(, )?){4}$/m);
});

test('processor time tells the main thread from the others, and user from system', t => {
  const before = processorTime(process.pid);
  const preciseBefore = preciseTime(process.pid);
  const usageBefore = process.cpuUsage();
  const used = () => {
    const { user, system } = process.cpuUsage(usageBefore);
    return (user + system) / 1e6;
  };
  while (used() < 0.3); // however long that takes while others have the processor
  const time = timeBetween(before, processorTime(process.pid));
  const precise = preciseTime(process.pid) - preciseBefore;
  const sum = time.mainUser + time.mainSystem + time.othersUser + time.othersSystem;
  t.true(Math.abs(sum - 0.3) < 0.1, `${sum} s`);
  t.true(Math.abs(precise - 0.3) < 0.1, `${precise} s`);
  t.true(time.mainUser + time.mainSystem > 0.15, 'the main thread did the work');
  t.true(residentSize(process.pid) > 20 * 1024 ** 2);
});
