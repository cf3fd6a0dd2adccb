/**
 * What systemd is told: ready, stopping, alive, a line of status, more time for a long start. Its
 * socket takes unix datagrams, which Node cannot send, so the program `systemd-notify` does (the unit
 * needs NotifyAccess=all). That program waits until systemd has read the message, so the answer to
 * "who sent this?" is still there when systemd asks. Messages go out one after another, in order.
 * Without NOTIFY_SOCKET in the environment all of this does nothing.
 */
import { execFile } from 'node:child_process';
import type { LogContext } from './log.js';

const NOTIFY_PROGRAM = 'systemd-notify';
const NOTIFY_TIMEOUT_MS = 10_000;
/** Messages waiting behind a slow systemd; the oldest keep-alives are worthless by then, so new ones are dropped. */
const WAITING_COUNT_MAX = 16;

export interface NotifyEnvironment {
  NOTIFY_SOCKET?: string;
  /** Microseconds without a keep-alive after which systemd ends the service. */
  WATCHDOG_USEC?: string;
  /** The process that has to send them; this one when absent. */
  WATCHDOG_PID?: string;
}

export class Readiness {
  readonly #log: LogContext;
  readonly #environment: NotifyEnvironment;
  #queue: Promise<void> = Promise.resolve();
  #waitingCount = 0;
  #hasFailed = false;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(log: LogContext, environment: NotifyEnvironment = process.env as NotifyEnvironment) {
    this.#log = log;
    this.#environment = environment;
  }

  get isSupervised(): boolean {
    return Boolean(this.#environment.NOTIFY_SOCKET);
  }

  /** The service accepts clients from now on. */
  ready(status: string): Promise<void> {
    return this.#send('READY=1', statusLine(status));
  }

  /** One line shown by `systemctl status`. */
  status(status: string): Promise<void> {
    return this.#send(statusLine(status));
  }

  /** A long start or stop goes on: systemd waits this much longer, counted from now. To be repeated before that ends. */
  extendTimeout(extraMs: number, status: string): Promise<void> {
    return this.#send(`EXTEND_TIMEOUT_USEC=${Math.ceil(extraMs) * 1000}`, statusLine(status));
  }

  /** The service drains and ends. No keep-alives follow; a long drain asks for time by extendTimeout. */
  stopping(status: string): Promise<void> {
    this.stopWatchdog();
    return this.#send('STOPPING=1', statusLine(status));
  }

  /**
   * Sends a keep-alive at half of the interval that systemd set, if it set one for this process.
   * @param isAlive Asked before each; while it says false none is sent, and systemd acts.
   * @returns Milliseconds between keep-alives, or 0 where none are wanted.
   */
  startWatchdog(isAlive: () => boolean): number {
    const { WATCHDOG_USEC, WATCHDOG_PID } = this.#environment;
    const intervalMs = Math.floor(Number(WATCHDOG_USEC ?? 0) / 2000);
    const isForUs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
    if (!this.isSupervised || !isForUs || !(intervalMs > 0)) return 0;
    this.stopWatchdog();
    this.#watchdog = setInterval(() => {
      if (isAlive()) void this.#send('WATCHDOG=1');
      else this.#log.critical('watchdog: the server does not make progress, no keep-alive sent');
    }, intervalMs);
    this.#watchdog.unref();
    return intervalMs;
  }

  stopWatchdog(): void {
    clearInterval(this.#watchdog);
    this.#watchdog = undefined;
  }

  /** Resolves, never rejects: a supervisor that cannot be reached is a warning, not a reason to stop serving. */
  #send(...assignments: string[]): Promise<void> {
    if (!this.isSupervised || this.#waitingCount >= WAITING_COUNT_MAX) return Promise.resolve();
    this.#waitingCount++;
    this.#queue = this.#queue.then(async () => {
      const failure = await notify(assignments, this.#environment);
      this.#waitingCount--;
      if (failure !== undefined && !this.#hasFailed) {
        this.#hasFailed = true;
        this.#log.warning(
          `systemd was not told ${assignments[0]}: ${failure}; further failures are not logged`,
        );
      }
    });
    return this.#queue;
  }
}

/** @returns Why systemd was not reached, or undefined. */
function notify(assignments: string[], environment: NotifyEnvironment): Promise<string | undefined> {
  const options = { env: { ...process.env, ...environment }, timeout: NOTIFY_TIMEOUT_MS };
  return new Promise(resolve => {
    execFile(NOTIFY_PROGRAM, assignments, options, (error, _stdout, stderr) => {
      if (!error) resolve(undefined);
      else if (error.code === 'ENOENT') resolve(`the program ${NOTIFY_PROGRAM} is missing`);
      else resolve(stderr.trim() || error.message);
    });
  });
}

function statusLine(status: string): string {
  return `STATUS=${status.replaceAll('\n', ' ')}`;
}
