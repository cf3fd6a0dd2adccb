import test from 'ava';
import fc from 'fast-check';
import { BatchRun, type GroupFrame, GroupFrames, NO_FILTER } from '../../src/command/batch-run.js';
import { GROUP_HEADER_SIZE, ROW_PREFIX_SIZE } from '../../src/shard/batch-group.js';
import { Request, ROW_REPEAT } from '../../src/shard/command/request.js';
import { batchField, digestOf, GET, HEADER, put, type Row, write } from '../support/wire-client.js';

const OK = 0;

/** A row as a worker sees it: index, and the command without its digest. */
interface Seen {
  readonly index: number;
  readonly digest: string;
  readonly command: string;
}

/** Reads a group frame row by row, as the worker does. */
function rowsOf(group: GroupFrame): Seen[] {
  const { bytes, size } = group;
  const request = new Request();
  const out: Seen[] = [];
  let p = GROUP_HEADER_SIZE;
  let command: string | null = null;
  for (let i = 0; i < group.rowsToSend; i++) {
    const rowAt = p;
    if ((bytes[rowAt + ROW_PREFIX_SIZE]! & ROW_REPEAT) === 0) {
      if (request.parseRow(bytes, rowAt + ROW_PREFIX_SIZE, size, 0) !== OK)
        throw new Error('a row that is none');
      p = request.endAt;
      command = Buffer.from(bytes.subarray(rowAt + ROW_PREFIX_SIZE, p)).toString('hex');
    } else {
      if (command === null) throw new Error('a repeat without a row to repeat');
      p = rowAt + ROW_PREFIX_SIZE + 1;
    }
    out.push({
      index: Buffer.from(bytes.subarray(rowAt, rowAt + 4)).readUInt32BE(),
      digest: Buffer.from(bytes.subarray(rowAt + 4, rowAt + 24)).toString('hex'),
      command: command!,
    });
  }
  if (p !== size) throw new Error(`rows end at ${p} of ${size}`);
  return out;
}

/** Batch rows: some repeat the one before, commands differ in length. */
const batch: fc.Arbitrary<Row[]> = fc
  .array(fc.record({ kind: fc.nat(4), size: fc.nat(300), worker: fc.nat(2) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map(list =>
    list.map(({ kind, size, worker }, i): Row => {
      const digest = digestOf(i);
      digest[19] = worker; // what the test routes by
      if (kind >= 3 && i > 0) return { index: i, digest, isRepeat: true };
      const command = kind === 0 ? GET : kind === 1 ? HEADER : put(write('a', Buffer.alloc(size, i)));
      return { ...command, index: i, digest, set: kind === 2 ? 'set' : '' };
    }),
  );

/** Cuts a batch into group frames, and says what each worker is to see, from the rows themselves. */
function group(
  rows: readonly Row[],
  workerCount: number,
  sizeMax: number,
): { groups: GroupFrame[]; expected: Seen[][] } {
  const bytes = batchField(rows);
  const frames = new GroupFrames(workerCount, sizeMax);
  frames.begin(0xc0, 3, NO_FILTER, 64 * 1024);
  const request = new Request();
  const expected: Seen[][] = Array.from({ length: workerCount }, () => []);
  let templateAt = -1;
  let templateEnd = 0;
  let p = 5;
  for (const row of rows) {
    const rowAt = p;
    if (row.isRepeat) p += ROW_PREFIX_SIZE + 1;
    else {
      templateAt = rowAt + ROW_PREFIX_SIZE;
      if (request.parseRow(bytes, templateAt, bytes.length, 0) !== OK) throw new Error('a bad row');
      p = templateEnd = request.endAt;
    }
    const worker = row.digest![19]! % workerCount;
    frames.addRow(worker, bytes, rowAt, templateAt, templateEnd);
    expected[worker]!.push({
      index: row.index,
      digest: row.digest!.toString('hex'),
      command: bytes.toString('hex', templateAt, templateEnd),
    });
  }
  return { groups: frames.finish(), expected };
}

test('group frames hold every row of their worker once, in order, with its own command', t => {
  fc.assert(
    fc.property(
      batch,
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(100, 500, 32_768),
      (rows, workers, sizeMax) => {
        const { groups, expected } = group(rows, workers, sizeMax);
        const seen: Seen[][] = expected.map(() => []);
        // A command that is long by itself may have repeats with it.
        const commandSize = Math.max(...expected.flat().map(row => row.command.length / 2));
        const longest = Math.max(sizeMax, GROUP_HEADER_SIZE + 2 * (ROW_PREFIX_SIZE + commandSize));
        for (const [number, frame] of groups.entries()) {
          if (frame.number !== number) throw new Error('numbers');
          if (frame.rowsLeft !== frame.rowsToSend) throw new Error('rowsLeft');
          if (frame.bytes[0] !== 0xc0 || frame.bytes[1] !== 3) throw new Error('the header of a group');
          if (frame.size > longest && frame.rowsToSend > 1) throw new Error('longer than it may be');
          seen[frame.worker]!.push(...rowsOf(frame));
        }
        if (JSON.stringify(seen) !== JSON.stringify(expected)) throw new Error('other rows');
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});

test('a group that comes back half done is sent again with exactly the rows that were not begun', t => {
  fc.assert(
    fc.property(batch, fc.array(fc.nat(), { maxLength: 10 }), (rows, cuts) => {
      const { groups, expected } = group(rows, 1, 1_000_000);
      const client = { slot: 3, generation: 4, requestNumber: 5 };
      const run = new BatchRun(client, 0, groups, rows.length);
      let rest = expected[0]!;
      for (const cut of cuts) {
        if (rest.length < 2) break;
        const one = run.waiting.shift()!;
        one.isUnderWay = true;
        run.underWay++;
        const begun = 1 + (cut % (rest.length - 1));
        run.dropBegun(one, begun);
        rest = rest.slice(begun);
        if (run.waiting[0] !== one || run.underWay !== 0 || one.isUnderWay)
          throw new Error('not at the front');
        if (one.rowsToSend !== rest.length) throw new Error('rowsToSend');
        if (JSON.stringify(rowsOf(one)) !== JSON.stringify(rest)) throw new Error('other rows');
        if (one.bytes[0] !== 0xc0 || one.bytes[1] !== 3) throw new Error('the header of a group');
      }
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('a failed batch takes the rows that were never sent off its count', t => {
  const rows = Array.from({ length: 40 }, (_, i): Row => ({ ...GET, index: i, digest: digestOf(i) }));
  const { groups } = group(rows, 3, 300);
  const run = new BatchRun({ slot: 0, generation: 0, requestNumber: 0 }, 0, groups, 40);
  const sent = run.waiting.shift()!;
  run.dropWaiting();
  t.is(run.rowsLeft, sent.rowsToSend);
  t.deepEqual(run.waiting, []);
});
