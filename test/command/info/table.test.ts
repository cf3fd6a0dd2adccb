import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { UNRECOGNIZED } from '../../../src/command/info/command.js';
import { answerInfo, INFO_COMMANDS } from '../../../src/command/info/table.js';
import { InfoConnection } from '../../../src/command/info/user-agents.js';
import { DEPRECATED_REQUESTS, INFO_COMPLETE } from '../../../src/observe/service-counters.js';
import { PROTO_HEADER_SIZE, PROTO_INFO, protoBodySize, writeProtoHeader } from '../../../src/wire/proto.js';
import { createFixture, type Fixture, REPOSITORY } from './info-fixture.js';

const RECORDED: readonly [string, string][] = JSON.parse(
  readFileSync(new URL('test/vectors/info.json', REPOSITORY), 'utf8'),
);

/**
 * Recorded commands that answer otherwise here: they change what is not built yet, and so are unknown, or they
 * read what such a command has made. Every other recorded command must agree.
 */
const DIFFERENCES = [
  /^sindex-(create|delete):/,
  /^sindex(-stat|-exists|-list)?[:/].*ix1/,
  /^sindex-list:(namespace=test)?$/,
  /^sindex\/test$/,
  /^smd-show:module=sindex$/,
  /^udf-(put|remove):/,
  /^udf-get:filename=t1\.lua$/,
  /^udf-list$/,
  /^eviction-reset:/,
];

/** A socket around the commands, enough for the program that compares answers. */
async function listen(fixture: Fixture): Promise<{ port: number; close(): void }> {
  const server = net.createServer(socket => {
    const connection = new InfoConnection();
    let pending = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => fixture.source.userAgents.remove(connection));
    socket.on('data', async data => {
      pending = Buffer.concat([pending, data]);
      if (pending.length < PROTO_HEADER_SIZE) return;
      const size = protoBodySize(pending, 0);
      if (pending.length < PROTO_HEADER_SIZE + size) return;
      const body = await answerInfo(fixture.source, connection, pending.subarray(PROTO_HEADER_SIZE));
      const header = new Uint8Array(PROTO_HEADER_SIZE);
      writeProtoHeader(header, 0, PROTO_INFO, body.length);
      socket.write(Buffer.concat([header, body]));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test('every recorded command agrees in form, apart from what is not built', async t => {
  const fixture = createFixture(t);
  const { port, close } = await listen(fixture);
  t.teardown(close);
  const program = fileURLToPath(new URL('test/support/tools/replay-info.mjs', REPOSITORY));
  const vectors = fileURLToPath(new URL('test/vectors/info.json', REPOSITORY));
  const run = promisify(execFile)(process.execPath, [program, '--port', `${port}`, '--file', vectors]);
  const { stdout } = await run.catch((failure: { stdout: string }) => failure);
  const differing = stdout.split('\n').filter(line => line.startsWith('✗'));
  const unexpected = differing.filter(line => {
    const command = JSON.parse(line.match(/^✗ ("(?:[^"\\]|\\.)*")/)![1]!) as string;
    return !DIFFERENCES.some(difference => difference.test(command));
  });
  t.deepEqual(unexpected, []);
  t.regex(stdout, /\d+ passed, \d+ failed\n$/);
});

test('answers whose value is the same on every server are the recorded ones', async t => {
  const { source, ask } = createFixture(t);
  const volatile =
    /^(cluster-stable|statistics|namespace\/|latencies|version|release|build_|partition-info|logs|smd-|get-config|best-practices|set-config|features|histogram)/;
  for (const [command, want] of RECORDED) {
    if (command === '(state)' || volatile.test(command) || command.includes('\n')) continue;
    if (DIFFERENCES.some(difference => difference.test(command))) continue;
    const connection = new InfoConnection();
    const body = await answerInfo(source, connection, Buffer.from(command));
    source.userAgents.remove(connection);
    t.is(Buffer.from(body).toString(), `${command}\t${want}\n`, command);
  }
  for (const [command, want] of RECORDED.filter(([name]) => name.startsWith('histogram:'))) {
    t.is(ask(command), want, command);
  }
});

test('namespace and statistics have the recorded keys in the recorded order', t => {
  const { ask } = createFixture(t);
  const keysOf = (answer: string) => answer.split(';').map(pair => pair.slice(0, pair.indexOf('=')));
  for (const command of ['namespace/test', 'namespace/dev', 'statistics']) {
    const want = keysOf(RECORDED.find(([name]) => name === command)![1]);
    const isRecorded = new Set(want);
    const got = keysOf(ask(command));
    t.deepEqual(
      got.filter(key => isRecorded.has(key)),
      want,
      command,
    );
    t.is(new Set(got).size, got.length, `${command} lists a key twice`);
  }
});

test('a request of several commands gets their answers in order', async t => {
  const { source } = createFixture(t);
  const body = await answerInfo(source, new InfoConnection(), Buffer.from('node\nnope\nbuild'));
  t.is(Buffer.from(body).toString(), `node\tBB901000000FC02\nnope\t${UNRECOGNIZED}\nbuild\t8.1.2.0\n`);
  t.is(source.counters.sum(INFO_COMPLETE), 1);
  t.is(source.latencies.info.total(), 1);
});

test('an empty request gets a summary', async t => {
  const { source } = createFixture(t);
  const text = Buffer.from(await answerInfo(source, new InfoConnection(), new Uint8Array(0))).toString();
  t.true(text.startsWith('node\tBB901000000FC02\nbuild\t8.1.2.0\n'));
});

test('a request that would cost too much is refused', async t => {
  const { source } = createFixture(t);
  const ask = async (text: string) =>
    Buffer.from(await answerInfo(source, new InfoConnection(), Buffer.from(text))).toString();
  t.is(await ask('node\n'.repeat(2000)), 'ERROR:4:too many commands\n');
  const long = await ask('partition-info\n'.repeat(1000));
  t.true(long.length < 70 * 1024 * 1024);
  t.true(long.endsWith('partition-info\tERROR:4:response too long\n'));
});

test('uses of commands on their way out are counted', t => {
  const { source, ask } = createFixture(t);
  ask('services');
  ask('node');
  t.is(source.counters.sum(DEPRECATED_REQUESTS), 1);
});

test('every command has a help text and survives any arguments', async t => {
  const { source, ask } = createFixture(t);
  t.is(ask('help').split(';').length, INFO_COMMANDS.size);
  for (const [name, command] of INFO_COMMANDS) {
    t.regex(command.help, /\S{2}/, name);
    const args = fc.string({ unit: 'binary', maxLength: 60 }).filter(text => !text.includes('\n'));
    // The dump that is cut by the size of its answer has a test of its own.
    if (name === 'partition-info') continue;
    await fc.assert(
      fc.asyncProperty(args, fc.constantFrom(':', '/', ';'), async (text, separator) => {
        const response = await answerInfo(
          source,
          new InfoConnection(),
          Buffer.from(`${name}${separator}${text}\n`),
        );
        t.is(response.filter(byte => byte === 0x0a).length, 1);
        t.false(Buffer.from(response).toString().includes('ERROR::internal'), `${name}${separator}${text}`);
      }),
      { numRuns: 20 },
    );
  }
});
