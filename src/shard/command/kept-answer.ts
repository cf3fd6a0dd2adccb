/** An answer that is kept until it may be sent: a copy of everything that `Answer` only refers to. */
import { Region } from '../../base/arena.js';
import { MSG_HEADER_SIZE } from '../../wire/message.js';
import type { Answer } from './answer.js';

const SIZE_MIN = 256; // bytes
const SIZE_KEPT_MAX = 64 * 1024; // larger memory is given back after use

export class KeptAnswer {
  #memory = new Region(SIZE_MIN);
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
    if (answer.messageSize > this.#memory.u8.length) this.#memory = new Region(answer.messageSize);
    answer.write(this.#memory, 0, 0);
  }

  /** Makes `answer` what it was; the bytes of its ops stay here. */
  restore(answer: Answer): void {
    answer.reset();
    answer.code = this.#code;
    answer.generation = this.#generation;
    answer.voidTimeSec = this.#voidTimeSec;
    if (this.#opCount > 0) answer.setBulk(this.#memory, MSG_HEADER_SIZE, this.#size, this.#opCount);
  }

  trim(): void {
    if (this.#memory.u8.length > SIZE_KEPT_MAX) this.#memory = new Region(SIZE_MIN);
  }
}
