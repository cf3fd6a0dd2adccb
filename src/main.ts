#!/usr/bin/env node
/** Entry point: arguments, signals, exit code. */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { boundProcessMemory } from './base/process-memory.js';
import { ConfigError } from './config/config-error.js';
import { defaultConfig, loadConfigFile, type ServerConfig } from './config/server-config.js';
import { describeSettings } from './config/settings-help.js';
import { ListenError } from './net/aerospike/socket-engine.js';
import { HttpListenError } from './net/http/server.js';
import { LogError } from './observe/log-config.js';
import { Readiness } from './observe/readiness.js';
import { Server } from './server.js';
import { StorageError } from './storage/device/storage-error.js';

const EXIT_FAILURE = 1;
const EXIT_ARGUMENTS = 2;
const EXIT_CONFIG = 3;
const EXIT_STORAGE = 4;
const EXIT_PORT = 5;
const START_STEP_MS = 5000; // between reports of a cold start
const STOP_STEPS_MAX = 30;
const STOP_STEP_MS = 10_000; // between requests for more time while the last writes are flushed

const HELP = `Usage: caltrop [--config FILE] [--check-config] [--settings] [--help]

  --config FILE   configuration in the syntax of aerospike.conf; without it an embedded default runs
  --check-config  check the configuration, say what is wrong with it, and exit
  --settings      list the settings, what this version does with each, and exit
  --help          this text

Exit codes: 0 clean stop, 1 unexpected failure, 2 bad arguments, 3 configuration refused, 4 storage refused,
5 a port cannot be opened. SIGTERM and SIGINT stop the server after what is under way was answered and
everything was flushed; SIGHUP re-opens the log files.
`;

interface Arguments {
  config: string | undefined;
  isCheckOnly: boolean;
}

function readArguments(): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string' },
        'check-config': { type: 'boolean', default: false },
        settings: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help || values.settings) {
      process.stdout.write(values.help ? HELP : describeSettings());
      process.exit(0);
    }
    return { config: values.config, isCheckOnly: values['check-config'] };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    process.exit(EXIT_ARGUMENTS);
  }
}

function readConfig(file: string | undefined): ServerConfig {
  try {
    return file === undefined ? defaultConfig() : loadConfigFile(file);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(EXIT_CONFIG);
  }
}

/** Opens the log, which is where later errors go. */
function createServer(from: ServerConfig): Server {
  try {
    return new Server(from);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(exitCodeOf(error));
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError || error instanceof LogError) return EXIT_CONFIG;
  // An error that comes from a worker thread has kept its name alone.
  if (error instanceof StorageError || (error as Error).name === 'StorageError') return EXIT_STORAGE;
  if (error instanceof ListenError || error instanceof HttpListenError) return EXIT_PORT;
  return EXIT_FAILURE;
}

// A command goes through many small functions in many files, more than V8 takes together by itself when it compiles
// one that is often called: each of the others is then a call with checks of its own. With still larger bounds, compiling
// takes more of the first seconds under load than the calls do.
setFlagsFromString('--max-inlined-bytecode-size-cumulative=2000');
setFlagsFromString('--max-inlined-bytecode-size=1000');
boundProcessMemory();

const args = readArguments();
const config = readConfig(args.config);
if (args.isCheckOnly) {
  for (const warning of config.warnings) process.stdout.write(`${warning}\n`);
  process.stdout.write(`${config.source}: the configuration is accepted\n`);
  process.exit(0);
}

const server = createServer(config);
const log = server.log.context('as');
const readiness = new Readiness(log);
let isStopping = false;

/** A second signal while this goes on changes nothing. */
async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  let steps = 0;
  const patience = setInterval(() => {
    if (++steps <= STOP_STEPS_MAX) void readiness.extendTimeout(STOP_STEP_MS * 3, 'flushing');
  }, STOP_STEP_MS);
  await readiness.stopping('draining');
  await server.stop();
  clearInterval(patience);
  process.exit(0);
}

process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
process.on('SIGHUP', () => server.log.reopen());
server.onFailure = error => process.exit(exitCodeOf(error)); // a shard's memory is lost: a new process recovers it from storage
process.on('uncaughtException', error => {
  log.critical(`broken invariant: ${error.stack}`);
  process.exit(EXIT_FAILURE);
});

try {
  await server.start(status => void readiness.extendTimeout(START_STEP_MS * 4, status), START_STEP_MS);
  await readiness.ready(`clients on port ${server.port}`);
  readiness.startWatchdog(() => server.makesProgress());
} catch (error) {
  log.critical(error instanceof Error ? error.message : String(error));
  process.exit(exitCodeOf(error));
}
