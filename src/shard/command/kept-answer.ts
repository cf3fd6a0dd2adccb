/** An answer that is kept until it may be sent: a copy of everything that `Answer` only refers to. */
import { MSG_HEADER_SIZE } from '../../wire/message.js';
import type { Answer } from './answer.js';

const SIZE_MIN = 256; // bytes
const SIZE_KEPT_MAX = 64 * 1024; // larger memory is given back after use

export class KeptAnswer {
  #bytes = new Uint8Array(SIZE_MIN);
  #size = 0;
  #code = 0;
  #generation = 0;
  #voidTimeSec = 0;
  #opCount = 0;

  keep(answer: Answer): void {
    this.#size = answer.opsSize;
    this.#code = answer.code;
    this.#generation = answer.generation;
    this.#voidTimeSec = answer.voidTimeSec;
    this.#opCount = answer.opCount;
    if (answer.messageSize > this.#bytes.length) this.#bytes = new Uint8Array(answer.messageSize);
    answer.write(this.#bytes, 0, 0);
  }

  /** Makes `answer` what it was; the bytes of its ops stay here. */
  restore(answer: Answer): void {
    answer.reset();
    answer.code = this.#code;
    answer.generation = this.#generation;
    answer.voidTimeSec = this.#voidTimeSec;
    if (this.#opCount > 0) answer.setBulk(this.#bytes, MSG_HEADER_SIZE, this.#size, this.#opCount);
  }

  trim(): void {
    if (this.#bytes.length > SIZE_KEPT_MAX) this.#bytes = new Uint8Array(SIZE_MIN);
  }
}
