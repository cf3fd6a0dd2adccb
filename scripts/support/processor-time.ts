/**
 * Processor time and memory of another process, from /proc (Linux).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Of /proc times; every Linux that Node runs on has it at 100. */
const TICKS_PER_SEC = 100;

/** Seconds. The main thread is the one whose id is the process id; `others` is every other thread. */
export interface ProcessorTime {
  readonly mainUser: number;
  readonly mainSystem: number;
  readonly othersUser: number;
  readonly othersSystem: number;
}

/** Processor time that the process has used so far. A thread that has ended no longer counts. */
export function processorTime(pid: number): ProcessorTime {
  const time = { mainUser: 0, mainSystem: 0, othersUser: 0, othersSystem: 0 };
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const stat = readTaskStat(pid, task);
    if (stat === undefined) continue;
    const isMain = Number(task) === pid;
    time[isMain ? 'mainUser' : 'othersUser'] += stat.user;
    time[isMain ? 'mainSystem' : 'othersSystem'] += stat.system;
  }
  return time;
}

export function timeBetween(before: ProcessorTime, after: ProcessorTime): ProcessorTime {
  return {
    mainUser: after.mainUser - before.mainUser,
    mainSystem: after.mainSystem - before.mainSystem,
    othersUser: after.othersUser - before.othersUser,
    othersSystem: after.othersSystem - before.othersSystem,
  };
}

/** Seconds on a processor of all threads together, to the nanosecond: for processes that use little. */
export function preciseTime(pid: number): number {
  let nanos = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    nanos += Number(readTask(pid, task, 'schedstat')?.split(' ')[0] ?? 0);
  }
  return nanos / 1e9;
}

/** Milliseconds that each thread, by its id, has been ready to run and had to wait for a processor. None of a process that has ended. */
export function waitingTimes(pid: number): Map<string, number> {
  const times = new Map<string, number>();
  for (const task of existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : []) {
    times.set(task, Number(readTask(pid, task, 'schedstat')?.split(' ')[1] ?? 0) / 1e6);
  }
  return times;
}

/** Resident size in bytes. */
export function residentSize(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}

function readTaskStat(pid: number, task: string): { user: number; system: number } | undefined {
  const text = readTask(pid, task, 'stat');
  if (text === undefined) return undefined;
  // The second field is the name in brackets and may hold spaces; utime and stime are the 14th and 15th field.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]) / TICKS_PER_SEC, system: Number(fields[12]) / TICKS_PER_SEC };
}

function readTask(pid: number, task: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/task/${task}/${file}`, 'utf8');
  } catch {
    return undefined; // the thread ended since its directory was listed
  }
}
