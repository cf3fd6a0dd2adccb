/**
 * Prometheus text with the names, labels and types of Aerospike's own exporter, so that dashboards
 * and alerts made for it work. Like that exporter it reads info answers and nothing else: a number
 * seen here is the number that `asinfo` shows.
 *
 * A statistic `a-b.c` of context X is `aerospike_X_a_b_c`; numbers and booleans are exported, other
 * values are not. What the exporter's list GAUGES names, and every configuration item (its name has a
 * dash), is a gauge; the rest are counters.
 * Source: aerospike-prometheus-exporter 1.2x, its naming rules and gauge_stats_list.toml.
 */

import { residentBytes } from '../../observe/system-usage.js';
import { GAUGES, type MetricContext } from './gauges.js';

/** What the metrics are made of: the server's answer to one info command, without its name, `\t` and newline. */
export interface MetricsSource {
  info(command: string): string;
}

interface Family {
  type: 'gauge' | 'counter';
  help: string;
  /** Rendered labels → value; a series occurs once. */
  series: Map<string, string>;
}
type Labels = Record<string, string>;

/** `storage-engine.stripe[3].used_bytes` → kind of unit, its index, the statistic. */
const ARRAY_STAT = /^(storage-engine|index-type|sindex-type)\.(file|device|stripe|mount)\[(\d+)\]\.(.+)$/;
const LATENCY_ROW = /^(?:\{(.+)\}-)?([^:]+):(msec|usec),(.+)$/;

/** Makes the whole text of one scrape. */
export function renderMetrics(source: MetricsSource): string {
  const families = new Map<string, Family>();
  const node: Labels = {
    cluster_name: source.info('cluster-name'),
    service: source.info('service-clear-std'),
  };

  add(
    families,
    'node_up',
    'gauge',
    'Aerospike node active status',
    { ...node, build: source.info('build') },
    '1',
  );
  for (const command of ['get-config:context=service', 'statistics']) {
    for (const [stat, value] of pairs(source.info(command), ';'))
      addStat(families, 'node_stats', stat, node, value);
  }
  for (const namespace of source.info('namespaces').split(';').filter(Boolean)) {
    const answer = source.info(`namespace/${namespace}`);
    addNamespace(families, { ...node, ns: namespace }, answer);
    for (const row of benchmarkRows(source, namespace, answer)) addLatencies(families, node, row);
  }
  for (const row of source.info('sets').split(';').filter(Boolean)) {
    const stats = new Map(pairs(row, ':'));
    const labels = { ...node, ns: stats.get('ns') ?? '', set: stats.get('set') ?? '' };
    for (const [stat, value] of stats)
      if (stat !== 'ns' && stat !== 'set') addStat(families, 'sets', stat, labels, value);
  }
  for (const row of source.info('latencies:').split(';')) addLatencies(families, node, row);
  addProcess(families);
  return render(families);
}

/** Rows of the benchmarks that are on; those of devices are among `latencies:`, since the exporter asks for no others. */
function benchmarkRows(source: MetricsSource, namespace: string, answer: string): string[] {
  return [...answer.matchAll(/(?:^|;)enable-(benchmarks-[a-z-]+)=true/g)].flatMap(([, group]) =>
    source.info(`latencies:hist={${namespace}}-${group}`).split(';'),
  );
}

function addNamespace(families: Map<string, Family>, labels: Labels, answer: string): void {
  const stats = new Map(pairs(answer, ';'));
  const engine = stats.get('storage-engine');
  const engineLabel: Labels = engine === undefined ? {} : { storage_engine: engine };
  for (const [stat, value] of stats) {
    const unit = ARRAY_STAT.exec(stat);
    if (unit === null) {
      addStat(families, 'namespace', stat, { ...labels, ...engineLabel }, value);
      continue;
    }
    const [, context, kind, index, name] = unit as unknown as [string, string, string, string, string];
    const unitLabels = { [`${kind}_index`]: index, [kind]: stats.get(`${context}.${kind}[${index}]`) ?? '' };
    const typeLabel = { [context.replace('-', '_')]: stats.get(context) ?? '' };
    addStat(
      families,
      'namespace',
      `${context}.${kind}.${name}`,
      { ...labels, ...unitLabels, ...typeLabel },
      value,
    );
  }
}

