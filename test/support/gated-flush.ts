/**
 * Loaded into a server before its own code, in each of its threads: a disk that hangs. No flush ends while there is a
 * file with the path in CALTROP_TEST_FLUSH_GATE. Flushes of node:fs alone, so the server has CALTROP_IO=node.
 */
import fs from 'node:fs';

const gate = process.env.CALTROP_TEST_FLUSH_GATE;
const word = new Int32Array(new SharedArrayBuffer(4));
const flush = fs.fdatasyncSync;

if (gate !== undefined) {
  fs.fdatasyncSync = file => {
    while (fs.existsSync(gate)) Atomics.wait(word, 0, 0, 5);
    flush(file);
  };
}
