/**
 * Binds a thread to a processor (`auto-pin cpu`), by the program taskset of util-linux: Node has no call for
 * it. A thread that cannot be bound runs where the kernel puts it, and the log says so.
 */
import { execFile } from 'node:child_process';
import os from 'node:os';
import type { LogContext } from './log.js';

/**
 * @param tid  The kernel's number of a thread of this process.
 * @param wish The processor; counted around when there are fewer.
 */
export function pinThread(tid: number, wish: number, log: LogContext): void {
  const cpu = wish % os.cpus().length;
  execFile('taskset', ['--pid', '--cpu-list', String(cpu), String(tid)], error => {
    if (error)
      log.warning(`auto-pin: thread ${tid} could not be bound to processor ${cpu}: ${error.message.trim()}`);
    else log.info(`auto-pin: thread ${tid} is bound to processor ${cpu}`);
  });
}
