/**
 * What the machine and this process use, for `statistics` and the metrics. Figures are read when somebody
 * asks, at most once a second, and percentages cover the time since the reading before. Percentages of
 * processor time are of one processor, so that they may pass 100, as in the reference.
 */
import { readFileSync } from 'node:fs';
import { monotonicMs } from '../base/clock.js';

/** Least time between two readings. */
const READ_INTERVAL_MS = 1000;
/** Unit of /proc/stat: USER_HZ, 100 on every architecture that Node runs on. */
const TICKS_PER_SEC = 100;

export interface SystemFigures {
  readonly totalCpuPct: number;
  readonly userCpuPct: number;
  readonly kernelCpuPct: number;
  readonly processCpuPct: number;
  readonly freeMemoryKbytes: number;
  readonly freeMemoryPct: number;
  /** Transparent huge pages, machine-wide. */
  readonly hugePagesKbytes: number;
  readonly threadCount: number;
  /** Heap in use with buffers and shared memory, that heap with its spare room, and all that is resident. */
  readonly heapAllocatedKbytes: number;
  readonly heapActiveKbytes: number;
  readonly heapMappedKbytes: number;
}

interface Reading {
  readonly atMs: number;
  readonly userTicks: number;
  readonly kernelTicks: number;
  readonly processMicros: number;
}

export class SystemUsage {
  #last: Reading;
  #figures: SystemFigures;

  /** @param nowMs monotonic milliseconds. */
  constructor(nowMs: number = monotonicMs()) {
    this.#last = { atMs: nowMs, ...readTicks(), processMicros: readProcessMicros() };
    this.#figures = this.#measure(this.#last);
  }

  /** @param nowMs monotonic milliseconds. */
  figures(nowMs: number): SystemFigures {
    if (nowMs - this.#last.atMs >= READ_INTERVAL_MS) {
      const reading = { atMs: nowMs, ...readTicks(), processMicros: readProcessMicros() };
      this.#figures = this.#measureIfPossible(reading);
      this.#last = reading;
    }
    return this.#figures;
  }

  /** The figures before when the process has no descriptor left to read new ones with: writes stop by them. */
  #measureIfPossible(now: Reading): SystemFigures {
    try {
      return this.#measure(now);
    } catch {
      return this.#figures; // EMFILE
    }
  }

  #measure(now: Reading): SystemFigures {
    const sec = (now.atMs - this.#last.atMs) / 1000;
    const pctOf = (ticks: number) =>
      sec > 0 ? Math.max(0, Math.round((ticks / TICKS_PER_SEC / sec) * 100)) : 0;
    const userCpuPct = pctOf(now.userTicks - this.#last.userTicks);
    const kernelCpuPct = pctOf(now.kernelTicks - this.#last.kernelTicks);
    const processSec = (now.processMicros - this.#last.processMicros) / 1e6;
    const memory = process.memoryUsage();
    const machine = readMemory();
    const outside = memory.external; // array buffers, the shared ones among them
    return {
      totalCpuPct: userCpuPct + kernelCpuPct,
      userCpuPct,
      kernelCpuPct,
      processCpuPct: sec > 0 ? Math.round((processSec / sec) * 100) : 0,
      ...machine,
      threadCount: Number(readProc('/proc/self/status').match(/^Threads:\s+(\d+)/m)?.[1] ?? 1),
      heapAllocatedKbytes: Math.floor((memory.heapUsed + outside) / 1024),
      heapActiveKbytes: Math.floor((memory.heapTotal + outside) / 1024),
      heapMappedKbytes: Math.floor(memory.rss / 1024),
    };
  }
}

let lastResidentBytes = 0;

/** Resident memory of the process; as read last where it cannot be read (EMFILE: no descriptor is left). */
export function residentBytes(): number {
  try {
    lastResidentBytes = process.memoryUsage.rss();
  } catch {
    // process.memoryUsage opens a file of /proc
  }
  return lastResidentBytes;
}

function readProcessMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Ticks since boot: user and nice; system, interrupts and soft interrupts. */
function readTicks(): { userTicks: number; kernelTicks: number } {
  const row = readProc('/proc/stat').match(/^cpu\s+(.*)$/m)?.[1];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = row?.split(/\s+/).map(Number) ?? [];
  return { userTicks: user + nice, kernelTicks: system + irq + softIrq };
}

/** Throws where it cannot be read: os.freemem() then leaves the caches out, and writes would stop for it. */
function readMemory(): Pick<SystemFigures, 'freeMemoryKbytes' | 'freeMemoryPct' | 'hugePagesKbytes'> {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const kbytesOf = (name: string) => Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))?.[1] ?? 0);
  const freeMemoryKbytes = kbytesOf('MemAvailable');
  return {
    freeMemoryKbytes,
    freeMemoryPct: Math.floor((freeMemoryKbytes * 100) / kbytesOf('MemTotal')),
    hugePagesKbytes: kbytesOf('AnonHugePages'),
  };
}

/** A file that the kernel makes up: no device is waited for. Empty where there is no such file. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // not Linux, or hidden: its figures read 0
  }
}
