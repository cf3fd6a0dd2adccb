/*
 * Asynchronous commands, one at a time and in pipelines: then a connection carries requests before the answers to earlier ones
 * have come, and the answers must come in the order of the requests.
 */
#include "harness.h"

#ifdef AS_USE_LIBEV
#include <aerospike/as_event.h>
#include <aerospike/as_monitor.h>
#include <stdlib.h>

enum { PIPELINED = 600, KEYS = 40, LARGE = 300000 };

static as_monitor monitor;
static as_event_loop* loop;
static as_status status;
static as_record* record_got;

static void done(as_error* error) {
	status = error == NULL ? AEROSPIKE_OK : error->code;
	as_monitor_notify(&monitor);
}

static void on_write(as_error* error, void* data, as_event_loop* event_loop) {
	(void)data;
	(void)event_loop;
	done(error);
}

static void on_record(as_error* error, as_record* record, void* data, as_event_loop* event_loop) {
	(void)data;
	(void)event_loop;
	if (record != NULL) {
		as_val_reserve(record);
		record_got = record;
	}
	done(error);
}

static void on_batch(as_error* error, as_batch_records* records, void* data, as_event_loop* event_loop) {
	(void)data;
	(void)event_loop;
	(void)records;
	done(error);
}

/* Waits for the command that CALL starts. */
#define WAIT(CALL) (as_monitor_begin(&monitor), record_got = NULL, (CALL) == AEROSPIKE_OK ? as_monitor_wait(&monitor) : (void)fails("%s", error.message), status)

static void one_at_a_time(void) {
	as_error error;
	as_key key;
	name_key(&key, "async");
	as_record record;
	as_record_init(&record, 2);
	as_record_set_int64(&record, "i", 7);
	as_record_set(&record, "l", (as_bin_value*)INTS(1, 2));
	as_operations ops;
	as_operations_init(&ops, 3);
	as_operations_add_incr(&ops, "i", 1);
	as_operations_list_append(&ops, "l", NULL, NULL, I(3));
	as_operations_add_read(&ops, "i");
	check("asynchronous commands");
	expect_number("put", WAIT(aerospike_key_put_async(&as, &error, NULL, &key, &record, on_write, NULL, loop, NULL)), 0);
	expect_number("operate", WAIT(aerospike_key_operate_async(&as, &error, NULL, &key, &ops, on_record, NULL, loop, NULL)), 0);
	expect_number("i", as_record_get_int64(record_got, "i", 0), 8);
	as_record_destroy(record_got);
	expect_number("get", WAIT(aerospike_key_get_async(&as, &error, NULL, &key, on_record, NULL, loop, NULL)), 0);
	expect_number("bins", record_got->bins.size, 2);
	as_record_destroy(record_got);
	expect_number("select", WAIT(aerospike_key_select_async(&as, &error, NULL, &key, (const char*[]){"i", NULL}, on_record, NULL, loop, NULL)), 0);
	expect_number("bins", record_got->bins.size, 1);
	as_record_destroy(record_got);
	expect_number("exists", WAIT(aerospike_key_exists_async(&as, &error, NULL, &key, on_record, NULL, loop, NULL)), 0);
	expect_number("generation", record_got->gen, 2);
	as_record_destroy(record_got);
	expect_number("remove", WAIT(aerospike_key_remove_async(&as, &error, NULL, &key, on_write, NULL, loop, NULL)), 0);
	expect_number("remove", WAIT(aerospike_key_remove_async(&as, &error, NULL, &key, on_write, NULL, loop, NULL)), AEROSPIKE_ERR_RECORD_NOT_FOUND);
	expect_number("get", WAIT(aerospike_key_get_async(&as, &error, NULL, &key, on_record, NULL, loop, NULL)), AEROSPIKE_ERR_RECORD_NOT_FOUND);
	check("asynchronous batches");
	as_batch_records* rows = as_batch_records_create(KEYS);
	for (int i = 0; i < KEYS; i++) {
		char name[32];
		snprintf(name, sizeof name, "async%d", i);
		as_batch_write_record* row = as_batch_write_reserve(rows);
		name_key(&row->key, name);
		row->ops = &ops;
	}
	expect_number("write", WAIT(aerospike_batch_write_async(&as, &error, NULL, rows, on_batch, NULL, loop)), 0);
	for (int i = 0; i < KEYS; i++) expect_number("row", ((as_batch_base_record*)as_vector_get(&rows->list, (uint32_t)i))->result, 0);
	as_batch_records_destroy(rows);
	as_operations_destroy(&ops);
	as_record_destroy(&record);
	as_key_destroy(&key);
}

