/**
 * Keeps a second process off a device or data file. The lock is an abstract unix socket whose name holds the
 * file's device and inode numbers: whatever path leads to it, it is one lock, and the kernel drops it with the
 * process, however that ends. It holds within a network namespace, so not between containers that share a
 * volume but no network.
 */
import net from 'node:net';
import { StorageError } from './storage-error.js';

/** A server that is being restarted may still be closing its files. */
const RETRY_FOR_MS = 1000;
const RETRY_EVERY_MS = 50;

export interface DeviceLock {
  release(): Promise<void>;
}

/**
 * Takes the lock of the file or device that is known by `identity`, whatever path leads to it.
 * @throws StorageError when another process (or this one) holds it for longer than a second.
 */
export async function lockDevice(path: string, identity: string): Promise<DeviceLock> {
  const deadline = Date.now() + RETRY_FOR_MS;
  for (;;) {
    const server = await listen(`\0caltrop-lock:${identity}`, path);
    if (server) {
      return { release: () => new Promise(resolve => server.close(() => resolve())) };
    }
    if (Date.now() >= deadline) {
      throw new StorageError(path, 'is in use by another process; stop that one, or name another file');
    }
    await new Promise(resolve => setTimeout(resolve, RETRY_EVERY_MS));
  }
}

function listen(name: string, path: string): Promise<net.Server | null> {
  return new Promise((resolve, reject) => {
    const server = net.createServer(socket => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(new StorageError(path, `cannot be locked: ${error.message}`, { cause: error }));
    });
    server.listen({ path: name }, () => {
      server.unref();
      resolve(server);
    });
  });
}
