// Smoke test with the official Node client, which is found beside NODE_PATH. Usage: smoke.cjs HOST PORT (see ../README.md).
const assert = require('node:assert/strict');
const Aerospike = require('aerospike');
const { batchType, policy: policies, status } = Aerospike;
const op = Aerospike.operations;

const [host, port] = process.argv.slice(2);
const set = `node${Date.now()}${process.pid}`;
const key = name => new Aerospike.Key('test', set, name);
const refused = (promise, code) => assert.rejects(promise, { code });
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

/** Every check gets the connected client. */
const CHECKS = {
  async 'reads what was written'(client) {
    const bins = {
      int: -7,
      float: 2.5,
      text: 'héllo',
      bytes: Buffer.from([0, 1, 255]),
      yes: true,
      list: [1, 'two', [3.5, null]],
      map: { a: 1, b: { c: [true] } },
    };
    await client.put(key('all'), bins);
    const record = await client.get(key('all'));
    assert.deepEqual(record.bins, bins);
    assert.equal(record.gen, 1);
  },
  async 'selects bins'(client) {
    await client.put(key('select'), { a: 1, b: 2, c: 3 });
    assert.deepEqual((await client.select(key('select'), ['a', 'c'])).bins, { a: 1, c: 3 });
  },
  async 'a missing record is not found'(client) {
    await refused(client.get(key('missing')), status.ERR_RECORD_NOT_FOUND);
    await refused(client.remove(key('missing')), status.ERR_RECORD_NOT_FOUND);
    assert.equal(await client.exists(key('missing')), false);
  },
  async 'a wrong generation is refused'(client) {
    await client.put(key('gen'), { a: 1 });
    const policy = new Aerospike.WritePolicy({ gen: policies.gen.EQ });
    await client.put(key('gen'), { a: 2 }, { gen: 1 }, policy);
    await refused(client.put(key('gen'), { a: 3 }, { gen: 1 }, policy), status.ERR_RECORD_GENERATION);
  },
  async 'create-only refuses an existing record'(client) {
    const policy = new Aerospike.WritePolicy({ exists: policies.exists.CREATE });
    await client.put(key('create'), { a: 1 }, {}, policy);
    await refused(client.put(key('create'), { a: 2 }, {}, policy), status.ERR_RECORD_EXISTS);
  },
  async 'operates in order'(client) {
    await client.put(key('operate'), { n: 5, s: 'b' });
    const ops = [op.incr('n', 3), op.append('s', 'c'), op.prepend('s', 'a'), op.read('n'), op.read('s')];
    assert.deepEqual((await client.operate(key('operate'), ops)).bins, { n: 8, s: 'abc' });
    await refused(client.incr(key('operate'), { s: 1 }), status.ERR_BIN_INCOMPATIBLE_TYPE);
  },
  async 'records expire'(client) {
    await client.put(key('ttl'), { a: 1 }, { ttl: 1000 });
    const { ttl } = await client.get(key('ttl'));
    assert.ok(ttl >= 990 && ttl <= 1000, `ttl ${ttl}`);
    await client.put(key('short'), { a: 1 }, { ttl: 1 });
    await pause(2100);
    await refused(client.get(key('short')), status.ERR_RECORD_NOT_FOUND);
  },
  async 'reads and writes batches'(client) {
    for (let i = 0; i < 20; i++) await client.put(key(`batch${i}`), { i });
    const wanted = Array.from({ length: 22 }, (_, i) => ({
      type: batchType.BATCH_READ,
      key: key(`batch${i}`),
      readAllBins: true,
    }));
    const rows = await client.batchRead(wanted);
    assert.deepEqual(
      rows.map(row => (row.status === 0 ? row.record.bins.i : -row.status)),
      Array.from({ length: 22 }, (_, i) => (i < 20 ? i : -status.ERR_RECORD_NOT_FOUND)),
    );
    const written = await client.batchWrite([
      { type: batchType.BATCH_WRITE, key: key('batch0'), ops: [op.incr('i', 100)] },
      { type: batchType.BATCH_REMOVE, key: key('batch1') },
    ]);
    assert.deepEqual(
      written.map(row => row.status),
      [0, 0],
    );
    assert.deepEqual((await client.get(key('batch0'))).bins, { i: 100 });
    assert.equal(await client.exists(key('batch1')), false);
  },
};

async function main() {
  const client = await Aerospike.connect({ hosts: `${host}:${port}`, log: { level: Aerospike.log.OFF } });
  console.log('ok connect');
  let failed = 0;
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      await check(client);
      console.log(`ok ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${name}: ${error.message}`);
    }
  }
  client.close();
  process.exitCode = failed ? 1 : 0;
}

main().catch(error => {
  console.log(`FAIL connect: ${error.message}`);
  process.exitCode = 1;
});
