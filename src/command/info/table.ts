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
import { TRUNCATE_COMMANDS } from './truncate-info.js';
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
  TRUNCATE_COMMANDS,
  ADMIN_COMMANDS,
  ENTERPRISE_COMMANDS,
  { help: info('names of all commands', () => [...INFO_COMMANDS.keys()].join(';')) },
];

export const INFO_COMMANDS: ReadonlyMap<string, InfoCommand> = new Map(TABLES.flatMap(Object.entries));

/**
 * Answers the body of an info request.
 * @param connection the socket's own object, the same for all its requests.
 * @returns the body of the response, owned by the caller; later, when a command waits for a file.
 */
export function answerInfo(
  source: InfoSource,
  connection: InfoConnection,
  body: Uint8Array,
): Uint8Array | Promise<Uint8Array> {
  const startMs = monotonicMs();
  const lines = parseInfoRequest(body.length > 0 ? body : Buffer.from(`${SUMMARY.join('\n')}\n`));
  if (lines === undefined) return Buffer.from('ERROR:4:too many commands\n');
  const gathered: Gathered = { answers: [], size: 0 };
  for (const line of lines) {
    const answer = answerNext(source, connection, line, gathered);
    if (typeof answer !== 'string') return finishLater(source, connection, lines, gathered, answer, startMs);
    gather(gathered, line, answer);
  }
  return finish(source, lines, gathered, startMs);
}

/** Answers to the first commands of a request, and bytes that they take. */
interface Gathered {
  readonly answers: string[];
  size: number;
}

function gather(gathered: Gathered, line: InfoLine, answer: string): void {
  gathered.answers.push(answer);
  gathered.size += infoAnswerSize(line, answer);
}

/** The rest of a request, from the command on whose answer is waited for. */
async function finishLater(
  source: InfoSource,
  connection: InfoConnection,
  views: readonly InfoLine[],
  gathered: Gathered,
  awaited: Promise<string>,
  startMs: number,
): Promise<Uint8Array> {
  const lines = views.map(line => ({ ...line, bytes: line.bytes.slice() })); // the request's bytes do not stay
  const first = gathered.answers.length;
  gather(gathered, lines[first]!, await awaited);
  for (const line of lines.slice(first + 1)) {
    gather(gathered, line, await answerNext(source, connection, line, gathered));
  }
  return finish(source, lines, gathered, startMs);
}

function answerNext(
  source: InfoSource,
  connection: InfoConnection,
  line: InfoLine,
  { size }: Gathered,
): string | Promise<string> {
  return size < INFO_RESPONSE_SIZE_MAX ? answerLine(source, connection, line) : 'ERROR:4:response too long';
}

function finish(
  source: InfoSource,
  lines: readonly InfoLine[],
  { answers }: Gathered,
  startMs: number,
): Uint8Array {
  const response = buildInfoResponse(lines, answers);
  source.counterBlock[INFO_COMPLETE]! += 1;
  source.latencies.info.record(monotonicMs() - startMs);
  return response;
}

/**
 * The answer to one command, for parts of the server that show the same facts in another form: the metrics.
 * @param command one that answers at once, without a line feed.
 */
export function answerCommand(source: InfoSource, command: string): string {
  const [line] = parseInfoRequest(Buffer.from(command)) ?? [];
  const answer = line === undefined ? UNRECOGNIZED : answerLine(source, new InfoConnection(), line);
  return typeof answer === 'string' ? answer : UNRECOGNIZED;
}

function answerLine(
  source: InfoSource,
  connection: InfoConnection,
  line: InfoLine,
): string | Promise<string> {
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
