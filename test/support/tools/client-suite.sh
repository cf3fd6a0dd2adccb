#!/bin/bash
# Runs the official Aerospike Node client's own test-suite, from its npm package, against a running server.
#   client-suite.sh [--host 127.0.0.1] [--port 3000] [--dir /tmp/client-suite] [--baseline FILE] [--grep REGEX] [NAME…]
# --grep runs only the tests whose full title matches (a leading ! inverts it); the baseline is then not compared.
# NAME… are test files without their ending (put lists exp …); none runs all that need a server.
# The first call installs aerospike@6.7.1, mocha, chai and the like into --dir from the npm registry and compiles the
# tests (about a minute); later calls reuse it. Each file runs apart, 60 s at most (SUITE_S for another).
# Prints a line a file: passed, failed, pending and, where the baseline (default ../../vectors/client-suite.json,
# recorded on the reference server) has it, what the reference gave; names the failed tests under it.
# Exit 0 when no file has fewer passes or more failures than the baseline. Last line: "N passed, N failed".
set -u
host=127.0.0.1 port=3000 dir=/tmp/client-suite here=$(cd "$(dirname "$0")" && pwd) base= grep=
names=()
while [ $# -gt 0 ]; do case $1 in --host) host=$2; shift 2;; --port) port=$2; shift 2;; --dir) dir=$2; shift 2;; --baseline) base=$2; shift 2;; --grep) grep=$2; shift 2;; *) names+=("$1"); shift;; esac; done
base=${base:-$here/../../vectors/client-suite.json}; pick=(); if [ -n "$grep" ]; then base=/nonexistent; case $grep in !*) pick=(--grep "${grep#!}" --invert);; *) pick=(--grep "$grep");; esac; fi
if [ ! -f "$dir/ready" ]; then
  mkdir -p "$dir" && cd "$dir" || exit 2
  [ -f package.json ] || npm init -y >/dev/null 2>&1
  npm install --no-audit --no-fund aerospike@6.7.1 mocha@11 chai@6 chai-as-promised@8 choma mocha-clean p-throttle semver tmp yargs typescript@5 dockerode @mapbox/node-pre-gyp bindings minimatch nan \
    @types/chai @types/chai-as-promised @types/dockerode @types/mocha @types/node @types/semver @types/tmp @types/yargs >install.log 2>&1 || { tail -5 install.log; exit 2; }
  cp -r node_modules/aerospike/test node_modules/aerospike/lib . && (cd test && npx tsc >../tsc.log 2>&1)
  [ -f test/put.js ] || { echo "the tests did not compile: $dir/tsc.log"; exit 2; }
  touch ready
fi
cd "$dir" || exit 2
if [ ${#names[@]} = 0 ]; then for f in test/*.js; do b=$(basename "$f" .js); case $b in test_helper|info|utils|command|metrics*|circuit_breaker|dynamic_config|timeout_delay|connect_timeout) ;; *) names+=("$b");; esac; done; fi
out=$(mktemp -d)
for b in "${names[@]}"; do
  timeout "${SUITE_S:-60}" npx mocha --timeout 10000 --host "$host" --port "$port" -t 10000 --reporter json --reporter-option "output=$out/$b.json" --exit "${pick[@]}" "test/$b.js" >"$out/$b.out" 2>&1
done
node -e '
const fs=require("fs"),[out,basef,...names]=process.argv.slice(1);let base={};try{base=JSON.parse(fs.readFileSync(basef,"utf8"))}catch{}
let P=0,F=0,worse=0;
for(const b of names){let r;try{r=JSON.parse(fs.readFileSync(`${out}/${b}.json`,"utf8"))}catch{}
 const x=base[b];const s=r?.stats??{passes:0,failures:0,pending:0};const want=x?` (reference: ${x.passes} passed, ${x.failures} failed, ${x.pending} pending)`:"";
 const bad=!r?!x||x.passes>0:x?s.passes<x.passes||s.failures>x.failures:s.failures>0;if(bad)worse++;P+=s.passes;F+=s.failures+(r?0:1);
 console.log(`${bad?"✗":"✓"} ${b}: ${r?`${s.passes} passed, ${s.failures} failed, ${s.pending} pending`:"no result (crashed, hung or could not connect: run it alone)"}${want}`);
 for(const f of r?.failures??[])console.log(`    - ${f.fullTitle}: ${String(f.err?.message??"").split("\n")[0].slice(0,160)}`);}
if(process.env.SUITE_WRITE){const o={};for(const b of names){try{const s=JSON.parse(fs.readFileSync(`${out}/${b}.json`,"utf8")).stats;o[b]={passes:s.passes,failures:s.failures,pending:s.pending}}catch{}}fs.writeFileSync(process.env.SUITE_WRITE,JSON.stringify(o,null,1)+"\n");}
console.log(`${P} passed, ${F} failed`);process.exit(worse?1:0);' "$out" "$base" "${names[@]}"
