/**
 * The counters of a namespace, by the reference's names and in its order in `namespace/<ns>`. The whole
 * list is here from the start, so that the answer's shape never changes; what nothing counts yet reads 0.
 * Source: the recorded answer to `namespace/test` in the info vectors.
 */
import { CounterNames } from './counters.js';

export const NAMESPACE_COUNTERS = new CounterNames(`
  expired_objects evicted_objects nsup_xdr_key_busy sindex_gc_cleaned
  migrate_records_skipped migrate_records_transmitted migrate_record_retransmits migrate_record_receives
  migrate_records_unreadable appeals_records_exonerated
  client_tsvc_error client_tsvc_timeout
  client_proxy_complete client_proxy_error client_proxy_timeout
  client_read_success client_read_error client_read_timeout client_read_not_found client_read_filtered_out
  client_write_success client_write_error client_write_timeout client_write_filtered_out
  xdr_client_write_success xdr_client_write_error xdr_client_write_timeout
  client_delete_success client_delete_error client_delete_timeout client_delete_not_found
  client_delete_filtered_out
  xdr_client_delete_success xdr_client_delete_error xdr_client_delete_timeout xdr_client_delete_not_found
  client_udf_complete client_udf_error client_udf_timeout client_udf_filtered_out
  client_lang_read_success client_lang_write_success client_lang_delete_success client_lang_error
  from_proxy_tsvc_error from_proxy_tsvc_timeout
  from_proxy_read_success from_proxy_read_error from_proxy_read_timeout from_proxy_read_not_found
  from_proxy_read_filtered_out
  from_proxy_write_success from_proxy_write_error from_proxy_write_timeout from_proxy_write_filtered_out
  xdr_from_proxy_write_success xdr_from_proxy_write_error xdr_from_proxy_write_timeout
  from_proxy_delete_success from_proxy_delete_error from_proxy_delete_timeout from_proxy_delete_not_found
  from_proxy_delete_filtered_out
  xdr_from_proxy_delete_success xdr_from_proxy_delete_error xdr_from_proxy_delete_timeout
  xdr_from_proxy_delete_not_found
  from_proxy_udf_complete from_proxy_udf_error from_proxy_udf_timeout from_proxy_udf_filtered_out
  from_proxy_lang_read_success from_proxy_lang_write_success from_proxy_lang_delete_success
  from_proxy_lang_error
  batch_sub_tsvc_error batch_sub_tsvc_timeout
  batch_sub_proxy_complete batch_sub_proxy_error batch_sub_proxy_timeout
  batch_sub_read_success batch_sub_read_error batch_sub_read_timeout batch_sub_read_not_found
  batch_sub_read_filtered_out
  batch_sub_write_success batch_sub_write_error batch_sub_write_timeout batch_sub_write_filtered_out
  batch_sub_delete_success batch_sub_delete_error batch_sub_delete_timeout batch_sub_delete_not_found
  batch_sub_delete_filtered_out
  batch_sub_udf_complete batch_sub_udf_error batch_sub_udf_timeout batch_sub_udf_filtered_out
  batch_sub_lang_read_success batch_sub_lang_write_success batch_sub_lang_delete_success
  batch_sub_lang_error
  from_proxy_batch_sub_tsvc_error from_proxy_batch_sub_tsvc_timeout
  from_proxy_batch_sub_read_success from_proxy_batch_sub_read_error from_proxy_batch_sub_read_timeout
  from_proxy_batch_sub_read_not_found from_proxy_batch_sub_read_filtered_out
  from_proxy_batch_sub_write_success from_proxy_batch_sub_write_error from_proxy_batch_sub_write_timeout
  from_proxy_batch_sub_write_filtered_out
  from_proxy_batch_sub_delete_success from_proxy_batch_sub_delete_error from_proxy_batch_sub_delete_timeout
  from_proxy_batch_sub_delete_not_found from_proxy_batch_sub_delete_filtered_out
  from_proxy_batch_sub_udf_complete from_proxy_batch_sub_udf_error from_proxy_batch_sub_udf_timeout
  from_proxy_batch_sub_udf_filtered_out
  from_proxy_batch_sub_lang_read_success from_proxy_batch_sub_lang_write_success
  from_proxy_batch_sub_lang_delete_success from_proxy_batch_sub_lang_error
  udf_sub_tsvc_error udf_sub_tsvc_timeout
  udf_sub_udf_complete udf_sub_udf_error udf_sub_udf_timeout udf_sub_udf_filtered_out
  udf_sub_lang_read_success udf_sub_lang_write_success udf_sub_lang_delete_success udf_sub_lang_error
  ops_sub_tsvc_error ops_sub_tsvc_timeout
  ops_sub_write_success ops_sub_write_error ops_sub_write_timeout ops_sub_write_filtered_out
  dup_res_ask dup_res_respond_read dup_res_respond_no_read
  retransmit_all_read_dup_res retransmit_all_write_dup_res retransmit_all_delete_dup_res
  retransmit_all_udf_dup_res retransmit_all_batch_sub_read_dup_res retransmit_all_batch_sub_write_dup_res
  retransmit_all_batch_sub_delete_dup_res retransmit_all_batch_sub_udf_dup_res
  retransmit_udf_sub_dup_res
  retransmit_ops_sub_dup_res
  retransmit_all_read_repl_ping retransmit_all_batch_sub_read_repl_ping retransmit_all_write_repl_write
  retransmit_all_delete_repl_write retransmit_all_udf_repl_write retransmit_all_batch_sub_write_repl_write
  retransmit_all_batch_sub_delete_repl_write retransmit_all_batch_sub_udf_repl_write
  retransmit_udf_sub_repl_write
  retransmit_ops_sub_repl_write
  pi_query_short_basic_complete pi_query_short_basic_error pi_query_short_basic_timeout
  pi_query_long_basic_complete pi_query_long_basic_error pi_query_long_basic_abort
  pi_query_aggr_complete pi_query_aggr_error pi_query_aggr_abort
  pi_query_udf_bg_complete pi_query_udf_bg_error pi_query_udf_bg_abort
  pi_query_ops_bg_complete pi_query_ops_bg_error pi_query_ops_bg_abort
  si_query_short_basic_complete si_query_short_basic_error si_query_short_basic_timeout
  si_query_long_basic_complete si_query_long_basic_error si_query_long_basic_abort
  si_query_aggr_complete si_query_aggr_error si_query_aggr_abort
  si_query_udf_bg_complete si_query_udf_bg_error si_query_udf_bg_abort
  si_query_ops_bg_complete si_query_ops_bg_error si_query_ops_bg_abort
  geo_region_query_reqs geo_region_query_cells geo_region_query_points geo_region_query_falsepos
  read_touch_tsvc_error read_touch_tsvc_timeout
  read_touch_success read_touch_error read_touch_timeout read_touch_skip
  re_repl_tsvc_error re_repl_tsvc_timeout
  re_repl_success re_repl_error re_repl_timeout
  mrt_verify_read_success mrt_verify_read_error mrt_verify_read_timeout
  mrt_roll_forward_success mrt_roll_forward_error mrt_roll_forward_timeout
  mrt_monitor_roll_forward_success mrt_monitor_roll_forward_error mrt_monitor_roll_forward_timeout
  mrt_roll_back_success mrt_roll_back_error mrt_roll_back_timeout
  mrt_monitor_roll_back_success mrt_monitor_roll_back_error mrt_monitor_roll_back_timeout
  fail_xdr_forbidden
  fail_key_busy
  fail_xdr_key_busy
  fail_generation
  fail_record_too_big
  fail_client_lost_conflict
  fail_xdr_lost_conflict
  fail_mrt_blocked fail_mrt_version_mismatch
  deleted_last_bin
  mrt_monitor_roll_tombstone_creates
  ttl_reductions_ignored ttl_reductions_applied
`);