/**
 * A row of `latencies:` is operations a second in the last slice, then the percentage of them that took
 * longer than 1, 2, 4 … milliseconds. The exporter turns it into "at most" buckets of operations a second.
 */
function addLatencies(families: Map<string, Family>, node: Labels, row: string): void {
  const match = LATENCY_ROW.exec(row);
  if (match === null) return; // a histogram without data so far
  const [, ns = '', name, unit, columns] = match as unknown as [
    string,
    string | undefined,
    string,
    string,
    string,
  ];
  const [rate = 0, ...slowerPct] = columns.split(',').map(Number);
  const short = unit === 'msec' ? 'ms' : 'us';
  const metric = `latencies_${name}_${short}`;
  const labels = { ...node, ns };
  const bucket = (le: string, value: number) =>
    add(families, `${metric}_bucket`, 'gauge', `${name} ${short} bucket`, { ...labels, le }, String(value));
  bucket('+Inf', rate);
  for (const [power, pct] of slowerPct.entries())
    bucket(String(2 ** power), Number((rate - (pct * rate) / 100).toFixed(3)));
  add(families, `${metric}_count`, 'gauge', `${name} ${short} count`, labels, String(rate));
}

/** The few names that every Prometheus process has, which the exporter could not know of the server's. */
function addProcess(families: Map<string, Family>): void {
  const { user, system } = process.cpuUsage();
  const facts: [string, Family['type'], string, number][] = [
    ['process_cpu_seconds_total', 'counter', 'User and system processor time', (user + system) / 1e6],
    ['process_resident_memory_bytes', 'gauge', 'Resident memory size', residentBytes()],
    [
      'process_start_time_seconds',
      'gauge',
      'Start of the process in Unix seconds',
      Date.now() / 1000 - process.uptime(),
    ],
  ];
  for (const [name, type, help, value] of facts) {
    families.set(name, { type, help, series: new Map([['', String(value)]]) });
  }
}

function addStat(
  families: Map<string, Family>,
  context: MetricContext,
  stat: string,
  labels: Labels,
  text: string,
): void {
  const value = toNumber(text);
  if (value === undefined) return;
  const isGauge = stat.replace('storage-engine', '').includes('-') || GAUGES[context].has(stat);
  const help = stat.replace(/[^a-zA-Z0-9]+/g, ' ').trim();
  add(families, `${context}_${stat}`, isGauge ? 'gauge' : 'counter', help, labels, value);
}

function add(
  families: Map<string, Family>,
  suffix: string,
  type: Family['type'],
  help: string,
  labels: Labels,
  value: string,
): void {
  const name = `aerospike_${suffix.replace(/[^a-zA-Z0-9_]/g, '_')}`;
  let family = families.get(name);
  if (family === undefined) families.set(name, (family = { type, help, series: new Map() }));
  const rendered = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  family.series.set(`{${rendered.join(',')}}`, value);
}

function render(families: Map<string, Family>): string {
  const lines: string[] = [];
  for (const [name, { type, help, series }] of families) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of series) lines.push(`${name}${labels} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Splits `a=1;b=2`; a value may contain further `=`. */
function pairs(answer: string, separator: string): [string, string][] {
  return answer
    .split(separator)
    .filter(item => item.includes('='))
    .map(item => [item.slice(0, item.indexOf('=')), item.slice(item.indexOf('=') + 1)]);
}

/** Decimal numbers as they are and booleans as 0 and 1; undefined for names, lists and hexadecimal ids. */
function toNumber(text: string): string | undefined {
  if (text === 'true') return '1';
  if (text === 'false') return '0';
  return /^-?\d+(\.\d+)?$/.test(text) ? text : undefined;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
