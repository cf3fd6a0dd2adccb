/**
 * The counters of the whole service: the counting rows of `statistics`, by the reference's names and in
 * its order, then Caltrop's own. Gauges (connections now, free memory, …) are read when somebody asks and
 * are not here. Source: the recorded answer to `statistics` in the info vectors.
 */
import { CounterNames } from './counters.js';

export const SERVICE_COUNTERS = new CounterNames(`
  client_connections_opened client_connections_closed admin_connections_opened admin_connections_closed
  heartbeat_connections_opened heartbeat_connections_closed fabric_connections_opened fabric_connections_closed
  heartbeat_received_self heartbeat_received_foreign
  reaped_fds info_complete info_timeout demarshal_error
  early_tsvc_client_error early_tsvc_from_proxy_error early_tsvc_from_proxy_batch_sub_error
  batch_index_initiate batch_index_complete batch_index_error batch_index_timeout batch_index_delay
  batch_index_huge_buffers batch_index_created_buffers batch_index_destroyed_buffers
  deprecated_requests
  slow_reader_closed client_connections_refused compressed_requests inflate_offloaded
  request_ring_full slab_full http_requests
`);

const slot = (name: string): number => SERVICE_COUNTERS.slot(name);

// Connections and frames.
export const CLIENT_CONNECTIONS_OPENED = slot('client_connections_opened');
export const CLIENT_CONNECTIONS_CLOSED = slot('client_connections_closed');
export const REAPED_FDS = slot('reaped_fds'); // closed for being idle longer than proto-fd-idle-ms
export const DEMARSHAL_ERROR = slot('demarshal_error'); // bytes that are no frame
export const EARLY_TSVC_CLIENT_ERROR = slot('early_tsvc_client_error'); // refused before a namespace was known

// Info and batch commands.
export const INFO_COMPLETE = slot('info_complete');
export const INFO_TIMEOUT = slot('info_timeout');
export const DEPRECATED_REQUESTS = slot('deprecated_requests');
export const BATCH_INDEX_INITIATE = slot('batch_index_initiate');
export const BATCH_INDEX_COMPLETE = slot('batch_index_complete');
export const BATCH_INDEX_ERROR = slot('batch_index_error');
export const BATCH_INDEX_TIMEOUT = slot('batch_index_timeout');
export const BATCH_INDEX_DELAY = slot('batch_index_delay'); // answers that had to wait for their socket

// Caltrop's own.
export const SLOW_READER_CLOSED = slot('slow_reader_closed'); // unread answers passed the stated limit
export const CLIENT_CONNECTIONS_REFUSED = slot('client_connections_refused'); // over proto-fd-max
export const COMPRESSED_REQUESTS = slot('compressed_requests');
export const INFLATE_OFFLOADED = slot('inflate_offloaded'); // compressed requests inflated off the main thread
export const REQUEST_RING_FULL = slot('request_ring_full'); // frames parked because a worker's ring was full
export const SLAB_FULL = slot('slab_full'); // frames parked because no slot for a large payload was free
export const HTTP_REQUESTS = slot('http_requests');
