/**
 * Result codes: the numbers a client sees in byte 5 of a message. Internally a function that may also
 * return a size or a handle returns the code negated. Source: protocol 01, section 13.
 */
export const OK = 0;
export const UNKNOWN = 1;
export const NOT_FOUND = 2;
export const GENERATION = 3;
export const PARAMETER = 4;
export const RECORD_EXISTS = 5;
export const BIN_EXISTS = 6;
export const CLUSTER_KEY_MISMATCH = 7;
export const OUT_OF_SPACE = 8;
export const TIMEOUT = 9;
export const ALWAYS_FORBIDDEN = 10;
export const UNAVAILABLE = 11;
export const INCOMPATIBLE_TYPE = 12;
export const RECORD_TOO_BIG = 13;
export const KEY_BUSY = 14;
export const QUERY_ABORT = 15;
export const UNSUPPORTED_FEATURE = 16;
export const BIN_NOT_FOUND = 17;
export const DEVICE_OVERLOAD = 18;
export const KEY_MISMATCH = 19;
export const NAMESPACE_NOT_FOUND = 20;
export const BIN_NAME = 21;
export const FORBIDDEN = 22;
export const ELEMENT_NOT_FOUND = 23;
export const ELEMENT_EXISTS = 24;
export const ENTERPRISE_ONLY = 25;
export const OP_NOT_APPLICABLE = 26;
export const FILTERED_OUT = 27;
export const LOST_CONFLICT = 28;
export const SECURITY_NOT_CONFIGURED = 52;
export const UDF_EXECUTION = 100;
export const BATCH_DISABLED = 150;
export const BATCH_MAX_REQUESTS = 151;
export const BATCH_QUEUES_FULL = 152;
export const GEO_INVALID_GEOJSON = 160;

/** Not a client's code: the command waits in its slot for a device, and runs again when the token comes back. */
export const PARKED = -1000;
