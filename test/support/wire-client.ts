/**
 * A client of the wire protocol that can also do everything a client should not: it sends whatever bytes it
 * is given, in whatever pieces, and hands back whole frames. Its messages are built and decoded here, apart
 * from the server's own codecs, from protocol 01 and 03.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { deflateSync, inflateSync } from 'node:zlib';

/** For an answer that never comes; one that a busy machine gives late is to be waited for. */
const ANSWER_MS = 60_000;
const STEP_MS = 1000;

/** An op: code, particle type, bin name, value. */
export interface Op {
  readonly op: number;
  readonly type: number;
  readonly name: string;
  readonly value: Buffer;
}

/** A field: type and data. */
export type Field = readonly [type: number, data: Buffer];

/** A data message; what is left out is 0, namespace `test`, no set. */
export interface Message {
  readonly info1?: number;
  readonly info2?: number;
  readonly info3?: number;
  readonly info4?: number;
  readonly generation?: number;
  readonly ttl?: number;
  readonly timeoutMs?: number;
  /** null leaves the field out. */
  readonly namespace?: string | null;
  readonly set?: string;
  readonly digest?: Buffer;
  readonly fields?: readonly Field[];
  readonly ops?: readonly Op[];
}

/** One message of an answer. */
export interface Answer {
  readonly code: number;
  readonly info3: number;
  readonly generation: number;
  readonly voidTime: number;
  /** The row index in a batch. */
  readonly index: number;
  readonly ops: readonly Op[];
}

/** One row of a batch: a message and its index; `isRepeat` sends index and digest alone. */
export interface Row extends Message {
  readonly index: number;
  readonly isRepeat?: boolean;
}

export const GET: Message = { info1: 0x03 };
export const HEADER: Message = { info1: 0x21 };
export const DELETE: Message = { info2: 0x03 };
export const NEVER = 0xffffffff;
export const KEEP = 0xfffffffe;
/** Batch flags of every official client: inline, respond all, report the row that failed. */
export const BATCH_FLAGS = 0x0d;

/** A digest that differs from name to name; the server never recomputes it. */
export function digestOf(name: string | number): Buffer {
  return createHash('sha1').update(String(name)).digest();
}

/** Seconds since 2010, as void-times count. */
export function nowSec(): number {
  return Math.floor(Date.now() / 1000) - 1_262_304_000;
}

export function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

export const op = (code: number, name = '', type = 0, value: Buffer = Buffer.alloc(0)): Op => ({
  op: code,
  type,
  name,
  value,
});
export const read = (name: string): Op => op(1, name);
export const write = (name: string, value: number | string | Buffer): Op =>
  typeof value === 'number'
    ? op(2, name, 1, int64(value))
    : typeof value === 'string'
      ? op(2, name, 3, Buffer.from(value))
      : op(2, name, 4, value);
export const put = (...ops: readonly Op[]): Message => ({ info2: 0x01, ops });
export const touch = (ttl: number): Message => ({ info2: 0x01, ttl, ops: [op(11)] });

function fieldBytes([type, data]: Field): Buffer {
  const bytes = Buffer.allocUnsafe(5);
  bytes.writeUInt32BE(data.length + 1, 0);
  bytes[4] = type;
  return Buffer.concat([bytes, data]);
}

function opBytes({ op: code, type, name, value }: Op): Buffer {
  const nameBytes = Buffer.from(name);
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeUInt32BE(4 + nameBytes.length + value.length, 0);
  bytes[4] = code;
  bytes[5] = type;
  bytes[6] = 0;
  bytes[7] = nameBytes.length;
  return Buffer.concat([bytes, nameBytes, value]);
}

function fieldsOf(message: Message, withDigest: boolean): Field[] {
  const fields: Field[] = [];
  if (message.namespace !== null) fields.push([0, Buffer.from(message.namespace ?? 'test')]);
  if (message.set !== undefined) fields.push([1, Buffer.from(message.set)]);
  if (withDigest && message.digest !== undefined) fields.push([4, message.digest]);
  return [...fields, ...(message.fields ?? [])];
}

