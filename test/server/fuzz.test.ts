import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const SCRIPT = fileURLToPath(new URL('../../scripts/fuzz-net.js', import.meta.url));

/** Runs the script. @returns Its exit code and what it wrote. */
function run(...args: string[]): Promise<{ exitCode: number; output: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [SCRIPT, ...args], (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exitCode: code, output: `${stdout}${stderr}` });
    });
  });
}

test.serial('a server lives through mutated requests, resets and broken frames', async t => {
  const { exitCode, output } = await run('--seconds', '25');
  t.log(output.split('\n').slice(0, 2).join(', '));
  t.is(exitCode, 0, output);
  t.regex(output, /^seed \d+$/m);
});

test.serial('every request with operations and expressions is answered, in time and well formed', async t => {
  // Time is not what a machine shared with other tests can tell: that is for a run by hand.
  const { exitCode, output } = await run('--kind', 'types', '--seconds', '10', '--time-max', '1000');
  t.log(output.split('\n').slice(0, 1).join(', '));
  t.is(exitCode, 0, output);
});

test.serial('what a request with operations and expressions takes is free again after it', async t => {
  // What V8 still has to compile and single large pages are 5 to 10 % here; a kilobyte that leaks a request would be 20.
  const { exitCode, output } = await run(
    ...['--kind', 'types', '--count', '80000', '--seconds', '180', '--seed', '7800'],
    ...['--time-max', '5000', '--growth-max', '1.2'],
  );
  t.log(output.split('\n').at(-4));
  t.is(exitCode, 0, output);
  t.regex(output, /^last quarter over second: /m);
});
