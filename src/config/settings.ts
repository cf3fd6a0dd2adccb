/**
 * The settings of one context of a running server: every name of its table has a value, the default or the
 * configured one. Reading an unknown name, or a number as a text, is a bug of ours and throws.
 *
 * A module reads what it needs once and keeps it, and listens for changes of what is dynamic; nothing reads
 * settings a request. They travel to another thread as `toJSON`, and are a copy there.
 */

import { GEO_SETTINGS, INDEX_SETTINGS, NAMESPACE_SETTINGS } from './namespace-settings.js';
import {
  ADMIN_SETTINGS,
  FABRIC_SETTINGS,
  HEARTBEAT_SETTINGS,
  NETWORK_SERVICE_SETTINGS,
} from './network-settings.js';
import type { SettingRow, SettingValue } from './schema.js';
import { LUA_SETTINGS, SERVICE_SETTINGS } from './service-settings.js';
import { SET_SETTINGS } from './set-settings.js';
import { formatValue, parseValue } from './setting-value.js';
import { DEVICE_STORAGE_SETTINGS, MEMORY_STORAGE_SETTINGS } from './storage-settings.js';

/** The table of each context, by the name that settings keep of it. */
export const CONTEXT_TABLES = {
  service: SERVICE_SETTINGS,
  'network.service': NETWORK_SERVICE_SETTINGS,
  'network.admin': ADMIN_SETTINGS,
  'network.heartbeat': HEARTBEAT_SETTINGS,
  'network.fabric': FABRIC_SETTINGS,
  namespace: NAMESPACE_SETTINGS,
  'namespace.geo2dsphere-within': GEO_SETTINGS,
  'namespace.index-type': INDEX_SETTINGS,
  'namespace.set': SET_SETTINGS,
  'storage.memory': MEMORY_STORAGE_SETTINGS,
  'storage.device': DEVICE_STORAGE_SETTINGS,
  'mod-lua': LUA_SETTINGS,
} as const satisfies Readonly<Record<string, readonly SettingRow[]>>;

export type SettingsContext = keyof typeof CONTEXT_TABLES;

/** What differs from the defaults, by name. */
export type SettingsJson = Readonly<Record<string, SettingValue>>;

const ROWS_BY_CONTEXT = new Map<string, ReadonlyMap<string, SettingRow>>(
  Object.entries(CONTEXT_TABLES).map(([context, rows]) => [
    context,
    new Map(rows.map(row => [row.name, row])),
  ]),
);

export class Settings {
  readonly context: SettingsContext;
  readonly #rows: ReadonlyMap<string, SettingRow>;
  /** Only what was set; the rest is the row's default. */
  readonly #values = new Map<string, SettingValue>();
  readonly #listeners: ((name: string) => void)[] = [];

  /** All defaults. */
  constructor(context: SettingsContext) {
    this.context = context;
    this.#rows = ROWS_BY_CONTEXT.get(context)!;
  }

  /** @param json of `toJSON`, as it arrives on another thread. */
  static fromJSON(context: SettingsContext, json: SettingsJson): Settings {
    const settings = new Settings(context);
    for (const [name, value] of Object.entries(json)) settings.put(name, value);
    return settings;
  }

  /** Plain data that a structured clone carries. */
  toJSON(): SettingsJson {
    return Object.fromEntries(this.#values);
  }

  /** In the row's unit: items, bytes, seconds or milliseconds. */
  number(name: string): number {
    const value = this.#value(name);
    if (typeof value !== 'number') throw new TypeError(`${this.context}.${name} is no number`);
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#value(name);
    if (typeof value !== 'boolean') throw new TypeError(`${this.context}.${name} is no boolean`);
    return value;
  }

  /** A text or a choice; empty when it is not set. */
  string(name: string): string {
    const value = this.#value(name);
    if (typeof value !== 'string') throw new TypeError(`${this.context}.${name} is no text`);
    return value;
  }

  /** The elements of a list setting, in the file's order; not to be changed. */
  list(name: string): readonly string[] {
    const value = this.#value(name);
    if (typeof value !== 'object') throw new TypeError(`${this.context}.${name} is no list`);
    return value;
  }

  /** As get-config prints it. */
  toText(name: string): string {
    return formatValue(this.#value(name));
  }

  /** Every name of the context, in get-config's order. */
  names(): string[] {
    return [...this.#rows.keys()];
  }

  row(name: string): SettingRow | undefined {
    return this.#rows.get(name);
  }

  /** Whether the file, set-config or the server gave it a value; false while it is the default. */
  isSet(name: string): boolean {
    return this.#values.has(name);
  }

  /**
   * Changes a setting of a running server, then calls the listeners.
   * @returns why not, when the name is unknown, static or asks for what is not built, or the text no value of it.
   */
  setDynamic(name: string, text: string): string | undefined {
    const parsed = this.checkDynamic(name, text);
    if ('reason' in parsed) return parsed.reason;
    this.put(name, parsed.value);
    return undefined;
  }

  /** What `setDynamic` would store, without storing it. */
  checkDynamic(name: string, text: string): { readonly value: SettingValue } | { readonly reason: string } {
    const row = this.#rows.get(name);
    if (row === undefined) return { reason: `${name} is no setting of ${this.context}` };
    if (!row.isDynamic) return { reason: `${name} is static: change the file and restart` };
    const parsed = parseValue(row, text);
    if ('reason' in parsed) return { reason: `${name} ${parsed.reason}` };
    const refusal = refusalOf(row, parsed.value);
    return refusal === undefined ? parsed : { reason: `${name}: ${refusal}` };
  }

  /**
   * Stores a checked value, static or not, and calls the listeners: for the loader, and for facts that the server
   * learns at start, as the generated node-id or the port behind port 0.
   */
  put(name: string, value: SettingValue): void {
    const row = this.#rowOf(name);
    if (typeof value !== typeof row.default || Array.isArray(value) !== Array.isArray(row.default)) {
      throw new TypeError(`${this.context}.${name} cannot be ${JSON.stringify(value)}`);
    }
    this.#values.set(name, value);
    for (const listener of this.#listeners) listener(name);
  }

  /** Calls `listener` with the name after each later change, until the returned function is called. */
  onChange(listener: (name: string) => void): () => void {
    this.#listeners.push(listener);
    return () => {
      const at = this.#listeners.indexOf(listener);
      if (at >= 0) this.#listeners.splice(at, 1);
    };
  }

  #value(name: string): SettingValue {
    return this.#values.get(name) ?? this.#rowOf(name).default;
  }

  #rowOf(name: string): SettingRow {
    const row = this.#rows.get(name);
    if (row === undefined) throw new Error(`${this.context} has no setting ${name}`);
    return row;
  }
}

/** Why this version cannot do what the value asks for, or undefined when it can. */
export function refusalOf(row: SettingRow, value: SettingValue): string | undefined {
  if (row.support !== 'refused') return undefined;
  const accepts = row.accepts.length > 0 ? row.accepts : [row.default];
  if (accepts.includes(value)) return undefined;
  const accepted = accepts.map(formatValue).filter(text => text !== 'null' && text !== '');
  const cure = accepted.length > 0 ? `accepted: ${accepted.join(', ')}` : 'remove the line';
  return `is refused, because this version does not do it and must not pretend to (${row.help}); ${cure}`;
}
