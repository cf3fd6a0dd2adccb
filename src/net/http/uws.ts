/**
 * Loads uWebSockets.js. The package brings binaries for some Node versions (20 among them) and a
 * JavaScript stand-in on node:http for all others, which lacks much of the interface and closes
 * differently; `isNative` tells which one runs.
 */
import { createRequire } from 'node:module';

type UwsModule = typeof import('uWebSockets.js');
type UwsApp = import('uWebSockets.js').TemplatedApp;
export type ListenSocket = import('uWebSockets.js').us_listen_socket;
export type { HttpRequest, HttpResponse } from 'uWebSockets.js';

/** Host, port, options, callback: both implementations take all four, the published types forget that form. */
type Listen = (
  host: string,
  port: number,
  options: number,
  done: (socket: ListenSocket | false) => void,
) => void;

export interface Uws {
  app: () => UwsApp;
  listen: (app: UwsApp, ...parameters: Parameters<Listen>) => void;
  closeListenSocket: UwsModule['us_listen_socket_close'];
  localPort: UwsModule['us_socket_local_port'];
  isNative: boolean;
  /** For the log: what runs and why. */
  description: string;
}

/** Loaded on first use, since most test processes and tools need no HTTP. */
export function loadUws(): Uws {
  const consoleWarn = console.warn;
  const complaints: string[] = [];
  // When no binary fits, the package says so on the console; our log says it instead.
  console.warn = (text: unknown) => void complaints.push(String(text));
  let uws: UwsModule;
  try {
    uws = createRequire(import.meta.url)('uWebSockets.js');
  } finally {
    console.warn = consoleWarn;
  }
  const isNative = 'SSLApp' in uws;
  if (isNative) uws._cfg('silent'); // no header that names the library and its version
  const reason = `no binary for Node ${process.versions.node} on ${process.platform}-${process.arch}`;
  return {
    app: uws.App,
    listen: (app, ...parameters) => (app.listen as unknown as Listen).apply(app, parameters),
    closeListenSocket: uws.us_listen_socket_close,
    localPort: uws.us_socket_local_port,
    isNative,
    description: isNative ? 'uWebSockets.js, native' : `uWebSockets.js, JavaScript stand-in: ${reason}`,
  };
}
