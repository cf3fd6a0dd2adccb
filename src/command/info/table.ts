/**
 * All info commands, and the answer to a request. One request is answered in one go on the main thread, so
 * what it may cost is bounded: its commands are counted and its response has a largest size.
 */
import { monotonicMs } from '../../base/clock.js';
import { DEPRECATED_REQUESTS, INFO_COMPLETE } from '../../observe/service-counters.js';
import { buildInfoResponse, type InfoLine, infoAnswerSize, parseInfoRequest } from '../../wire/info.js';
import { ADMIN_COMMANDS } from './admin-info.js';
import { CLUSTER_COMMANDS } from './cluster-info.js';
import { type InfoCommand, type InfoTable, info, UNRECOGNIZED } from './command.js';
import { CONFIG_COMMANDS } from './config-commands.js';
import { ENTERPRISE_COMMANDS } from './enterprise-info.js';
import { IDENTITY_COMMANDS } from './identity-info.js';
import { LATENCY_COMMANDS } from './latency-info.js';
import { LOG_COMMANDS } from './log-info.js';
import { NAMESPACE_COMMANDS } from './namespace-info.js';
import { PARTITION_COMMANDS } from './partition-info.js';
import { QUERY_COMMANDS } from './query-info.js';
import type { InfoSource } from './source.js';
import { STATISTICS_COMMANDS } from './statistics-info.js';
import { InfoConnection } from './user-agents.js';

/** Bytes of a response after which further commands of the same request are refused. */
export const INFO_RESPONSE_SIZE_MAX = 64 * 1024 * 1024;
/** What a request without commands asks for. */
const SUMMARY = [
  'node',
  'build',
  'edition',
  'version',
  'namespaces',
  'cluster-name',
  'service-clear-std',
  'status',
];

const TABLES: readonly InfoTable[] = [
  IDENTITY_COMMANDS,
  CLUSTER_COMMANDS,
  PARTITION_COMMANDS,
  NAMESPACE_COMMANDS,
  STATISTICS_COMMANDS,
  CONFIG_COMMANDS,
  LATENCY_COMMANDS,
  LOG_COMMANDS,
  QUERY_COMMANDS,
  ADMIN_COMMANDS,
  ENTERPRISE_COMMANDS,
  { help: info('names of all commands', () => [...INFO_COMMANDS.keys()].join(';')) },
];

export const INFO_COMMANDS: ReadonlyMap<string, InfoCommand> = new Map(TABLES.flatMap(Object.entries));

/**
 * Answers the body of an info request.
 * @param connection the socket's own object, the same for all its requests.
 * @returns the body of the response, owned by the caller.
 */
export function answerInfo(source: InfoSource, connection: InfoConnection, body: Uint8Array): Uint8Array {
  const startMs = monotonicMs();
  const lines = parseInfoRequest(body.length > 0 ? body : Buffer.from(`${SUMMARY.join('\n')}\n`));
  if (lines === undefined) return Buffer.from('ERROR:4:too many commands\n');
  const answers: string[] = [];
  let size = 0;
  for (const line of lines) {
    const answer =
      size < INFO_RESPONSE_SIZE_MAX ? answerLine(source, connection, line) : 'ERROR:4:response too long';
    answers.push(answer);
    size += infoAnswerSize(line, answer);
  }
  const response = buildInfoResponse(lines, answers);
  source.counterBlock[INFO_COMPLETE]! += 1;
  source.latencies.info.record(monotonicMs() - startMs);
  return response;
}

/**
 * The answer to one command, for parts of the server that show the same facts in another form: the metrics.
 * @param command without a line feed.
 */
export function answerCommand(source: InfoSource, command: string): string {
  const [line] = parseInfoRequest(Buffer.from(command)) ?? [];
  return line === undefined ? UNRECOGNIZED : answerLine(source, new InfoConnection(), line);
}

function answerLine(source: InfoSource, connection: InfoConnection, line: InfoLine): string {
  const command = INFO_COMMANDS.get(line.name);
  if (command === undefined) return UNRECOGNIZED;
  if (command.isDeprecated) source.counterBlock[DEPRECATED_REQUESTS]! += 1;
  try {
    return command.answer(source, line.args, connection);
  } catch (error) {
    // A mistake of ours in a report must not take the data down with it.
    source.log.context('info').warning(`info command ${line.name} failed: ${(error as Error).stack}`);
    return 'ERROR::internal error';
  }
}
