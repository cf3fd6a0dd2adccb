/** What every socket engine does, shown on each. */
import { readdirSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { allocateShared } from '../../../src/base/arena.js';
import { type NativeModule, nativeModule } from '../../../src/base/native-module.js';
import { createRing, RingConsumer, RingProducer } from '../../../src/base/ring.js';
import { ListenError } from '../../../src/net/aerospike/socket-engine.js';
import { Bench, Client, ENGINES, pattern, until } from './engine-bench.js';

const MIB = 1024 * 1024;

for (const [name, create] of Object.entries(ENGINES)) {
  test(`${name}: bytes come in order, whatever the pieces`, async t => {
    const bench = await Bench.start(t, create);
    const { client, told } = await bench.connect();
    const bytes = pattern(3000);
    for (let at = 0; at < bytes.length; at += 1 + ((at * 31) % 97)) {
      client.socket.write(bytes.subarray(at, Math.min(bytes.length, at + 1 + ((at * 31) % 97))));
      if (at % 5 === 0) await sleep(0);
    }
    await until(() => told.receivedSize >= bytes.length);
    t.true(told.received.equals(bytes));
    const large = pattern(5 * MIB, 1);
    client.socket.write(large);
    await until(() => told.receivedSize >= bytes.length + large.length);
    t.true(told.received.subarray(bytes.length).equals(large));
  });

  test(`${name}: answers go out in order, from shared memory and from any other`, async t => {
    const bench = await Bench.start(t, create);
    const { client, slot } = await bench.connect();
    const shared = new Uint8Array(allocateShared(64 * 1024));
    bench.engine.share(shared);
    const expected: Buffer[] = [];
    for (let i = 0; i < 3000; i++) {
      const size = [1, 30, 700, 5000][i % 4]!;
      const bytes = pattern(size, i);
      expected.push(bytes);
      if (i % 3 === 0) {
        const own = Buffer.concat([Buffer.alloc(3), bytes]);
        bench.engine.send(slot, own, 3, size);
        own.fill(0); // it was copied
      } else {
        const at = (i % 8) * 8000;
        if (at === 8000) bench.engine.flush(); // from here on the memory is used again
        shared.set(bytes, at);
        bench.engine.send(slot, shared, at, size);
        bench.engine.flush();
      }
    }
    const all = Buffer.concat(expected);
    await until(() => client.receivedSize >= all.length);
    t.true(client.received.equals(all));
  });

  test(`${name}: many connections are answered in one flush, each its own`, async t => {
    const bench = await Bench.start(t, create);
    const shared = new Uint8Array(allocateShared(64 * 1024));
    bench.engine.share(shared);
    const pairs = await Promise.all(Array.from({ length: 100 }, () => bench.connect()));
    for (let round = 0; round < 3; round++) {
      for (const [i, { slot }] of pairs.entries()) {
        const at = (round * 100 + i) * 100;
        shared.fill(i, at, at + 100);
        bench.engine.send(slot, shared, at, 50);
        bench.engine.send(slot, shared, at + 50, 50);
      }
    }
    bench.engine.flush();
    shared.fill(255);
    await until(() => pairs.every(({ client }) => client.receivedSize === 300));
    for (const [i, { client }] of pairs.entries()) t.true(client.received.equals(Buffer.alloc(300, i)));
  });

  test(`${name}: bytes of many connections that are announced come as they were announced`, async t => {
    const bench = await Bench.start(t, create);
    const pairs = await Promise.all(Array.from({ length: 150 }, () => bench.connect()));
    for (let round = 1; round <= 5; round++) {
      for (const [i, { client }] of pairs.entries()) client.socket.write(Buffer.alloc(1 + i, round));
      await until(() => pairs.every(({ told }, i) => told.receivedSize === round * (1 + i)));
    }
    if (bench.engine.wakeDescriptor >= 0) t.true(bench.foreseenCount > 0);
    else t.is(bench.foreseenCount, 0, 'one socket is told of at a time');
  });

  test(`${name}: a client that does not read is queued for, and told when it has read`, async t => {
    const bench = await Bench.start(t, create);
    const { client, slot, told } = await bench.connect();
    client.socket.pause();
    const bytes = pattern(12 * MIB);
    for (let at = 0; at < bytes.length; at += 64 * 1024) bench.engine.send(slot, bytes, at, 64 * 1024);
    await sleep(100);
    t.true(bench.engine.queuedBytes(slot) > MIB);
    t.is(told.drainedCount, 0);
    client.socket.resume();
    await until(() => told.drainedCount === 1);
    t.is(bench.engine.queuedBytes(slot), 0);
    await until(() => client.receivedSize === bytes.length);
    t.true(client.received.equals(bytes));
    bench.engine.send(slot, bytes, 0, 100);
    await until(() => client.receivedSize === bytes.length + 100);
  });

  test(`${name}: a paused connection is not read, and loses nothing`, async t => {
    const bench = await Bench.start(t, create);
    const { client, slot, told } = await bench.connect();
    bench.engine.pause(slot);
    const bytes = pattern(200_000);
    client.socket.write(bytes);
    await sleep(50);
    t.true(told.receivedSize <= 64 * 1024, 'at most what was under way');
    bench.engine.resume(slot);
    await until(() => told.receivedSize === bytes.length);
    t.true(told.received.equals(bytes));
    // Again and again, from within.
    bench.onBytes = at => {
      bench.engine.pause(at);
      setImmediate(() => bench.engine.resume(at));
    };
    client.socket.write(bytes);
    await until(() => told.receivedSize === 2 * bytes.length);
    t.true(told.received.subarray(bytes.length).equals(bytes));
  });

  test(`${name}: connections end in every way, and each is told once`, async t => {
    const bench = await Bench.start(t, create);
    const answer = pattern(100);
    const ends: Record<string, (client: Client, slot: number) => void> = {
      'the client ends': client => client.socket.end(),
      'the client ends with bytes': client => client.socket.end(answer),
      'the client is gone': client => client.socket.destroy(),
      'the client resets': client => client.socket.resetAndDestroy(),
      'the engine closes': (_, slot) => bench.engine.close(slot),
      'the engine closes twice': (_, slot) => {
        bench.engine.close(slot);
        bench.engine.close(slot);
      },
      'the engine ends': (client, slot) => {
        bench.engine.end(slot);
        client.socket.once('end', () => client.socket.end());
      },
      'both end': (client, slot) => {
        client.socket.end();
        bench.engine.end(slot);
      },
      'it is closed while it is answered': (client, slot) => {
        client.socket.destroy();
        for (let i = 0; i < 50; i++) bench.engine.send(slot, answer, 0, answer.length);
        bench.engine.close(slot);
        bench.engine.send(slot, answer, 0, answer.length);
      },
      'it is reset while it is paused': (client, slot) => {
        bench.engine.pause(slot);
        client.socket.write(answer);
        setTimeout(() => client.socket.resetAndDestroy(), 10);
        setTimeout(() => bench.engine.resume(slot), 50);
      },
    };
    for (const [what, end] of Object.entries(ends)) {
      const { client, slot, told } = await bench.connect();
      end(client, slot);
      await until(() => told.isClosed);
      await until(() => client.isClosed || client.isEnded);
      client.socket.destroy();
      t.is(bench.engine.queuedBytes(slot), 0, what);
    }
    t.is(bench.openCount, 0);
    t.is(bench.all.length, Object.keys(ends).length);
  });

  test(`${name}: an end waits for what is queued, a close does not`, async t => {
    const bench = await Bench.start(t, create);
    const bytes = pattern(10 * MIB);
    const [ended, closed] = [await bench.connect(), await bench.connect()];
    for (const { client, slot } of [ended, closed]) {
      client.socket.pause();
      bench.engine.send(slot, bytes, 0, bytes.length);
    }
    bench.engine.end(ended.slot);
    bench.engine.close(closed.slot);
    await until(() => closed.told.isClosed);
    ended.client.socket.resume();
    closed.client.socket.resume();
    await until(() => ended.client.isEnded && (closed.client.isEnded || closed.client.isClosed));
    t.true(ended.client.received.equals(bytes));
    t.true(closed.client.receivedSize < bytes.length);
    ended.client.socket.end();
    await until(() => ended.told.isClosed);
  });

  test(`${name}: a client that ends still gets what is queued`, async t => {
    const bench = await Bench.start(t, create);
    const { client, slot, told } = await bench.connect();
    client.socket.pause();
    const bytes = pattern(10 * MIB);
    bench.engine.send(slot, bytes, 0, bytes.length);
    client.socket.end();
    await sleep(50);
    client.socket.resume();
    await until(() => client.receivedSize === bytes.length && told.isClosed);
    t.true(client.received.equals(bytes));
  });

  test(`${name}: a refused connection is closed and not told of`, async t => {
    const bench = await Bench.start(t, create);
    bench.admits = () => false;
    const refused = await Promise.all(Array.from({ length: 20 }, () => Client.connect(bench.port)));
    await until(() => refused.every(client => client.isEnded || client.isClosed));
    t.is(bench.all.length, 0);
    bench.admits = () => true;
    const { client, told } = await bench.connect();
    client.socket.write('x');
    await until(() => told.receivedSize === 1);
    for (const each of [...refused, client]) each.socket.destroy();
    await until(() => told.isClosed);
  });

  test(`${name}: what is sent to a slot never reaches the one who has it next`, async t => {
    const bench = await Bench.start(t, create);
    const secret = Buffer.alloc(50, 7);
    for (let i = 0; i < 200; i++) {
      const { client, slot, told } = await bench.connect();
      bench.engine.close(slot);
      bench.engine.send(slot, secret, 0, secret.length);
      const next = await bench.connect();
      if (!told.isClosed) bench.engine.send(slot, secret, 0, secret.length);
      next.client.socket.write('x');
      await until(() => next.told.receivedSize === 1);
      t.is(next.client.receivedSize, 0);
      next.client.socket.destroy();
      client.socket.destroy();
    }
  });

  test(`${name}: a turn comes after it was asked for, once`, async t => {
    const bench = await Bench.start(t, create);
    const before = bench.turnCount;
    bench.engine.requestTurn();
    bench.engine.requestTurn();
    t.is(bench.turnCount, before, 'not at once');
    await until(() => bench.turnCount > before);
    await sleep(20);
    t.is(bench.turnCount, before + 1);
  });

  test(`${name}: an address that cannot be had is named`, async t => {
    const bench = await Bench.start(t, create);
    const taken = await t.throwsAsync(bench.engine.listen('127.0.0.1', bench.port), {
      instanceOf: ListenError,
    });
    t.regex(
      taken.message,
      new RegExp(`cannot listen on 127.0.0.1:${bench.port}: listen EADDRINUSE: .*in use`),
    );
    await t.throwsAsync(bench.engine.listen('192.0.2.1', 0), { message: /EADDRNOTAVAIL/ });
    await t.throwsAsync(bench.engine.listen('no-such-host.invalid', 0), { instanceOf: ListenError });
  });

  test(`${name}: it listens on all addresses, by name, and on several at once`, async t => {
    const bench = await Bench.start(t, create);
    const ports = [await bench.engine.listen(undefined, 0), await bench.engine.listen('localhost', 0)];
    for (const port of ports) {
      const before = bench.all.length;
      const client = await Client.connect(port);
      await until(() => bench.all.length === before + 1);
      t.regex(bench.all.at(-1)!.remote, /^(::ffff:)?127\.0\.0\.1:\d+$/);
      client.socket.destroy();
    }
    await bench.engine.stopListening();
    for (const port of [...ports, bench.port]) {
      const socket = net.connect({ port, host: '127.0.0.1' });
      await new Promise<void>(resolve => socket.once('error', () => resolve()));
    }
    t.pass();
  });

  test.serial(`${name}: 2,000 connections that come, ask and go leave no descriptor behind`, async t => {
    const bench = await Bench.start(t, create);
    bench.onBytes = (slot, bytes, at, size) => bench.engine.send(slot, bytes, at, size);
    const count = (): number => readdirSync('/proc/self/fd').length;
    await sleep(200);
    const before = count();
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 200 }, () => Client.connect(bench.port)));
      for (const client of clients) client.socket.write('ping');
      await until(() => clients.every(client => client.receivedSize === 4));
      for (const [i, client] of clients.entries()) {
        if (i % 3 === 0) client.socket.resetAndDestroy();
        else if (i % 3 === 1) client.socket.destroy();
        else client.socket.end();
      }
      await until(() => bench.openCount === 0 && clients.every(client => client.isClosed));
    }
    t.is(bench.all.length, 2000);
    t.true(bench.bySlot.length <= 400, 'slots are used again');
    await until(() => count() <= before + 5);
  });
}

