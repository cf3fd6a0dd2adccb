#!/usr/bin/env node
import fs from 'node:fs';
// Replays recorded requests on a server and compares its answers with the recorded ones, byte for byte.
//   node replay.mjs --port 3000 FILE.jsonl.gz… [--show 3] [--case list/17] [--summary] [--failed NAMES.json]
// A file holds a case a line: {"case": name, "steps": [{"q": request hex, "r": [answer frames hex], "end"?: "closed"|"silent"}]}.
// Cases use namespace "test" (default-ttl 0, replication factor 1) and keys of their own; a void-time that is set equals any other that is set; replay on an empty
// namespace, since a case starts from keys that don't exist. Batch answers are compared as a set by row index. In files named
// malformed, an answer that the reference refused may be refused with another code, or by closing the
// connection (silence only where the reference was silent); what it accepted must be answered alike. After
// every malformed case and every file the server must still answer, else all the rest counts as failed.
// Exit status: 0 when every case agrees, 1 otherwise. The last line is "N passed, N failed".
import net from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';

const { values: opt, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '3000' },
    show: { type: 'string', default: '3' },
    case: { type: 'string' },
    summary: { type: 'boolean', default: false },
    failed: { type: 'string' },
  },
});
const failedNames = [];
/** For an answer that never comes: a machine may be busy. */
const ANSWER_MS = 20_000;

class Conn {
  buf = Buffer.alloc(0);
  closed = false;
  open() {
    return new Promise((ok, no) => {
      this.s = net.connect(+opt.port, '127.0.0.1', () => {
        this.s.setNoDelay(true);
        ok(this);
      });
      this.s.on('error', e => {
        this.closed = true;
        no(e);
        this.kick?.();
      });
      this.s.on('data', d => {
        this.buf = Buffer.concat([this.buf, d]);
        this.kick?.();
      });
      this.s.on('close', () => {
        this.closed = true;
        this.kick?.();
      });
    });
  }
  async frame(ms) {
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
      if (this.closed) return null;
      const left = end - Date.now();
      if (left <= 0) return undefined;
      await new Promise(r => {
        const t = setTimeout(r, left);
        this.kick = () => {
          clearTimeout(t);
          r();
        };
      });
      this.kick = null;
    }
  }
}
let conn;
async function ask(q, multi, ms) {
  if (!conn || conn.closed) conn = await new Conn().open();
  conn.s.write(q);
  const r = [];
  for (;;) {
    const f = await conn.frame(ms);
    if (f === null) return { r, end: 'closed' };
    if (f === undefined) {
      conn.s.destroy();
      conn.closed = true;
      return { r, end: 'silent' };
    }
    r.push(f);
    if (!multi || lastOf(f)) return { r };
  }
}
// frames → messages; a frame may carry several
function* messages(f) {
  let p = 8;
  while (p < f.length) {
    const s = p;
    const nf = f.readUInt16BE(p + 18),
      no = f.readUInt16BE(p + 20);
    p += f[p];
    for (let k = nf + no; k > 0; k--) p += 4 + f.readUInt32BE(p);
    yield f.subarray(s, p);
  }
}
const lastOf = f => {
  try {
    for (const m of messages(f)) if (m[3] & 1) return true;
  } catch {
    return true;
  }
  return false;
};
const rows = frames => {
  const out = [];
  for (const f of frames) for (const m of messages(f)) out.push(m.toString('hex'));
  return out.sort().join('|');
};
// a void-time depends on the hour: two that are both set are taken as equal
const mask = (mine, other) =>
  mine
    .map((x, n) =>
      other[n]?.length >= 44 &&
      x.length >= 44 &&
      x.slice(36, 44) !== '00000000' &&
      other[n].slice(36, 44) !== '00000000'
        ? `${x.slice(0, 36)}voidtime${x.slice(44)}`
        : x,
    )
    .join();
