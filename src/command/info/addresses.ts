/**
 * The addresses under which clients are told to find this node. A listener on `any` offers every address of
 * the machine; `access-address` and its alternate replace them, for servers behind a translation.
 */
import os from 'node:os';
import type { Settings } from '../../config/settings.js';

export interface ServiceAddresses {
  /** `host:port`, IPv6 in brackets. */
  readonly clear: readonly string[];
  /** Empty unless alternate addresses are configured. */
  readonly alternate: readonly string[];
}

/**
 * @param network      the `network.service` context.
 * @param port         on which the server really listens, in case the configured one was 0.
 * @param hasIpv6      whether IPv6 addresses of the machine are offered too (`advertise-ipv6`).
 */
export function serviceAddresses(network: Settings, port: number, hasIpv6: boolean): ServiceAddresses {
  const access = network.list('access-address');
  const listed = access.length > 0 ? access : network.list('address').flatMap(host => expand(host, hasIpv6));
  const accessPort = network.number('access-port') || port;
  const alternatePort = network.number('alternate-access-port') || port;
  return {
    clear: [...new Set(listed)].map(host => endpoint(host, accessPort)),
    alternate: network.list('alternate-access-address').map(host => endpoint(host, alternatePort)),
  };
}

/** `host:port`, with an IPv6 host in brackets. */
export function endpoint(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function expand(host: string, hasIpv6: boolean): string[] {
  if (host !== 'any' && host !== '0.0.0.0' && host !== '::') return [host];
  const all = Object.values(os.networkInterfaces()).flatMap(rows => rows ?? []);
  // Link-local addresses mean nothing without an interface name, which clients can't be told.
  const usable = all.filter(row => (row.family === 'IPv4' || hasIpv6) && !row.address.startsWith('fe80:'));
  const outside = usable.filter(row => !row.internal);
  return (outside.length > 0 ? outside : usable).map(row => row.address);
}
