/**
 * What the node has done and how it does. Source: protocol 02, sections 8 and 14.
 */
import { InfoParams } from '../../wire/info.js';
import { type InfoTable, info } from './command.js';
import { serviceStats } from './service-stats.js';

export const STATISTICS_COMMANDS: InfoTable = {
  statistics: info('counters and gauges of the node', source =>
    serviceStats(source)
      .map(([name, value]) => `${name}=${value}`)
      .join(';'),
  ),
  'get-stats': info('context=xdr: statistics of shipping: none', (_source, args) =>
    new InfoParams(args).get('context') === 'xdr' ? '' : 'ERROR:4:unknown context',
  ),
  'best-practices': info('what this machine should do otherwise', source => {
    const failed = source.failedBestPractices;
    return `failed_best_practices=${failed.length > 0 ? failed.join(',') : 'none'}`;
  }),
  'health-stats': info('figures of slow devices and links: none are kept', () => ''),
  'health-outliers': info('slow devices and links: none are known', () => ''),
};
