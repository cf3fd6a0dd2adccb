import { spawnSync } from 'node:child_process';
import { get, request } from 'node:http';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { type HealthReport, HttpListenError, startHttpServer } from '../../../src/net/http/server.js';
import { createLog } from '../../../src/observe/log.js';

const log = createLog([]).context('as');

async function serve(t: ExecutionContext, metrics = () => 'a 1\n') {
  const state: { report: HealthReport } = { report: { status: 'starting' } };
  const server = await startHttpServer('127.0.0.1', 0, { health: () => state.report, metrics }, log);
  t.teardown(() => server.close());
  return { server, state };
}

interface Reply {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

function ask(port: number, path: string, method = 'GET', body?: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, agent: false }, response => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', chunk => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: text }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

test('health is 503 until the server serves, 200 while it does, 503 when it drains', async t => {
  const { server, state } = await serve(t);
  const starting = await ask(server.port, '/health');
  t.is(starting.status, 503);
  t.deepEqual(JSON.parse(starting.body), { status: 'starting' });

  state.report = { status: 'ok', namespaces: ['test'] };
  const ok = await ask(server.port, '/health?verbose=1');
  t.is(ok.status, 200);
  t.is(ok.headers['content-type'], 'application/json');
  t.deepEqual(JSON.parse(ok.body), { status: 'ok', namespaces: ['test'] });

  state.report = { status: 'draining' };
  t.is((await ask(server.port, '/health')).status, 503);
});

test('metrics are sent whole, with the content type of Prometheus text', async t => {
  const text = 'aerospike_x{ns="test"} 1\n'.repeat(100_000);
  const { server } = await serve(t, () => text);
  const reply = await ask(server.port, '/metrics');
  t.is(reply.status, 200);
  t.is(reply.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.true(reply.body === text);
});

test('HEAD has the headers of GET and no body', async t => {
  const { server } = await serve(t);
  const reply = await ask(server.port, '/metrics', 'HEAD');
  t.is(reply.status, 200);
  t.is(reply.headers['content-length'], '4');
  t.is(reply.body, '');
});

test('other paths are 404, other methods 405', async t => {
  const { server } = await serve(t);
  for (const path of ['/', '/metric', '/metrics/x', '/toString', '/__proto__']) {
    t.is((await ask(server.port, path)).status, 404, path);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const reply = await ask(server.port, '/health', method, method === 'OPTIONS' ? undefined : 'body');
    t.is(reply.status, 405, method);
    t.is(reply.headers.allow, 'GET, HEAD');
  }
});

test('a source that throws gives 500, and the server goes on', async t => {
  let isBroken = true;
  const { server } = await serve(t, () => {
    if (isBroken) throw new Error('broken');
    return 'a 1\n';
  });
  t.is((await ask(server.port, '/metrics')).status, 500);
  isBroken = false;
  t.is((await ask(server.port, '/metrics')).body, 'a 1\n');
});

test('bytes that are no HTTP do not disturb the server', async t => {
  const { server } = await serve(t);
  for (const bytes of [
    '\x02\x01\x00\x00\x00\x00\x00\x00',
    'GET /health HTTP/9.9\r\n\r\n',
    `GET /${'a'.repeat(100_000)}`,
  ]) {
    await new Promise<void>(resolve => {
      const socket = connect(server.port, '127.0.0.1', () =>
        socket.write(bytes, () => setTimeout(() => socket.destroy(), 20)),
      );
      socket.on('error', () => {}); // refused is as good as closed
      socket.on('close', () => resolve());
    });
  }
  t.is((await ask(server.port, '/metrics')).status, 200);
});

test('a port in use is refused with its address and the settings to change', async t => {
  const { server } = await serve(t);
  const second = startHttpServer(
    '127.0.0.1',
    server.port,
    { health: () => ({ status: 'ok' }), metrics: () => '' },
    log,
  );
  await t.throwsAsync(second, {
    instanceOf: HttpListenError,
    message: new RegExp(`cannot open HTTP port 127\\.0\\.0\\.1:${server.port}: .*http-port`),
  });
});

test('the address `any` takes IPv4 and IPv6', async t => {
  const server = await startHttpServer(
    'any',
    0,
    { health: () => ({ status: 'ok' }), metrics: () => '' },
    log,
  );
  t.teardown(() => server.close());
  t.is((await ask(server.port, '/health')).status, 200);
  const overIpv6 = await new Promise<number>((resolve, reject) => {
    get({ host: '::1', port: server.port, path: '/health', agent: false }, reply => {
      reply.resume();
      resolve(reply.statusCode!);
    }).on('error', reject);
  });
  t.is(overIpv6, 200);
});

test('after close nobody listens', async t => {
  const { server } = await serve(t);
  server.close();
  server.close();
  await t.throwsAsync(ask(server.port, '/health'), { code: 'ECONNREFUSED' });
});

/** The stand-in is chosen when the module is loaded, so it gets a process of its own. */
test('the JavaScript stand-in answers the same', t => {
  const module = new URL('../../../src/net/http/server.js', import.meta.url).href;
  const program = `
    import { startHttpServer } from ${JSON.stringify(module)};
    const log = { info: text => console.error(text), warning() {} };
    const sources = { health: () => ({ status: 'ok' }), metrics: () => 'x'.repeat(1e6) };
    const server = await startHttpServer('127.0.0.1', 0, sources, log);
    const answers = [];
    for (const [method, path] of [['GET', '/health?a=b'], ['HEAD', '/metrics'], ['GET', '/metrics'], ['POST', '/health'], ['GET', '/no']]) {
      const reply = await fetch('http://127.0.0.1:' + server.port + path, { method });
      answers.push([reply.status, reply.headers.get('content-length'), (await reply.text()).length]);
    }
    const taken = await startHttpServer('127.0.0.1', server.port, sources, log).catch(error => error.name);
    server.close();
    console.error(JSON.stringify([answers, taken]));`;
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    env: { ...process.env, UWS_USE_FALLBACK: '1' },
    timeout: 30_000,
  });
  t.is(status, 0, stderr);
  t.regex(stderr, /JavaScript stand-in/);
  const [answers, taken] = JSON.parse(stderr.trim().split('\n').at(-1)!);
  t.deepEqual(answers, [
    [200, '16', 16],
    [200, '1000000', 0],
    [200, '1000000', 1e6],
    [405, '36', 36],
    [404, '10', 10],
  ]);
  t.is(taken, 'HttpListenError');
});
