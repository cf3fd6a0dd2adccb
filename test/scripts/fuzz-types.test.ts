import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const SCRIPT = fileURLToPath(new URL('../../scripts/fuzz-types.js', import.meta.url));
const SECONDS = 10;

/** Runs the script. @returns Its exit code and what it wrote. */
function run(...args: string[]): Promise<{ exitCode: number; output: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [SCRIPT, ...args], (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exitCode: code, output: `${stdout}${stderr}` });
    });
  });
}

test.serial(
  'operations and expressions answer alike whatever lies around them, in time and well formed',
  async t => {
    const { exitCode, output } = await run('--seconds', String(SECONDS));
    t.log(
      output
        .split('\n')
        .filter(line => /^seed|cases in/.test(line))
        .join(', '),
    );
    t.is(exitCode, 0, output);
  },
);

test.serial('doubles that are no numbers do no harm', async t => {
  const { exitCode, output } = await run('--nan', '--cases', '20000');
  t.is(exitCode, 0, output);
});

test.serial('indexes that are damaged do no harm', async t => {
  const { exitCode, output } = await run('--damage', '--cases', '20000');
  t.is(exitCode, 0, output);
});

test.serial('a seed makes the same cases again, and a printed case can be repeated', async t => {
  const first = await run('--cases', '2000', '--seed', '7');
  const second = await run('--cases', '2000', '--seed', '7');
  const codes = (output: string) => output.match(/^codes: [^;]*/m)?.[0];
  t.is(codes(first.output), codes(second.output));
  t.regex(first.output, /^2000 cases in/m);
  const one = await run('--case', 'cdt modify 4 20:9105 920106');
  t.regex(one.output, /answers 0\n/);
});
