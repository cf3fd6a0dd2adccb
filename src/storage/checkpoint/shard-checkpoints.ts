/**
 * The checkpoints of one shard: its two files, and the writer that fills them in turn. A shard whose files cannot be
 * opened does without; each of its starts is cold.
 */
import { StreamCipher } from '../cipher/stream-cipher.js';
import type { StorageLog } from '../device/storage-error.js';
import type { IoQueue } from '../io/io-queue.js';
import type { ExtentDescription } from '../write-block/shard-extent.js';
import { CheckpointFile } from './checkpoint-file.js';
import { type CheckpointSource, CheckpointWriter } from './checkpoint-writer.js';

export class ShardCheckpoints {
  readonly files: readonly CheckpointFile[];
  /** Checkpoints may exist that this start knows nothing of: in files that cannot be used, or are elsewhere. */
  readonly isBlind: boolean;
  /** Of an encrypted device set. */
  readonly cipher: StreamCipher | null;
  readonly writer: CheckpointWriter | undefined;

  /**
   * Opens the files, which have to be there. To be called before the first request of the worker's I/O.
   * @param isWriting false where a start has to read all blocks anyway: what is in the files is only made invalid.
   */
  constructor(
    extent: ExtentDescription,
    io: IoQueue,
    source: Omit<CheckpointSource, 'cipher'>,
    isWriting: boolean,
    log: StorageLog,
  ) {
    const paths = extent.checkpoints ?? [];
    const files: CheckpointFile[] = [];
    try {
      for (const path of paths) files.push(new CheckpointFile(path, io, extent.isDirect === true));
    } catch (error) {
      log.warning(`${extent.path} shard ${extent.owner.shard}: no checkpoints: ${(error as Error).message}`);
      for (const file of files.splice(0)) file.close();
    }
    this.files = files;
    this.cipher = extent.dataKey ? new StreamCipher(extent.dataKey, 'checkpoints') : null;
    this.isBlind =
      extent.mayHaveOtherCheckpoints === true || (extent.checkpoints !== undefined && files.length === 0);
    this.writer =
      isWriting && files.length > 0
        ? new CheckpointWriter({ ...source, cipher: this.cipher }, io, files, log)
        : undefined;
  }

  close(): void {
    if (this.writer) this.writer.close();
    else for (const file of this.files) file.close();
  }
}
