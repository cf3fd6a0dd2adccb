/** Loop devices: block devices that lie in files, where this system lets us make them. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { temporaryDirectory } from './storage-backends.js';

/** Why there can be none, or ''. */
export const loopRefusal = refusal();

/** A block device of `size` zero bytes; it goes with the test. */
export function loopDevice(t: ExecutionContext, size: number): string {
  const file = path.join(temporaryDirectory(t), 'loop.img');
  fs.writeFileSync(file, '');
  fs.truncateSync(file, size);
  const device = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim();
  t.teardown(() => void execFileSync('losetup', ['--detach', device]));
  return device;
}

function refusal(): string {
  if (process.getuid?.() !== 0) return 'only root makes loop devices';
  try {
    fs.accessSync('/dev/loop-control', fs.constants.R_OK | fs.constants.W_OK);
    execFileSync('losetup', ['--find'], { stdio: 'pipe' });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