const native = ENGINES.native;

(native ? test : test.skip)('native: whoever adds to its eventfd causes a turn', async t => {
  const bench = await Bench.start(t, native!);
  for (let i = 0; i < 100; i++) {
    const before = bench.turnCount;
    (nativeModule() as NativeModule).signal(bench.engine.wakeDescriptor);
    await until(() => bench.turnCount > before);
  }
  t.true(bench.turnCount >= 100);
});

(native ? test : test.skip)(
  'native: it lingers as long as it is told to, and until there is something',
  async t => {
    const bench = await Bench.start(t, native!);
    const { client } = await bench.connect();
    const ring = createRing(4096);
    const [producer, consumer] = [new RingProducer(ring), new RingConsumer(ring)];
    bench.engine.watch(consumer);
    const calls: { mayLinger: boolean; atMs: number }[] = [];
    const turn = async (onTurned: (mayLinger: boolean, call: number) => number): Promise<void> => {
      calls.length = 0;
      bench.onTurned = mayLinger => onTurned(mayLinger, calls.push({ mayLinger, atMs: performance.now() }));
      client.socket.write('x');
      await until(() => calls.length > 0);
      await sleep(50);
      bench.onTurned = () => 0;
    };
    await turn(mayLinger => (mayLinger ? 500 : 0));
    t.deepEqual(
      calls.map(call => call.mayLinger),
      [true, false],
      'in vain',
    );
    t.true(calls[1]!.atMs - calls[0]!.atMs >= 0.5);
    await turn((_, call) => {
      if (call > 1) {
        t.true(consumer.next() >= 0);
        consumer.release();
        return 0;
      }
      producer.reserve(8);
      producer.commit(8);
      producer.publish();
      return 900;
    });
    t.deepEqual(
      calls.map(call => call.mayLinger),
      [true, true],
      'a frame ends it',
    );
    await turn(() => 1000);
    t.false(calls.at(-1)!.mayLinger, 'for ever is not possible: the event loop has other work');
    t.true(calls.length < 20);
  },
);
