/**
 * The HTTP port: `/health` for load balancers and scripts, `/metrics` for Prometheus. It knows neither
 * statistics nor state; both are handed in as functions that answer at once on the main thread.
 */
import type { LogContext } from '../../observe/log.js';
import { type HttpRequest, type HttpResponse, type ListenSocket, loadUws, type Uws } from './uws.js';

export interface HttpSources {
  /** Asked on each `/health`: 200 while `status` is `ok`, 503 else. The object is the answer's JSON. */
  health(): HealthReport;
  /** Prometheus text, as `renderMetrics` makes it. */
  metrics(): string;
}

export interface HealthReport {
  status: 'starting' | 'ok' | 'draining';
  [fact: string]: unknown;
}

/** The HTTP port cannot be opened. */
export class HttpListenError extends Error {
  override readonly name = 'HttpListenError';
}

interface Answer {
  status: string;
  type: string;
  body: string;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

/** Without it uWebSockets.js sets SO_REUSEPORT, and a second server would share the port unnoticed. */
const LISTEN_EXCLUSIVE = 1;

const ROUTES: Readonly<Record<string, (sources: HttpSources) => Answer>> = {
  '/health': sources => {
    const report = sources.health();
    const status = report.status === 'ok' ? '200 OK' : '503 Service Unavailable';
    return { status, type: JSON_TYPE, body: `${JSON.stringify(report)}\n` };
  },
  '/metrics': sources => ({ status: '200 OK', type: PROMETHEUS, body: sources.metrics() }),
};

export class HttpServer {
  readonly port: number;
  readonly #uws: Uws;
  #listening: ListenSocket | undefined;

  constructor(uws: Uws, listening: ListenSocket) {
    this.#uws = uws;
    this.#listening = listening;
    this.port = uws.localPort(listening);
  }

  /** Takes no further connections. Those open end with the answer they wait for, or idle out in 10 s. */
  close(): void {
    if (this.#listening === undefined) return;
    this.#uws.closeListenSocket(this.#listening);
    this.#listening = undefined;
  }
}

/**
 * @param address An IP address of this machine, or `any`.
 * @param port    0 takes a free one.
 * @throws HttpListenError when the port cannot be opened.
 */
export async function startHttpServer(
  address: string,
  port: number,
  sources: HttpSources,
  log: LogContext,
): Promise<HttpServer> {
  const uws = loadUws();
  const app = uws.app();
  // One handler for everything: the stand-in's router does not treat HEAD, queries and 404 as the binary's.
  app.any('/*', (response, request) => {
    const isHead = request.getMethod().toLowerCase() === 'head';
    send(uws, response, isHead, answer(request, sources, log));
  });
  const host = address === 'any' ? '::' : address;
  const listening = await new Promise<ListenSocket | false>(resolve => {
    uws.listen(app, host, port, LISTEN_EXCLUSIVE, resolve);
  });
  if (!listening) {
    // uWebSockets.js does not say which of them it was.
    const reason = 'it is in use, not an address of this machine, or not permitted';
    throw new HttpListenError(
      `cannot open HTTP port ${address}:${port}: ${reason} (http-address, http-port)`,
    );
  }
  const server = new HttpServer(uws, listening);
  log.info(`HTTP on ${address}:${server.port}: ${Object.keys(ROUTES).join(', ')} (${uws.description})`);
  return server;
}

function answer(request: HttpRequest, sources: HttpSources, log: LogContext): Answer {
  const path = request.getUrl().split('?', 1)[0]!;
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (route === undefined) return { status: '404 Not Found', type: TEXT, body: 'not found\n' };
  const method = request.getMethod().toLowerCase();
  if (method !== 'get' && method !== 'head') {
    return { status: '405 Method Not Allowed', type: TEXT, body: 'only GET and HEAD are answered here\n' };
  }
  try {
    return route(sources);
  } catch (error) {
    // An exception that reached uWebSockets.js would end the process: a scrape must not.
    log.warning(`HTTP ${path}: ${(error as Error).stack}`);
    return { status: '500 Internal Server Error', type: TEXT, body: 'internal error, see the log\n' };
  }
}

function send(uws: Uws, response: HttpResponse, isHead: boolean, { status, type, body }: Answer): void {
  // endWithoutBody() does not count as an answer, and a handler that returns without an answer and
  // without this ends the process. It then runs when the connection closes; nothing is left to do.
  response.onAborted(() => {});
  response.writeStatus(status).writeHeader('Content-Type', type).writeHeader('Cache-Control', 'no-store');
  if (status.startsWith('405')) response.writeHeader('Allow', 'GET, HEAD');
  if (uws.isNative) {
    if (isHead) response.endWithoutBody(Buffer.byteLength(body), true);
    else response.end(body, true);
  } else {
    // The stand-in's closing end() destroys the socket before the answer has left.
    response
      .writeHeader('Connection', 'close')
      .writeHeader('Content-Length', String(Buffer.byteLength(body)));
    response.end(body);
  }
}
