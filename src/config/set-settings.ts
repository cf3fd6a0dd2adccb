/**
 * Settings of a `set NAME` context inside a namespace. They stand in the order of the `sets` info answer.
 */
import type { SettingRow } from './schema.js';
import { boolean, EXACT_MAX, integer, seconds, size } from './schema.js';

const TTL_MAX_SEC = 315_360_000; // ten years

const TOUCH = "-1 never; 0 takes the namespace's";
const TTL = "of writes that bring none; 0 takes the namespace's";

export const SET_SETTINGS: readonly SettingRow[] = [
  integer('default-read-touch-ttl-pct', 0, [-1, 100], 'dynamic honoured', TOUCH),
  seconds('default-ttl', 0, [0, TTL_MAX_SEC], 'dynamic honoured', TTL),
  boolean('disable-eviction', false, 'dynamic honoured', 'keeps its records when others are evicted'),
  boolean('enable-index', false, 'dynamic honoured', 'what walks the set looks at its records alone'),
  integer(
    'stop-writes-count',
    0,
    [0, EXACT_MAX],
    'dynamic honoured',
    'writes stop at so many records (22); 0: never',
  ),
  size(
    'stop-writes-size',
    0,
    [0, EXACT_MAX],
    'dynamic honoured',
    'writes stop at so many bytes (22); 0: never',
  ),
];