const slot = (name: string): number => NAMESPACE_COUNTERS.slot(name);

// Single-record commands of clients.
export const CLIENT_TSVC_ERROR = slot('client_tsvc_error');
export const CLIENT_TSVC_TIMEOUT = slot('client_tsvc_timeout');
export const CLIENT_READ_SUCCESS = slot('client_read_success');
export const CLIENT_READ_ERROR = slot('client_read_error');
export const CLIENT_READ_TIMEOUT = slot('client_read_timeout');
export const CLIENT_READ_NOT_FOUND = slot('client_read_not_found');
export const CLIENT_READ_FILTERED_OUT = slot('client_read_filtered_out');
export const CLIENT_WRITE_SUCCESS = slot('client_write_success');
export const CLIENT_WRITE_ERROR = slot('client_write_error');
export const CLIENT_WRITE_TIMEOUT = slot('client_write_timeout');
export const CLIENT_WRITE_FILTERED_OUT = slot('client_write_filtered_out');
export const CLIENT_DELETE_SUCCESS = slot('client_delete_success');
export const CLIENT_DELETE_ERROR = slot('client_delete_error');
export const CLIENT_DELETE_TIMEOUT = slot('client_delete_timeout');
export const CLIENT_DELETE_NOT_FOUND = slot('client_delete_not_found');
export const CLIENT_DELETE_FILTERED_OUT = slot('client_delete_filtered_out');