/* A pipeline: the kinds of commands take turns, each is started as soon as the one before it is sent. */
static struct {
	const char* name;
	int started, ended;
	int errors;
	bool has_large;
} line;

static void start_next(void* data, as_event_loop* event_loop);

static void end_one(void) {
	if (++line.ended == PIPELINED) as_monitor_notify(&monitor);
}

static as_status expected(int number) {
	int kind = number % 5;
	return kind == 2 ? AEROSPIKE_ERR_BIN_INCOMPATIBLE_TYPE : kind == 4 ? AEROSPIKE_ERR_RECORD_NOT_FOUND : AEROSPIKE_OK;
}

static void told_written(as_error* error, void* data, as_event_loop* event_loop) {
	(void)event_loop;
	int number = (int)(intptr_t)data;
	if ((error == NULL ? AEROSPIKE_OK : error->code) != expected(number)) line.errors++;
	end_one();
}

static void told_record(as_error* error, as_record* record, void* data, as_event_loop* event_loop) {
	(void)event_loop;
	int number = (int)(intptr_t)data;
	if ((error == NULL ? AEROSPIKE_OK : error->code) != expected(number)) line.errors++;
	/* What was put by the command before it. */
	else if (record != NULL && as_record_get_int64(record, "i", -1) != number - 1) line.errors++;
	end_one();
}

static void start_next(void* data, as_event_loop* event_loop) {
	(void)data;
	if (line.started == PIPELINED) return;
	int number = line.started++;
	void* of = (void*)(intptr_t)number;
	as_error error;
	as_key key;
	char name[64];
	/* A put and the get after it share a key, and nobody else has it; they travel on one connection. */
	snprintf(name, sizeof name, "%s%d", line.name, number / 5);
	if (number % 5 == 4) strcat(name, " none");
	name_key(&key, name);
	as_status sent = AEROSPIKE_OK;
	as_record record;
	as_record_init(&record, 2);
	switch (number % 5) {
	case 0:
		as_record_set_int64(&record, "i", number);
		if (line.has_large && number % 15 == 0) {
			uint8_t* large = calloc(1, LARGE);
			as_record_set_rawp(&record, "y", large, LARGE, true);
		}
		sent = aerospike_key_put_async(&as, &error, NULL, &key, &record, told_written, of, event_loop, start_next);
		break;
	case 1:
	case 4:
		sent = aerospike_key_get_async(&as, &error, NULL, &key, told_record, of, event_loop, start_next);
		break;
	case 2: {
		as_operations ops;
		as_operations_init(&ops, 1);
		as_operations_add_append_str(&ops, "i", "x");
		sent = aerospike_key_operate_async(&as, &error, NULL, &key, &ops, told_record, of, event_loop, start_next);
		as_operations_destroy(&ops);
		break;
	}
	case 3:
		sent = aerospike_key_remove_async(&as, &error, NULL, &key, told_written, of, event_loop, start_next);
		break;
	}
	if (sent != AEROSPIKE_OK) {
		line.errors++;
		end_one();
		start_next(data, event_loop);
	}
	as_record_destroy(&record);
	as_key_destroy(&key);
}

static void begin(void* data, as_event_loop* event_loop) { start_next(data, event_loop); }

static void pipelines(const char* name, bool has_large) {
	check(name);
	memset(&line, 0, sizeof line);
	line.name = name;
	line.has_large = has_large;
	as_monitor_begin(&monitor);
	begin(NULL, loop);
	as_monitor_wait(&monitor);
	expect_number("commands that ended otherwise", line.errors, 0);
}

void event_loops(void) {
	as_monitor_init(&monitor);
	loop = as_event_loop_get();
	one_at_a_time();
	pipelines("pipelined commands", false);
	pipelines("pipelined commands, some large", true);
	as_monitor_destroy(&monitor);
}
#endif
