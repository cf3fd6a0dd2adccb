/**
 * Reading and changing the configuration: `config/config-info.ts` knows the rules, this hands it what is
 * asked. Source: protocol 02, section 13.
 */
import { applySetConfig, getConfig, namespaceSettings } from '../../config/config-info.js';
import { type InfoCommand, type InfoTable, info } from './command.js';
import { findNamespace, type InfoSource, type NamespaceSource } from './source.js';

/** Stripes are part of what memory engines print as configuration. */
function stripeCount(namespace: NamespaceSource | undefined): number {
  return namespace?.figures().devices.filter(device => device.kind === 'stripe').length ?? 0;
}

/** The `key=value` of a namespace's configuration, `;`-separated, as they follow its statistics. */
export function namespaceConfigText(source: InfoSource, namespace: NamespaceSource): string {
  const config = source.config.namespaces.find(of => of.name === namespace.name);
  return config === undefined ? '' : namespaceSettings(config, stripeCount(namespace)).join(';');
}

const GET_CONFIG = info('[context=service|network|namespace|security|xdr] [namespace]', (source, args) =>
  getConfig(source.config, args, name => stripeCount(findNamespace(source, name))),
);

const SET_CONFIG: InfoCommand = {
  permission: 'set-config',
  help: 'context=service|network|namespace [namespace] [set] <name>=<value>: changes what is dynamic',
  answer: (source, args) => {
    const answer = applySetConfig(source.config, args);
    const outcome = answer === 'ok' ? 'changed' : `not changed (${answer})`;
    source.log.context('info').info(`set-config ${outcome}: ${args}`);
    return answer;
  },
};

export const CONFIG_COMMANDS: InfoTable = {
  'get-config': GET_CONFIG,
  'set-config': SET_CONFIG,
  'config-get': { ...GET_CONFIG, isDeprecated: true },
  'config-set': { ...SET_CONFIG, isDeprecated: true },
};
