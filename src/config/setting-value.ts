/**
 * A setting's value as text and as what the server computes with, by the type of its row.
 */
import { isIP } from 'node:net';
import type { SettingRow, SettingType, SettingValue } from './schema.js';

/** Either the value, or why the text is not one: what it was and what is accepted. */
export type ParsedValue = { readonly value: SettingValue } | { readonly reason: string };

// Maps, since a text like `constructor` would find something in an object.
const SIZE_UNITS = new Map([
  ['K', 1024],
  ['M', 1024 ** 2],
  ['G', 1024 ** 3],
  ['T', 1024 ** 4],
  ['P', 1024 ** 5],
]);
const SECOND_UNITS = new Map([
  ['S', 1],
  ['M', 60],
  ['H', 3600],
  ['D', 86_400],
]);
const MILLISECOND_UNITS = new Map([
  ['MS', 1],
  ['S', 1000],
  ['M', 60_000],
  ['H', 3_600_000],
  ['D', 86_400_000],
]);
const NO_UNITS: ReadonlyMap<string, number> = new Map();
const BOOLEANS = new Map([
  ['true', true],
  ['yes', true],
  ['false', false],
  ['no', false],
]);
const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;

/**
 * Reads one setting from the text a person wrote.
 * @param written the words after the name. For a list type it is one element, and the value is a list of one.
 */
export function parseValue(row: SettingRow, written: string): ParsedValue {
  if (written === '') return { reason: `has no value; accepted: ${describeAccepted(row)}` };
  const value = READERS[row.type](written, row);
  if (value !== undefined) return { value };
  return { reason: `'${written}' is not accepted; accepted: ${describeAccepted(row)}` };
}

/** As get-config prints it: decimal numbers in the row's unit, true or false, null for an empty text. */
export function formatValue(value: SettingValue): string {
  if (typeof value === 'object') return value.join(',');
  return value === '' ? 'null' : String(value);
}

/** What a person may write, in words: "a size from 64M to 8M, with an optional suffix K, M, G, T or P". */
export function describeAccepted(row: SettingRow): string {
  const zero = row.isZeroAccepted ? '0, or ' : '';
  switch (row.type) {
    case 'integer':
      return `${zero}a whole number from ${row.min} to ${row.max}`;
    case 'size':
      return `${zero}bytes from ${formatSize(row.min)} to ${formatSize(row.max)}, with a suffix K, M, G, T or P if wanted`;
    case 'seconds':
      return `${zero}seconds from ${row.min} to ${row.max}, with a suffix s, m, h or d if wanted`;
    case 'milliseconds':
      return `${zero}milliseconds from ${row.min} to ${row.max}, with a suffix ms, s, m, h or d if wanted`;
    case 'boolean':
      return 'true or false (yes or no)';
    case 'choice':
      return row.values.join(', ');
    case 'paths':
      return 'a path a line, and behind it that of its shadow, if it has one; paths without blanks';
    case 'addresses':
      return 'any, an IPv4 or IPv6 address or a host name, one a line';
    case 'endpoints':
      return 'a host and a port, one pair a line';
    case 'texts':
    case 'text':
      return 'a text';
  }
}

/** Each reads one type; undefined when the text is not of that type or out of the row's range. */
const READERS: Readonly<Record<SettingType, (written: string, row: SettingRow) => SettingValue | undefined>> =
  {
    integer: (written, row) => readNumber(written, row, NO_UNITS),
    size: (written, row) => readNumber(written, row, SIZE_UNITS),
    seconds: (written, row) => readNumber(written, row, SECOND_UNITS),
    milliseconds: (written, row) => readNumber(written, row, MILLISECOND_UNITS),
    boolean: written => BOOLEANS.get(written.toLowerCase()),
    choice: (written, row) => row.values.find(value => value === written.toLowerCase()),
    text: written => written,
    texts: written => [written],
    paths: written => {
      const [primary, shadow = '', ...more] = written.split(/\s+/);
      return more.length > 0 ? undefined : [`${primary} ${shadow}`.trim()];
    },
    addresses: written => (isHost(written) ? [written] : undefined),
    endpoints: written => {
      const [host, port, ...more] = written.split(/\s+/);
      const isPort = /^\d{1,5}$/.test(port ?? '') && Number(port) >= 1 && Number(port) <= 65_535;
      return isHost(host!) && isPort && more.length === 0 ? [`${host} ${port}`] : undefined;
    },
  };

function readNumber(
  written: string,
  row: SettingRow,
  units: ReadonlyMap<string, number>,
): number | undefined {
  const match = /^([+-]?\d+)([A-Za-z]*)$/.exec(written);
  if (match === null) return undefined;
  const unit = match[2] === '' ? 1 : units.get(match[2]!.toUpperCase());
  if (unit === undefined) return undefined;
  const value = Number(match[1]) * unit;
  const isInRange = value >= row.min && value <= row.max && Number.isSafeInteger(value);
  return isInRange || (value === 0 && row.isZeroAccepted) ? value : undefined;
}

/** `any` counts as a name. An IPv6 address may carry its zone: fe80::1%eth0. */
function isHost(written: string): boolean {
  return isIP(written) !== 0 || (HOST_NAME.test(written) && !/^[\d.]+$/.test(written));
}

/** The shortest exact form: 1048576 as 1M. */
function formatSize(bytes: number): string {
  for (const [suffix, unit] of [...SIZE_UNITS].reverse()) {
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${suffix}`;
  }
  return String(bytes);
}