// Rows of batch commands.
export const BATCH_SUB_TSVC_ERROR = slot('batch_sub_tsvc_error');
export const BATCH_SUB_TSVC_TIMEOUT = slot('batch_sub_tsvc_timeout');
export const BATCH_SUB_READ_SUCCESS = slot('batch_sub_read_success');
export const BATCH_SUB_READ_ERROR = slot('batch_sub_read_error');
export const BATCH_SUB_READ_TIMEOUT = slot('batch_sub_read_timeout');
export const BATCH_SUB_READ_NOT_FOUND = slot('batch_sub_read_not_found');
export const BATCH_SUB_READ_FILTERED_OUT = slot('batch_sub_read_filtered_out');
export const BATCH_SUB_WRITE_SUCCESS = slot('batch_sub_write_success');
export const BATCH_SUB_WRITE_ERROR = slot('batch_sub_write_error');
export const BATCH_SUB_WRITE_TIMEOUT = slot('batch_sub_write_timeout');
export const BATCH_SUB_WRITE_FILTERED_OUT = slot('batch_sub_write_filtered_out');
export const BATCH_SUB_DELETE_SUCCESS = slot('batch_sub_delete_success');
export const BATCH_SUB_DELETE_ERROR = slot('batch_sub_delete_error');
export const BATCH_SUB_DELETE_TIMEOUT = slot('batch_sub_delete_timeout');
export const BATCH_SUB_DELETE_NOT_FOUND = slot('batch_sub_delete_not_found');
export const BATCH_SUB_DELETE_FILTERED_OUT = slot('batch_sub_delete_filtered_out');

// Background jobs that carry out operations, and their commands.
export const OPS_SUB_WRITE_SUCCESS = slot('ops_sub_write_success');
export const OPS_SUB_WRITE_ERROR = slot('ops_sub_write_error');
export const OPS_SUB_WRITE_TIMEOUT = slot('ops_sub_write_timeout');
export const OPS_SUB_WRITE_FILTERED_OUT = slot('ops_sub_write_filtered_out');
export const PI_QUERY_OPS_BG_COMPLETE = slot('pi_query_ops_bg_complete');
export const PI_QUERY_OPS_BG_ABORT = slot('pi_query_ops_bg_abort');

// Touches that a read makes (`default-read-touch-ttl-pct` or the command's own).
export const READ_TOUCH_TSVC_ERROR = slot('read_touch_tsvc_error');
export const READ_TOUCH_TSVC_TIMEOUT = slot('read_touch_tsvc_timeout');
export const READ_TOUCH_SUCCESS = slot('read_touch_success');
export const READ_TOUCH_ERROR = slot('read_touch_error');
export const READ_TOUCH_TIMEOUT = slot('read_touch_timeout');
export const READ_TOUCH_SKIP = slot('read_touch_skip');

// Reasons of failures, counted beside the `_error` of the command.
export const FAIL_XDR_FORBIDDEN = slot('fail_xdr_forbidden');
export const FAIL_KEY_BUSY = slot('fail_key_busy');
export const FAIL_GENERATION = slot('fail_generation');
export const FAIL_RECORD_TOO_BIG = slot('fail_record_too_big');
export const DELETED_LAST_BIN = slot('deleted_last_bin');
export const TTL_REDUCTIONS_IGNORED = slot('ttl_reductions_ignored');
export const TTL_REDUCTIONS_APPLIED = slot('ttl_reductions_applied');

// The expiration thread.
export const EXPIRED_OBJECTS = slot('expired_objects');
export const EVICTED_OBJECTS = slot('evicted_objects');