const code = f => f?.[13];
const PT = {
  0: 'nil',
  1: 'int',
  2: 'float',
  3: 'str',
  4: 'blob',
  17: 'bool',
  18: 'hll',
  19: 'map',
  20: 'list',
  23: 'geo',
};
export function explain(hex) {
  const f = Buffer.from(hex, 'hex');
  const out = [];
  try {
    for (const m of messages(f)) {
      const nf = m.readUInt16BE(18),
        no = m.readUInt16BE(20);
      let p = 22;
      const fl = [],
        ops = [];
      for (let k = 0; k < nf; k++) {
        const n = m.readUInt32BE(p);
        fl.push(`field ${m[p + 4]}=${m.subarray(p + 5, p + 4 + n).toString('hex')}`);
        p += 4 + n;
      }
      for (let k = 0; k < no; k++) {
        const n = m.readUInt32BE(p),
          nl = m[p + 7];
        ops.push(
          `op ${m[p + 4]} ${PT[m[p + 5]] ?? m[p + 5]} "${m.subarray(p + 8, p + 8 + nl)}" ${m.subarray(p + 8 + nl, p + 4 + n).toString('hex')}`,
        );
        p += 4 + n;
      }
      out.push(
        `info ${m[1]}/${m[2]}/${m[3]}/${m[4]} code ${m[5]} gen ${m.readUInt32BE(6)} ttl ${m.readUInt32BE(10)} tt ${m.readUInt32BE(14)} ${[...fl, ...ops].join('; ')}`,
      );
    }
  } catch (e) {
    out.push(`(not parseable: ${e.message})`);
  }
  return out.join('\n      ');
}
async function alive() {
  for (let k = 0; k < 10; k++) {
    try {
      const c = await new Conn().open();
      c.s.write(Buffer.concat([Buffer.from([2, 1, 0, 0, 0, 0, 0, 6]), Buffer.from('build\n')]));
      const f = await c.frame(1500);
      c.s.destroy();
      if (f) return true;
    } catch {}
    await new Promise(r => setTimeout(r, 100));
  }
  return false;
}
let pass = 0,
  fail = 0,
  shown = 0,
  dead = false;
for (const file of files) {
  const lenient = path.basename(file).startsWith('malformed');
  const batch = path.basename(file).startsWith('batch');
  const text = (file.endsWith('.gz') ? gunzipSync(fs.readFileSync(file)) : fs.readFileSync(file)).toString();
  let p = 0,
    f = 0;
  for (const line of text.split('\n')) {
    if (!line) continue;
    const c = JSON.parse(line);
    if (opt.case && c.case !== opt.case) continue;
    let bad;
    if (c.steps.some(s => s.kind)) {
      console.log(`${path.basename(file)} holds scenes: replay it with replay-query.mjs`);
      fail++;
      break;
    }
    if (dead) {
      f++;
      continue;
    }
    for (let n = 0; n < c.steps.length && !bad; n++) {
      const s = c.steps[n];
      let a;
      try {
        a = await ask(
          Buffer.from(s.q, 'hex'),
          batch && s.r.length > 0 && (parseInt(s.q.slice(18, 20), 16) & 8) !== 0,
          s.end === 'silent' ? 400 : ANSWER_MS,
        );
      } catch (e) {
        bad = { n, why: `the server can't be reached: ${e.message}` };
        break;
      }
      const got = a.r.map(x => x.toString('hex'));
      let same = mask(got, s.r) === mask(s.r, got) && (a.end ?? '') === (s.end ?? '');
      if (!same && batch && !s.end && !a.end) {
        try {
          same = rows(a.r) === rows(s.r.map(x => Buffer.from(x, 'hex')));
        } catch {}
      }
      if (!same && lenient) {
        const want = s.r.length ? parseInt(s.r[0].slice(26, 28), 16) : undefined;
        const refused = a.end === 'closed' || (a.r.length > 0 && code(a.r[0]) !== 0);
        if ((s.end || want !== 0) && refused) same = true;
      }
      if (!same) bad = { n, s, got, end: a.end };
    }
    if (lenient && !(await alive())) {
      dead = true;
      bad ??= { n: c.steps.length - 1, why: 'the server no longer answers' };
    }
    if (!bad) {
      p++;
      continue;
    }
    f++;
    failedNames.push(c.case);
    if (!opt.summary && shown < +opt.show) {
      shown++;
      console.log(`✗ ${c.case} step ${bad.n}: ${bad.why ?? ''}`);
      if (bad.s) {
        console.log(`    asked ${explain(bad.s.q)}`);
        console.log(`    want  ${bad.s.end ?? ''} ${bad.s.r.map(explain).join('\n      ')}`);
        console.log(`    got   ${bad.end ?? ''} ${bad.got.map(explain).join('\n      ')}`);
      }
    }
    if (bad.why) {
      conn = undefined;
    }
  }
  if (!dead && !(await alive())) {
    dead = true;
    console.log(`after ${path.basename(file)} the server no longer answers`);
    fail++;
  }
  console.log(`${path.basename(file)}: ${p} of ${p + f} cases agree`);
  pass += p;
  fail += f;
}
conn?.s.destroy();
if (opt.failed) fs.writeFileSync(opt.failed, JSON.stringify(failedNames));
console.log(`${pass} passed, ${fail} failed`);
process.exit(fail ? 1 : 0);
