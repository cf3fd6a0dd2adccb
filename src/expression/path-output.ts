/** What a path answers, or makes of a list or map, while its size is not known yet. It grows; instances are reused. */
import { copyBytes } from '../base/copy.js';
import { headSize } from '../data/cdt/persisted-index.js';
import { MAP } from '../data/msgpack/element.js';
import { Writer } from '../data/msgpack/writer.js';

const SIZE_MIN = 4096; // bytes
const SIZE_KEPT = 1 << 20;
/** Room for the header of a container before its count is known, with its flag element. */
const HEAD_SIZE_MAX = 10;

export class PathOutput {
  bytes = new Uint8Array(SIZE_MIN);
  at = 0;
  readonly #writer = new Writer();

  start(): void {
    this.at = 0;
    if (this.bytes.length > SIZE_KEPT) this.bytes = new Uint8Array(SIZE_MIN);
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.at + size, this.bytes.length * 2));
    copyBytes(larger, 0, this.bytes, 0, this.at);
    this.bytes = larger;
  }

  copy(bytes: Uint8Array, at: number, end: number): void {
    this.reserve(end - at);
    copyBytes(this.bytes, this.at, bytes, at, end - at);
    this.at += end - at;
  }

  /** Begins a list or map. @returns Where its content starts; for `close`. */
  open(): number {
    this.reserve(HEAD_SIZE_MAX);
    this.at += HEAD_SIZE_MAX;
    return this.at;
  }

  /**
   * Writes the header of the container whose content began at `contentAt` and moves the content up to it.
   * @param type  LIST or MAP (element types). @param count elements or pairs. @param flags of the container, or 0.
   * @returns Where the container starts.
   */
  close(contentAt: number, type: number, count: number, flags: number): number {
    const at = contentAt - HEAD_SIZE_MAX;
    const size = this.at - contentAt;
    this.#writer.start(this.bytes, at);
    const counted = count + (flags === 0 ? 0 : 1);
    if (type === MAP) this.#writer.mapHeader(counted, flags);
    else this.#writer.listHeader(counted, flags);
    const to = at + headSize(type, count, flags, 0);
    this.bytes.copyWithin(to, contentAt, contentAt + size);
    this.at = to + size;
    return at;
  }
}
