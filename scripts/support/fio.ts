/** Runs fio, which shows what a disk can do without a database. */
import { spawnSync } from 'node:child_process';

export interface FioResult {
  readonly iops: number;
  readonly bytesPerSec: number;
  /** Of the process, user and system. */
  readonly cpuSec: number;
}

interface FioJob {
  readonly read: { readonly iops: number; readonly bw_bytes: number };
  readonly write: { readonly iops: number; readonly bw_bytes: number };
  readonly usr_cpu: number; // percent
  readonly sys_cpu: number;
  readonly job_runtime: number; // ms
}

export function hasFio(): boolean {
  return spawnSync('fio', ['--version']).status === 0;
}

/** Random reads of `blockSize` bytes, `depth` in flight, O_DIRECT by io_uring, from a file that is there. */
export function fioRandomReads(file: string, blockSize: number, depth: number, seconds: number): FioResult {
  const size = ['--rw=randread', `--bs=${blockSize}`, `--iodepth=${depth}`];
  return run(file, [...size, '--readonly', '--time_based', `--runtime=${seconds}`], 'read');
}

/** Writes `bytes` in order to a file that is there, `blockSize` at a time, O_DIRECT by io_uring, and flushes at the end. */
export function fioWrites(file: string, bytes: number, blockSize: number, depth: number): FioResult {
  const size = ['--rw=write', `--bs=${blockSize}`, `--iodepth=${depth}`, `--size=${bytes}`];
  return run(file, [...size, '--end_fsync=1'], 'write');
}

function run(file: string, options: readonly string[], which: 'read' | 'write'): FioResult {
  const common = [
    '--name=fio',
    `--filename=${file}`,
    '--direct=1',
    '--ioengine=io_uring',
    '--output-format=json',
  ];
  const { status, stdout, stderr } = spawnSync('fio', [...common, ...options], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`fio failed: ${stderr || stdout}`);
  const job = (JSON.parse(stdout.slice(stdout.indexOf('{'))) as { jobs: FioJob[] }).jobs[0]!;
  const cpuSec = ((job.usr_cpu + job.sys_cpu) / 100) * (job.job_runtime / 1000);
  return { iops: job[which].iops, bytesPerSec: job[which].bw_bytes, cpuSec };
}
