/** The map operations, by op code. Source: protocol 12, section 1. */
import type { CdtRow } from '../cdt/call.js';

export const MAP_OPS: readonly (readonly [number, CdtRow])[] = [];