/** A frame: protocol header of this type before the body. */
export function frameOf(type: number, body: Buffer, version = 2): Buffer {
  const head = Buffer.alloc(8);
  head.writeUIntBE(body.length, 2, 6);
  head[0] = version;
  head[1] = type;
  return Buffer.concat([head, body]);
}

export function infoFrame(text: string): Buffer {
  return frameOf(1, Buffer.from(text));
}

/** The whole frame of a data message. */
export function messageFrame(message: Message): Buffer {
  const fields = fieldsOf(message, true);
  const ops = message.ops ?? [];
  const head = Buffer.alloc(22);
  head[0] = 22;
  head[1] = message.info1 ?? 0;
  head[2] = message.info2 ?? 0;
  head[3] = message.info3 ?? 0;
  head[4] = message.info4 ?? 0;
  head.writeUInt32BE(message.generation ?? 0, 6);
  head.writeUInt32BE(message.ttl ?? 0, 10);
  head.writeUInt32BE(message.timeoutMs ?? 0, 14);
  head.writeUInt16BE(fields.length, 18);
  head.writeUInt16BE(ops.length, 20);
  return frameOf(3, Buffer.concat([head, ...fields.map(fieldBytes), ...ops.map(opBytes)]));
}

function rowBytes(row: Row): Buffer {
  const prefix = Buffer.alloc(24);
  prefix.writeUInt32BE(row.index, 0);
  row.digest!.copy(prefix, 4);
  if (row.isRepeat) return Buffer.concat([prefix, Buffer.from([1])]);
  const fields = fieldsOf(row, false);
  const ops = row.ops ?? [];
  const head = Buffer.alloc(14);
  head[0] = 0x0e;
  head[1] = row.info1 ?? 0;
  head[2] = row.info2 ?? 0;
  head[3] = row.info3 ?? 0;
  head.writeUInt16BE(row.generation ?? 0, 4);
  head.writeUInt32BE(row.ttl ?? 0, 6);
  head.writeUInt16BE(fields.length, 10);
  head.writeUInt16BE(ops.length, 12);
  return Buffer.concat([prefix, head, ...fields.map(fieldBytes), ...ops.map(opBytes)]);
}

/** The data of field 41: row count, flags, rows. */
export function batchField(rows: readonly Row[], flags = BATCH_FLAGS): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(rows.length, 0);
  head[4] = flags;
  return Buffer.concat([head, ...rows.map(rowBytes)]);
}

/** The whole frame of a batch. */
export function batchFrame(rows: readonly Row[], flags = BATCH_FLAGS, message: Message = {}): Buffer {
  return messageFrame({
    ...message,
    info1: 0x08 | (message.info1 ?? 0),
    namespace: null,
    fields: [[41, batchField(rows, flags)]],
  });
}

/** A frame of type 4 around a whole frame. `declared` is the length it claims. */
export function compressedFrame(inner: Buffer, declared = inner.length, stream = deflateSync(inner)): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(declared));
  return frameOf(4, Buffer.concat([length, stream]));
}

/** The frame inside a frame of type 4; other frames as they are. */
export function unpacked(frame: Buffer): Buffer {
  if (frame[1] !== 4) return frame;
  const inner = inflateSync(frame.subarray(16));
  if (BigInt(inner.length) !== frame.readBigUInt64BE(8))
    throw new Error('a compressed answer of another length');
  return inner;
}

/** The messages in a frame of type 3. Throws where lengths do not fit. */
export function answersOf(frame: Buffer): Answer[] {
  const answers: Answer[] = [];
  for (let p = 8; p < frame.length; ) {
    const at = p;
    p += 22;
    for (let i = frame.readUInt16BE(at + 18); i > 0; i--) p += 4 + frame.readUInt32BE(p);
    const ops: Op[] = [];
    for (let i = frame.readUInt16BE(at + 20); i > 0; i--) {
      const end = p + 4 + frame.readUInt32BE(p);
      const nameEnd = p + 8 + frame[p + 7]!;
      const name = frame.toString('latin1', p + 8, nameEnd);
      ops.push({ op: frame[p + 4]!, type: frame[p + 5]!, name, value: frame.subarray(nameEnd, end) });
      p = end;
    }
    if (p > frame.length) throw new Error('an answer longer than its frame');
    answers.push({
      code: frame[at + 5]!,
      info3: frame[at + 3]!,
      generation: frame.readUInt32BE(at + 6),
      voidTime: frame.readUInt32BE(at + 10),
      index: frame.readUInt32BE(at + 14),
      ops,
    });
  }
  return answers;
}

