/**
 * Histograms: latencies of commands, ages and sizes of records. Source: protocol 02, section 14.
 */
import { monotonicMs } from '../../base/clock.js';
import type { Histogram } from '../../observe/histogram.js';
import { InfoParams } from '../../wire/info.js';
import { type InfoTable, info, NO_NAMESPACE } from './command.js';
import { findNamespace, type InfoSource } from './source.js';

function listedHistograms({ latencies, config }: InfoSource): readonly Histogram[] {
  const listed = latencies.listed();
  return config.service.boolean('enable-hist-info') ? [...listed, latencies.info] : listed;
}

function latenciesAnswer(source: InfoSource, args: string): string {
  const nowMs = monotonicMs();
  const name = new InfoParams(args).get('hist');
  const isHidden = name === source.latencies.info.name && !source.config.service.boolean('enable-hist-info');
  const found = name === undefined ? listedHistograms(source) : isHidden ? [] : source.latencies.find(name);
  if (name !== undefined && found.length === 0) return 'ERROR:4:bad hist name';
  return found.map(histogram => histogram.latenciesRow(nowMs)).join(';');
}

function histogramAnswer(source: InfoSource, args: string): string {
  const params = new InfoParams(args);
  const name = params.get('namespace') ?? params.get('ns');
  if (name === undefined) return "ERROR:20:missing 'namespace'";
  const namespace = findNamespace(source, name);
  if (namespace === undefined) return NO_NAMESPACE;
  const type = params.get('type');
  if (type === undefined) return "ERROR:4:missing 'type'";
  if (type !== 'ttl' && type !== 'object-size' && type !== 'object-size-linear') return "ERROR:4:bad 'type'";
  return namespace.recordHistogram?.(type, params.get('set')) ?? 'hist-unavailable';
}

export const LATENCY_COMMANDS: InfoTable = {
  latencies: info(
    '[hist]: rates of the last ten seconds, and how many were slower than what',
    latenciesAnswer,
  ),
  histogram: info(
    'namespace type=ttl|object-size|object-size-linear [set]: records by that',
    histogramAnswer,
  ),
};
