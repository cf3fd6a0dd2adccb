import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const SCRIPT = fileURLToPath(new URL('../../scripts/fuzz-net.js', import.meta.url));
const SECONDS = 25;

test('a server lives through mutated requests, resets and broken frames', async t => {
  const { exitCode, output } = await new Promise<{ exitCode: number; output: string }>(resolve => {
    execFile(process.execPath, [SCRIPT, '--seconds', String(SECONDS)], (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exitCode: code, output: `${stdout}${stderr}` });
    });
  });
  t.log(output.split('\n').slice(0, 2).join(', '));
  t.is(exitCode, 0, output);
  t.regex(output, /^seed \d+$/m);
});
