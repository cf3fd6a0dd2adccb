#include "harness.h"

#include <aerospike/as_event.h>
#include <stdlib.h>
#include <time.h>

enum { TEXT_SIZE = 4096 };

aerospike as;
const char* check_name = NULL;
char set_name[32];
static char failure[TEXT_SIZE];
static int failed = 0;

static void end_check(void) {
	if (check_name == NULL) return;
	if (failure[0] != 0) {
		failed++;
		printf("FAIL %s: %s\n", check_name, failure);
	} else
		printf("ok %s\n", check_name);
	failure[0] = 0;
}

void check(const char* name) {
	end_check();
	check_name = name;
}

void fails(const char* format, ...) {
	if (failure[0] != 0) return;
	va_list args;
	va_start(args, format);
	vsnprintf(failure, sizeof failure, format, args);
	va_end(args);
}

void expect_text(const char* what, const char* got, const char* want) {
	if (strcmp(got, want) != 0) fails("%s: got %s, want %s", what, got, want);
}

void expect_number(const char* what, int64_t got, int64_t want) {
	if (got != want) fails("%s: got %ld, want %ld", what, (long)got, (long)want);
}

void name_key(as_key* key, const char* name) {
	as_key_init_strp(key, "test", set_name, strdup(name), true);
}

as_val* ints(size_t count, const int64_t* values) {
	as_arraylist* list = as_arraylist_new((uint32_t)count, 8);
	for (size_t i = 0; i < count; i++) as_arraylist_append_int64(list, values[i]);
	return (as_val*)list;
}

as_val* list_of(as_val* first, ...) {
	as_arraylist* list = as_arraylist_new(8, 8);
	va_list args;
	va_start(args, first);
	for (as_val* each = first; each != NULL; each = va_arg(args, as_val*)) as_arraylist_append(list, each);
	va_end(args);
	return (as_val*)list;
}

as_val* map_of(as_val* first, ...) {
	as_orderedmap* map = as_orderedmap_new(8);
	va_list args;
	va_start(args, first);
	for (as_val* key = first; key != NULL; key = va_arg(args, as_val*)) as_orderedmap_set(map, key, va_arg(args, as_val*));
	va_end(args);
	return (as_val*)map;
}

char* text_of(const as_val* value) {
	char* text = value == NULL ? NULL : as_val_tostring(value);
	return text == NULL ? strdup("nothing") : text;
}

void told(const as_record* record, const char* bin, char* out, size_t size) {
	size_t at = 0;
	out[0] = 0;
	for (uint16_t i = 0; i < record->bins.size; i++) {
		const as_bin* each = &record->bins.entries[i];
		if (strcmp(each->name, bin) != 0) continue;
		char* text = text_of((as_val*)each->valuep);
		at += (size_t)snprintf(out + at, size - at, "%s%s", at == 0 ? "" : "; ", text);
		free(text);
		if (at >= size) return;
	}
}

void run_row(const char* name, as_val* before, as_operations* ops, const char* want, const char* after) {
	check(name);
	char got[TEXT_SIZE], was[TEXT_SIZE] = "";
	as_error error;
	as_key key;
	name_key(&key, name);
	/* The second bin keeps the record in being when the first is not there. */
	as_record record;
	as_record_init(&record, 2);
	as_record_set_int64(&record, "other", 1);
	if (before != NULL) {
		char* text = text_of(before);
		snprintf(was, sizeof was, "%s", text);
		free(text);
		as_record_set(&record, BIN, (as_bin_value*)before);
	}
	if (aerospike_key_put(&as, &error, NULL, &key, &record) != AEROSPIKE_OK) fails("put: %s", error.message);
	as_record_destroy(&record);
	as_record* answer = NULL;
	as_status status = aerospike_key_operate(&as, &error, NULL, &key, ops, &answer);
	if (status != AEROSPIKE_OK) snprintf(got, sizeof got, "code %d", status);
	else told(answer, BIN, got, sizeof got);
	as_record_destroy(answer);
	expect_text("answer", got, want);
	answer = NULL;
	if (aerospike_key_get(&as, &error, NULL, &key, &answer) != AEROSPIKE_OK) fails("get: %s", error.message);
	else {
		told(answer, BIN, got, sizeof got);
		if (after == NULL || strcmp(after, ANY) != 0) expect_text("the bin afterwards", got, after == NULL ? was : after);
	}
	as_record_destroy(answer);
	as_key_destroy(&key);
}

void connect_client(int argc, char* argv[]) {
	if (argc != 3) {
		fprintf(stderr, "usage: smoke HOST PORT\n");
		exit(2);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(set_name, sizeof set_name, "c%ld%ld", (long)time(NULL), (long)clock());
	as_config config;
	as_config_init(&config);
	as_config_add_host(&config, argv[1], (uint16_t)atoi(argv[2]));
	/* Time enough for a server that has only just started, on a machine with much else to do. */
	as_policy_base* patient[] = {&config.policies.read.base, &config.policies.write.base, &config.policies.operate.base, &config.policies.remove.base,
		&config.policies.batch.base, &config.policies.batch_parent_write.base};
	for (size_t i = 0; i < sizeof patient / sizeof patient[0]; i++) patient[i]->socket_timeout = patient[i]->total_timeout = 20000;
	config.async_max_conns_per_node = 200;
	config.pipe_max_conns_per_node = 2; /* one for each event loop: the client opens as many as it may before it shares one */
	as_error error;
	aerospike_init(&as, &config);
	check("connect");
	if (aerospike_connect(&as, &error) != AEROSPIKE_OK) {
		fails("%s", error.message);
		exit(finish());
	}
}

int finish(void) {
	check(NULL);
	return failed > 0 ? 1 : 0;
}
