/**
 * Lints, runs the tests and ends with the line `N passed, N failed`. Run by scripts/test, which has
 * installed and built by then. Results are read from ava's TAP output; what ava cannot attribute to a
 * test (a crash, a hanging process) counts as one failure more.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const RUN_TIMEOUT_MS = 30 * 60_000;
const AVA = 'node_modules/ava/entrypoints/cli.mjs';
const BIOME = 'node_modules/.bin/biome';
const TESTS = 'dist/test';

/** Files at once: some of them take a gigabyte of memory. */
const AT_ONCE_MAX = 4;
/**
 * Tests that only compute: without a server, without processes or threads of their own, without a clock. As many of
 * these files run at once as there are processors, or AT_ONCE_MAX; each of the others has the machine for itself.
 */
const COMPUTING =
  /^dist\/test\/(config|crash\/(?!server-crash)|data|expression|storage\/(cipher|codec|defrag|expiry|index|memory|write-block)|wire)\b/;

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { node: { type: 'string' }, help: { type: 'boolean' } },
});
if (values.help) {
  console.log(
    'scripts/test [--node VERSION] [FILE...]: installs, builds, lints and runs every test, or those in FILEs',
  );
} else {
  process.exitCode = await run();
}

async function run(): Promise<number> {
  const node = values.node === undefined ? process.execPath : fetchNode(values.node);
  const lintFailures = positionals.length > 0 ? 0 : lint();
  const files = positionals.length > 0 ? positionals.map(compiledPath) : allTests();
  console.log(`# tests, ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);
  const totals: Totals = { passed: 0, failed: lintFailures, skipped: 0 };
  const stop = new AbortController();
  const late = 'the tests take longer than 30 minutes';
  const timer = setTimeout(() => stop.abort(late), RUN_TIMEOUT_MS);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort(`got ${signal}`));
  for (const [isComputing, atOnce] of [
    [true, Math.min(availableParallelism(), AT_ONCE_MAX)],
    [false, 1],
  ] as const) {
    const group = files.filter(file => COMPUTING.test(file) === isComputing);
    if (group.length > 0 && !stop.signal.aborted) await runTests(node, group, atOnce, stop.signal, totals);
  }
  clearTimeout(timer);
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
  console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
  return totals.failed === 0 && totals.passed > 0 ? 0 : 1;
}

/** @returns 1 when the linter or formatter finds anything. */
function lint(): number {
  console.log('# lint');
  const { status, error } = spawnSync(BIOME, ['ci', '--colors=off', '.'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error) console.error(`cannot run the linter: ${error.message}`);
  return status === 0 ? 0 : 1;
}

/**
 * Runs tests.
 * @param atOnce Files.
 * @param stop   Ends them, with its reason.
 * @param totals Is added to: at least one failure when the run itself failed or ran no test.
 */
async function runTests(
  node: string,
  files: readonly string[],
  atOnce: number,
  stop: AbortSignal,
  totals: Totals,
): Promise<void> {
  const before = { ...totals };
  // Tests start programs by the name `node` too.
  const path = `${dirname(node)}${delimiter}${process.env.PATH}`;
  const ava = spawn(node, [AVA, '--tap', `--concurrency=${atOnce}`, ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: path },
    detached: true, // a process group of its own, so that a hanging run can be ended with all it started
  });
  stop.onabort = () => endGroup(ava, stop.reason as string);
  const closed = new Promise<number>(resolve => ava.on('close', code => resolve(code ?? 1)));
  for await (const line of createInterface({ input: ava.stdout })) {
    count(line, totals);
    console.log(line);
  }
  const code = await closed;
  stop.onabort = null;
  const failed = totals.failed - before.failed;
  if ((code !== 0 && failed === 0) || totals.passed + failed === before.passed) {
    console.error(`the test runner ended with code ${code} and ${failed} failed tests`);
    totals.failed++;
  }
}

/** Every compiled test. */
function allTests(): string[] {
  return readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.test.js'))
    .map(file => join(TESTS, file))
    .sort();
}

/** Adds one line of TAP: `ok 3 - title`, `not ok 4 - title`, `ok 5 - title # SKIP`. */
function count(line: string, totals: Totals): void {
  const result = /^(not )?ok \d+( .*)?$/.exec(line);
  if (result === null) return;
  if (/ # (SKIP|TODO)\b/.test(line)) totals.skipped++;
  else if (result[1]) totals.failed++;
  else totals.passed++;
}

function endGroup(child: ChildProcess, reason: string): void {
  console.error(`ending the tests: ${reason}`);
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // the group is gone already
  }
}

/** `test/a.test.ts` → `dist/test/a.test.js`; what is compiled already stays. */
function compiledPath(file: string): string {
  return file.startsWith('dist/') ? file : join('dist', file.replace(/\.ts$/, '.js'));
}

/** Fetches Node as an npm package, once, and returns the path of its binary. */
function fetchNode(version: string): string {
  const folder = `node_modules/.cache/node-${version}`;
  const name = `node-linux-${process.arch}`;
  const binary = join(process.cwd(), folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(binary)) {
    console.log(`# fetching Node ${version}`);
    mkdirSync(folder, { recursive: true });
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
    const install = ['install', '--prefix', folder, ...options, `${name}@${version}`];
    spawnSync('npm', install, { stdio: ['ignore', 'inherit', 'inherit'] });
  }
  if (spawnSync(binary, ['--version']).status !== 0) {
    console.log('0 passed, 1 failed');
    console.error(`Node ${version} cannot be had as the npm package ${name}@${version}`);
    process.exit(1);
  }
  return binary;
}
