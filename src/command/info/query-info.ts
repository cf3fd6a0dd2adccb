/**
 * Queries, of which there are background jobs so far; secondary indexes and functions: lists of what there is, which so
 * far is nothing. Commands that would create something are not here, so that they answer as unknown. Source: protocol 02,
 * sections 9 to 11.
 */
import { InfoParams } from '../../wire/info.js';
import { type InfoTable, info, NO_NAMESPACE } from './command.js';
import { findNamespace, type InfoSource } from './source.js';

const NO_INDEX = 'ERROR:201:no index';

/** The namespace of an index command, by its new or its old name. */
function namespaceParam(params: InfoParams): string | undefined {
  return params.get('namespace') ?? params.get('ns');
}

function sindexList(source: InfoSource, args: string): string {
  const name = namespaceParam(new InfoParams(args));
  return name !== undefined && findNamespace(source, name) === undefined ? NO_NAMESPACE : '';
}

/** `sindex`, `sindex/<namespace>`, `sindex/<namespace>/<index>`. */
function sindexPath(source: InfoSource, args: string): string {
  if (args === '') return '';
  const [name, index] = args.split('/', 2);
  if (findNamespace(source, name) === undefined) return NO_NAMESPACE;
  return index === undefined || index === '' ? '' : NO_INDEX;
}

/** Answers `absent` when namespace and index are named, as there is no index. */
function oneIndex(source: InfoSource, args: string, absent: string): string {
  const params = new InfoParams(args);
  const name = namespaceParam(params);
  if (name === undefined) return "ERROR:20:missing 'namespace'";
  if (findNamespace(source, name) === undefined) return NO_NAMESPACE;
  return params.get('indexname') === undefined ? "ERROR:4:missing 'indexname'" : absent;
}

/** The id of a query, by its new or its old name: undefined when none is named, -1 when it is no number. */
function queryId(args: string): bigint | undefined {
  const params = new InfoParams(args);
  const text = params.get('id') ?? params.get('trid');
  if (text === undefined) return undefined;
  return /^(\d+|0x[\da-f]+)$/i.test(text) ? BigInt(text) : -1n;
}

function queryShow({ jobs }: InfoSource, args: string): string {
  const id = queryId(args);
  if (id === undefined) return jobs.rows().join(';');
  return jobs.rows(id)[0] ?? 'ERROR:2:job not found';
}

function queryAbort({ jobs }: InfoSource, args: string): string {
  const id = queryId(args);
  if (id === undefined) return "ERROR:4:missing 'id'";
  return jobs.abort(id) ? 'ok' : 'ERROR:2:id not active';
}

export const QUERY_COMMANDS: InfoTable = {
  'query-show': info('[id]: queries that run or ran', queryShow),
  'query-abort': { permission: 'query-admin', help: 'id: ends a query', answer: queryAbort },
  'query-abort-all': {
    permission: 'query-admin',
    help: 'ends all queries',
    answer: ({ jobs }) => `number-of-queries-killed:${jobs.abortAll()}`,
  },
  sindex: info('[/<namespace>[/<index>]]: secondary indexes', sindexPath),
  'sindex-list': info('[namespace]: secondary indexes', sindexList),
  'sindex-exists': info('namespace indexname: true or false', (source, args) =>
    oneIndex(source, args, 'false'),
  ),
  'sindex-stat': info('namespace indexname: figures of an index', (source, args) =>
    oneIndex(source, args, NO_INDEX),
  ),
  'udf-list': info('registered modules', () => ''),
  'udf-get': info('filename: a module', (_source, args) =>
    new InfoParams(args).get('filename') === undefined ? 'error=invalid_filename' : 'error=not_found',
  ),
};
