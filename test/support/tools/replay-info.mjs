#!/usr/bin/env node
import fs from 'node:fs';
// Asks a server the info commands of vectors/info.json and compares the form of its answers with the reference's.
//   node replay-info.mjs --port 3000 [--file ../../vectors/info.json] [--all]
// Values differ between servers, so form is compared: "ok" and other plain words, ERROR with its code, the set of keys of a
// k=v;k=v or k=v:k=v answer (per entry where entries are separated by ;), the number of fields of a comma list. Prints a line a command that
// differs: keys missing here, keys only here, or the two answers cut short. --all prints agreeing ones too. Last line: "N passed, N failed".
import net from 'node:net';
import { parseArgs } from 'node:util';

const { values: o } = parseArgs({
  options: {
    port: { type: 'string', default: '3000' },
    file: { type: 'string', default: new URL('../../vectors/info.json', import.meta.url).pathname },
    all: { type: 'boolean', default: false },
  },
});
const ask = n =>
  new Promise(ok => {
    const s = net.connect(+o.port, '127.0.0.1');
    const b = Buffer.from(`${n}\n`);
    const h = Buffer.alloc(8);
    h.writeBigUInt64BE((2n << 56n) | (1n << 48n) | BigInt(b.length));
    let a = Buffer.alloc(0);
    s.on('data', d => {
      a = Buffer.concat([a, d]);
      if (a.length >= 8 && a.length >= 8 + a.readUIntBE(2, 6)) {
        s.destroy();
        ok(a.subarray(8).toString('latin1'));
      }
    });
    s.on('error', () => ok('(no connection)'));
    s.on('close', () => ok('(closed)'));
    s.write(Buffer.concat([h, b]));
    setTimeout(() => {
      s.destroy();
      ok('(no answer)');
    }, 3000);
  });
const keysOf = (v, sep) =>
  new Set(
    v
      .split(sep)
      .filter(x => x.includes('='))
      .map(x => x.slice(0, x.indexOf('='))),
  );
const kind = v =>
  v === ''
    ? 'empty'
    : v.startsWith('ERROR:')
      ? v.split(':').slice(0, 2).join(':')
      : /^[\w.-]+=[^;]*(;|$)/.test(v) && (v.match(/;/g)?.length ?? 0) > 0 && !/^[^;]*=[^;]*:[\w-]+=/.test(v)
        ? 'pairs;'
        : /^[\w.-]+=[^:]*:/.test(v)
          ? 'pairs:'
          : 'plain';
let pass = 0,
  fail = 0;
for (const [cmd, want] of JSON.parse(fs.readFileSync(o.file, 'utf8'))) {
  if (cmd === '(state)') continue;
  const raw = await ask(cmd);
  const got = raw.startsWith(`${cmd}\t`) ? raw.slice(cmd.length + 1).replace(/\n$/, '') : raw;
  let why = '';
  if (kind(want) !== kind(got))
    why = `want ${JSON.stringify(want.slice(0, 90))} got ${JSON.stringify(got.slice(0, 90))}`;
  else if (kind(want).startsWith('pairs')) {
    const sep = kind(want) === 'pairs;' ? ';' : /[:;]/;
    const a = keysOf(want, sep),
      b = keysOf(got, sep);
    const miss = [...a].filter(x => !b.has(x)),
      more = [...b].filter(x => !a.has(x));
    if (miss.length)
      why = `${miss.length} of ${a.size} keys missing: ${miss.slice(0, 12).join(' ')}${miss.length > 12 ? ' …' : ''}${more.length ? `; only here: ${more.slice(0, 6).join(' ')}` : ''}`;
  } else if (kind(want) === 'plain' && ['ok', 'true', 'false'].includes(want) && want !== got)
    why = `want ${want} got ${JSON.stringify(got.slice(0, 90))}`;
  if (why) fail++;
  else pass++;
  if (why || o.all) console.log(`${why ? '✗' : '✓'} ${JSON.stringify(cmd)} ${why}`);
}
console.log(`${pass} passed, ${fail} failed`);
process.exit(fail ? 1 : 0);
