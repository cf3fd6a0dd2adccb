/**
 * What a setting is: one row of a table holds its name, type, range, default, whether it may change while
 * the server runs, and what this version does with it. The rows stand in the `*-settings.ts` files, in the
 * order in which get-config prints them; loading, set-config, get-config and the tests all read these rows.
 *
 * Names, ranges and defaults are those of the reference, version 8.1. Source: its public configuration
 * reference and JSON schema, and the recorded get-config answers, which win.
 */
export type SettingType =
  | 'integer'
  | 'size' // bytes; suffixes K M G T P, powers of 1024
  | 'seconds' // suffixes s m h d
  | 'milliseconds' // suffixes ms s m h d
  | 'boolean'
  | 'choice'
  | 'text' // empty when unset, printed as null
  | 'paths' // the list types: an item a line
  | 'addresses'
  | 'endpoints' // "host port"
  | 'texts';

/** Integers, sizes and durations are numbers; the list types are arrays; a choice is one of its values. */
export type SettingValue = number | boolean | string | readonly string[];

/**
 * honoured: the server acts on it. known: accepted, has no effect yet, one warning. refused: it asks for more
 * durability, consistency or security than is built, so any value but `accepts` stops the start.
 */
export type Support = 'honoured' | 'known' | 'refused';

export interface SettingRow {
  readonly name: string;
  readonly type: SettingType;
  readonly default: SettingValue;
  /** Bounds of a numeric type, both included, in its unit. */
  readonly min: number;
  readonly max: number;
  /** 0 is accepted below `min` too, and means "unset" or "automatic". */
  readonly isZeroAccepted: boolean;
  /** The accepted words of a choice. */
  readonly values: readonly string[];
  readonly isDynamic: boolean;
  readonly support: Support;
  /** The values of a refused setting that ask for nothing. */
  readonly accepts: readonly SettingValue[];
  /** Printed by get-config. */
  readonly isListed: boolean;
  /** One line that completes "NAME: …". */
  readonly help: string;
}

/** Whether a running server may change it, and what this version does with it. */
export type Use = `${'static' | 'dynamic'} ${Support}`;

export const U32_MAX = 0xffff_ffff;
export const I32_MAX = 0x7fff_ffff;
/** Stands for the reference's 64-bit limits: sizes are exact up to 8 PiB. */
export const EXACT_MAX = Number.MAX_SAFE_INTEGER;
export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const TIB = 1024 * GIB;

type Range = readonly [min: number, max: number];

export function integer(name: string, byDefault: number, range: Range, use: Use, help: string): SettingRow {
  return numeric(name, 'integer', byDefault, range, use, help);
}

export function size(name: string, byDefault: number, range: Range, use: Use, help: string): SettingRow {
  return numeric(name, 'size', byDefault, range, use, help);
}

export function seconds(name: string, byDefault: number, range: Range, use: Use, help: string): SettingRow {
  return numeric(name, 'seconds', byDefault, range, use, help);
}

export function milliseconds(
  name: string,
  byDefault: number,
  range: Range,
  use: Use,
  help: string,
): SettingRow {
  return numeric(name, 'milliseconds', byDefault, range, use, help);
}

export function boolean(name: string, byDefault: boolean, use: Use, help: string): SettingRow {
  return { ...blank(name, use, help), type: 'boolean', default: byDefault };
}

export function choice(
  name: string,
  values: readonly [string, ...string[]],
  use: Use,
  help: string,
): SettingRow {
  return { ...blank(name, use, help), type: 'choice', default: values[0], values };
}

export function text(name: string, byDefault: string, use: Use, help: string): SettingRow {
  return { ...blank(name, use, help), type: 'text', default: byDefault };
}

export function list(
  name: string,
  type: 'paths' | 'addresses' | 'endpoints' | 'texts',
  byDefault: readonly string[],
  use: Use,
  help: string,
): SettingRow {
  return { ...blank(name, use, help), type, default: byDefault };
}

/** The same row, but 0 is accepted below its range. */
export function orZero(row: SettingRow): SettingRow {
  return { ...row, isZeroAccepted: true };
}

/** The same row, but get-config does not print it, as the reference does not. */
export function unlisted(row: SettingRow): SettingRow {
  return { ...row, isListed: false };
}

/** A refused row with what it still accepts; without this it accepts its default alone. */
export function accepting(row: SettingRow, ...accepts: readonly SettingValue[]): SettingRow {
  return { ...row, accepts };
}

function numeric(
  name: string,
  type: 'integer' | 'size' | 'seconds' | 'milliseconds',
  byDefault: number,
  [min, max]: Range,
  use: Use,
  help: string,
): SettingRow {
  return { ...blank(name, use, help), type, default: byDefault, min, max };
}

function blank(name: string, use: Use, help: string): SettingRow {
  const [change, support] = use.split(' ') as ['static' | 'dynamic', Support];
  return {
    name,
    type: 'text',
    default: '',
    min: 0,
    max: 0,
    isZeroAccepted: false,
    values: [],
    isDynamic: change === 'dynamic',
    support,
    accepts: [],
    isListed: true,
    help,
  };
}
