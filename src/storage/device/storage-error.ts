/** Storage we refuse to start with. `path` is the file or device; `reason` says what is wrong and what cures it. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly path: string;

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${path}: ${reason}`, options);
    this.path = path;
  }
}

/** Lines for the server's log. The server hands one in; a worker's travels to the main thread. */
export interface StorageLog {
  info(text: string): void;
  warning(text: string): void;
  critical(text: string): void;
}
