/** The list operations, by op code. Source: protocol 11, section 1. */
import type { CdtRow } from '../cdt/call.js';

export const LIST_OPS: readonly (readonly [number, CdtRow])[] = [];
