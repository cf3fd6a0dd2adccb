#!/usr/bin/env node
import fs from 'node:fs';
// Replays recorded scans, index queries, UDF calls, aggregations and background jobs on a server and compares the answers.
//   node replay-query.mjs --port 3000 FILE.jsonl.gz… [--show 5]
// A file holds a scene a line: {"case", "steps": [{kind, q, a, note?}]}, run in order on one connection, in a fresh set of namespace test:
//   info    an info command: the answer must be equal
//   one     a single-record command: equal, byte for byte
//   udf     a record UDF call: code, generation and value equal; maps without regard to order; an error's text after the module's path
//   many    a scan or query: the same rows in any order (index values of field 15 and partition-done rows left out) and the same final code
//   sum     an aggregation: the integers of all rows add up to the same; error: both end with an error
//   ready   wait until the sindex-stat command given answers load_pct=100
//   settle  wait until query-show reports no active job
// Exit 0 when every step agrees. The last line is "N passed, N failed", counted in steps.
import net from 'node:net';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';

export function* messages(f) {
  let o = 8;
  while (o < f.length) {
    const st = o;
    const nf = f.readUInt16BE(o + 18),
      no = f.readUInt16BE(o + 20);
    o += f[o];
    for (let k = nf + no; k > 0; k--) o += 4 + f.readUInt32BE(o);
    yield f.subarray(st, o);
  }
}
const opsOf = m => {
  let o = 22;
  for (let k = m.readUInt16BE(18); k > 0; k--) o += 4 + m.readUInt32BE(o);
  const out = [];
  for (let k = m.readUInt16BE(20); k > 0; k--) {
    const n = m.readUInt32BE(o),
      nl = m[o + 7];
    out.push({
      type: m[o + 5],
      name: m.subarray(o + 8, o + 8 + nl).toString(),
      data: m.subarray(o + 8 + nl, o + 4 + n),
      raw: m.subarray(o + 4, o + 4 + n),
    });
    o += 4 + n;
  }
  return out;
};
export function row(m) {
  const out = [];
  let o = 22;
  for (let k = m.readUInt16BE(18); k > 0; k--) {
    const n = m.readUInt32BE(o);
    if (m[o + 4] !== 15) out.push(m.subarray(o + 4, o + 4 + n).toString('hex'));
    o += 4 + n;
  }
  out.sort();
  return `${m[5]}/${m.readUInt32BE(6)}|${out.join(',')}|${opsOf(m)
    .map(x => x.raw.toString('hex'))
    .sort()
    .join(',')}`;
}
// msgpack → a canonical string, map entries sorted
function canon(b) {
  let p = 0;
  const num = (n, f) => {
    const v = b[f](p);
    p += n;
    return v;
  };
  const seq = (n, f) => Array.from({ length: n }, f);
  const one = () => {
    const t = b[p++];
    if (t < 0x80) return String(t);
    if (t < 0x90) return map(t & 15);
    if (t < 0xa0) return list(t & 15);
    if (t < 0xc0) return str(t & 31);
    if (t >= 0xe0) return String(t - 256);
    switch (t) {
      case 0xc0:
        return 'nil';
      case 0xc2:
        return 'false';
      case 0xc3:
        return 'true';
      case 0xc4:
      case 0xd9:
        return str(num(1, 'readUInt8'));
      case 0xc5:
      case 0xda:
        return str(num(2, 'readUInt16BE'));
      case 0xc6:
      case 0xdb:
        return str(num(4, 'readUInt32BE'));
      case 0xc7: {
        const n = num(1, 'readUInt8');
        p += 1 + n;
        return 'ext';
      }
      case 0xca:
        return `f${num(4, 'readFloatBE')}`;
      case 0xcb:
        return `f${num(8, 'readDoubleBE')}`;
      case 0xcc:
        return String(num(1, 'readUInt8'));
      case 0xcd:
        return String(num(2, 'readUInt16BE'));
      case 0xce:
        return String(num(4, 'readUInt32BE'));
      case 0xcf:
        return String(num(8, 'readBigUInt64BE'));
      case 0xd0:
        return String(num(1, 'readInt8'));
      case 0xd1:
        return String(num(2, 'readInt16BE'));
      case 0xd2:
        return String(num(4, 'readInt32BE'));
      case 0xd3:
        return String(num(8, 'readBigInt64BE'));
      case 0xd4:
        p += 2;
        return 'ext';
      case 0xdc:
        return list(num(2, 'readUInt16BE'));
      case 0xdd:
        return list(num(4, 'readUInt32BE'));
      case 0xde:
        return map(num(2, 'readUInt16BE'));
      case 0xdf:
        return map(num(4, 'readUInt32BE'));
      default:
        throw new Error(`msgpack ${t}`);
    }
  };
  const str = n => {
    const s = b.subarray(p, p + n).toString('hex');
    p += n;
    return `s${s}`;
  };
  const list = n => `[${seq(n, one).join(' ')}]`;
  const map = n =>
    `{${seq(n, () => `${one()}:${one()}`)
      .filter(x => !x.startsWith('ext:'))
      .sort()
      .join(' ')}}`;
  return one();
}
const particleText = o =>
  o.type === 19 || o.type === 20
    ? canon(o.data)
    : o.name === 'FAILURE'
      ? o.data.toString().replace(/[^\s:]*\/(?=[^/\s:]+\.lua)/g, '')
      : o.data.toString('hex');
