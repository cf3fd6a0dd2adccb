/** Which sockets a server has: native ones where they can be had, else those of Node. */
import { nativeModule } from '../../base/native-module.js';
import { ConfigError } from '../../config/config-error.js';
import type { ServerConfig } from '../../config/server-config.js';
import { NativeSockets } from './native-sockets.js';
import { NodeSockets } from './node-sockets.js';
import type { SocketEngine, SocketEvents } from './socket-engine.js';

/** @returns The engine, and why it is not native where nobody asked for that. @throws ConfigError when `native` was demanded. */
export function createSocketEngine(
  config: ServerConfig,
  events: SocketEvents,
): { engine: SocketEngine; reason: string } {
  const wish = config.service.string('socket-engine');
  if (wish === 'node') return { engine: new NodeSockets(events), reason: '' };
  const native = nativeModule();
  if (typeof native !== 'string') return { engine: new NativeSockets(native, events), reason: '' };
  if (wish === 'native') {
    throw new ConfigError(config.source, [{ line: 0, path: 'service.socket-engine', reason: native }]);
  }
  return { engine: new NodeSockets(events), reason: ` (${native})` };
}