/** A batch's answer: rows by index, and the code of the message that ended it. */
export interface BatchAnswer {
  readonly rows: Map<number, Answer>;
  readonly rowCount: number;
  readonly code: number;
  /** Frames, and how many of them were compressed. */
  readonly frameCount: number;
  readonly compressedCount: number;
}

export class WireClient {
  readonly socket: net.Socket;
  #chunks: Buffer[] = [];
  #size = 0;
  #wake: () => void = () => {};
  isClosed = false;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', chunk => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.#wake();
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  static async connect(port: number): Promise<WireClient> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new WireClient(socket);
    await Promise.race([
      once(socket, 'connect'),
      once(socket, 'close').then(() => Promise.reject(new Error('refused'))),
    ]);
    return client;
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Bytes that have come and were not taken. */
  get receivedSize(): number {
    return this.#size;
  }

  /** The next frame. Throws when there is none in time or the connection ends before it is whole. */
  async frame(timeoutMs = ANSWER_MS): Promise<Buffer> {
    for (let leftMs = timeoutMs; ; ) {
      const size = this.#size >= 8 ? 8 + this.#header().readUIntBE(2, 6) : Number.POSITIVE_INFINITY;
      if (this.#size >= size) return this.#take(size);
      if (this.isClosed) throw new Error(`closed with ${this.#size} bytes unread`);
      leftMs -= await this.#news(leftMs);
    }
  }

  async ask(frame: Buffer): Promise<Buffer> {
    this.send(frame);
    return this.frame();
  }

  /** Sends a data message and decodes its answer. */
  async command(message: Message): Promise<Answer> {
    return answersOf(await this.ask(messageFrame(message)))[0]!;
  }

  /** Reads the frames of a batch up to the last message. */
  async batchAnswer(timeoutMs = ANSWER_MS): Promise<BatchAnswer> {
    const rows = new Map<number, Answer>();
    let rowCount = 0;
    let frameCount = 0;
    let compressedCount = 0;
    for (;;) {
      const frame = await this.frame(timeoutMs);
      frameCount++;
      if (frame[1] === 4) compressedCount++;
      for (const answer of answersOf(unpacked(frame))) {
        if (answer.info3 & 1) return { rows, rowCount, code: answer.code, frameCount, compressedCount };
        rows.set(answer.index, answer);
        rowCount++;
      }
    }
  }

  async batch(rows: readonly Row[], flags = BATCH_FLAGS, message: Message = {}): Promise<BatchAnswer> {
    this.send(batchFrame(rows, flags, message));
    return this.batchAnswer();
  }

  /** Waits until the other side has ended the connection. */
  async closed(timeoutMs = ANSWER_MS): Promise<void> {
    for (let leftMs = timeoutMs; !this.isClosed; ) leftMs -= await this.#news(leftMs);
  }

  close(): void {
    this.socket.destroy();
  }

  /** Ends the connection with a reset instead of an orderly end. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #header(): Buffer {
    while (this.#chunks[0]!.length < 8) this.#chunks.splice(0, 2, Buffer.concat(this.#chunks.slice(0, 2)));
    return this.#chunks[0]!;
  }

  #take(size: number): Buffer {
    let count = 0;
    let sum = 0;
    while (sum < size) sum += this.#chunks[count++]!.length;
    const bytes = count === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks.slice(0, count));
    this.#chunks.splice(0, count, ...(sum > size ? [bytes.subarray(size)] : []));
    this.#size -= size;
    return bytes.subarray(0, size);
  }

  /**
   * Waits for news, or for a while. @returns Milliseconds that it waited, and no more than it wanted to: a time in which
   * everything stood still does not count.
   */
  async #news(leftMs: number): Promise<number> {
    if (leftMs <= 0) throw new Error(`no answer in time, ${this.#size} bytes of one`);
    const stepMs = Math.min(leftMs, STEP_MS);
    const beganMs = performance.now();
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, stepMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return Math.min(performance.now() - beganMs, stepMs);
  }
}