export function udf(f) {
  const m = f.subarray(8);
  return `${m[5]}/${m.readUInt32BE(6)}|${opsOf(m)
    .map(o => `${o.name}/${o.type}/${particleText(o)}`)
    .join(',')}`;
}
export class Client {
  buf = Buffer.alloc(0);
  constructor(port) {
    this.s = net.connect(port, '127.0.0.1');
    this.s.setNoDelay(true);
    this.s.on('data', d => {
      this.buf = Buffer.concat([this.buf, d]);
      this.kick?.();
    });
    this.s.on('close', () => {
      this.closed = true;
      this.kick?.();
    });
    this.s.on('error', () => {});
  }
  async frame(ms = 10000) {
    const end = Date.now() + ms;
    for (;;) {
      if (this.buf.length >= 8) {
        const n = this.buf.readUIntBE(2, 6);
        if (this.buf.length >= 8 + n) {
          const f = Buffer.from(this.buf.subarray(0, 8 + n));
          this.buf = this.buf.subarray(8 + n);
          return f;
        }
      }
      if (this.closed) throw new Error('the connection was closed');
      const left = end - Date.now();
      if (left <= 0) throw new Error(`no answer in ${ms} ms`);
      await new Promise(ok => {
        const t = setTimeout(ok, left);
        this.kick = () => {
          clearTimeout(t);
          ok();
        };
      });
    }
  }
  async info(c) {
    const b = Buffer.from(`${c}\n`);
    const h = Buffer.alloc(8);
    h.writeBigUInt64BE((2n << 56n) | (1n << 48n) | BigInt(b.length));
    this.s.write(Buffer.concat([h, b]));
    return (await this.frame())
      .subarray(8)
      .toString('latin1')
      .slice(c.length + 1)
      .replace(/\n$/, '');
  }
  async one(q) {
    this.s.write(q);
    return this.frame();
  }
  async many(q) {
    this.s.write(q);
    const rows = [],
      sum = { n: 0n };
    for (;;)
      for (const m of messages(await this.frame())) {
        for (const o of opsOf(m)) if (o.type === 1) sum.n += o.data.readBigInt64BE(0);
        if (m[3] & 4 && !(m[3] & 1)) {
          if (m[5]) rows.push(`partition code ${m[5]}`);
          continue;
        }
        if (m[3] & 1 || m[5]) {
          if (m[5] || m.readUInt16BE(20)) rows.push(`end ${row(m)}`);
          return { rows: rows.sort(), sum: String(sum.n) };
        }
        rows.push(row(m));
      }
  }
  async ready(q) {
    for (let z = 0; z < 400; z++) {
      if (/load_pct=100/.test(await this.info(q))) return;
      await new Promise(ok => setTimeout(ok, 25));
    }
  }
  async settle() {
    for (let z = 0; z < 400; z++) {
      if (!/(status|state)=active/.test(await this.info('query-show'))) return;
      await new Promise(ok => setTimeout(ok, 25));
    }
  }
}
export async function answer(c, kind, q) {
  if (kind === 'settle') return c.settle();
  if (kind === 'ready') return c.ready(q);
  if (kind === 'info') return c.info(q);
  const b = Buffer.from(q, 'hex');
  if (kind === 'one') return (await c.one(b)).toString('hex');
  if (kind === 'udf') return udf(await c.one(b));
  const r = await c.many(b);
  return kind === 'many'
    ? r.rows
    : kind === 'sum'
      ? r.sum
      : r.rows.some(x => x.startsWith('end '))
        ? 'error'
        : 'no error';
}
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values: opt, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string', default: '3000' }, show: { type: 'string', default: '5' } },
  });
  let pass = 0,
    fail = 0,
    shown = 0;
  const by = {};
  for (const file of positionals)
    for (const line of gunzipSync(fs.readFileSync(file)).toString().split('\n').filter(Boolean)) {
      const scene = JSON.parse(line);
      let c = new Client(+opt.port);
      for (let n = 0; n < scene.steps.length; n++) {
        const s = scene.steps[n];
        let got;
        try {
          got = await answer(c, s.kind, s.q);
        } catch (e) {
          got = `(${e.message})`;
          c.s.destroy();
          c = new Client(+opt.port);
        }
        if (s.kind === 'settle' || s.kind === 'ready') continue;
        const label = `${s.kind} ${s.note ?? ''}`;
        by[label] ??= [0, 0];
        if (JSON.stringify(got) === JSON.stringify(s.a)) {
          pass++;
          by[label][0]++;
          continue;
        }
        fail++;
        by[label][1]++;
        if (shown++ < +opt.show) {
          const d = (a, b) =>
            Array.isArray(a)
              ? `${a.length} rows; only here: ${a
                  .filter(x => !b?.includes?.(x))
                  .slice(0, 2)
                  .join('  ')
                  .slice(0, 300)}`
              : String(a).slice(0, 300);
          console.log(
            `✗ ${scene.case} step ${n} ${label}: ${String(s.q).slice(0, 260)}\n    want ${d(s.a, got)}\n    got  ${d(got, s.a)}`,
          );
        }
      }
      c.s.destroy();
    }
  for (const k of Object.keys(by).sort())
    if (by[k][1]) console.log(`${k}: ${by[k][0]} agree, ${by[k][1]} differ`);
  console.log(`${pass} passed, ${fail} failed`);
  process.exit(fail ? 1 : 0);
}
