/* Values of every type, keys of every kind, the policies of single-record commands. */
#include "harness.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* A value comes back as it was put. */
static void comes_back(const char* name, as_val* value) {
	check(name);
	char* want = text_of(value);
	as_error error;
	as_key key;
	name_key(&key, name);
	as_record record;
	as_record_init(&record, 1);
	as_record_set(&record, BIN, (as_bin_value*)value);
	as_record* got = NULL;
	if (aerospike_key_put(&as, &error, NULL, &key, &record) != AEROSPIKE_OK || aerospike_key_get(&as, &error, NULL, &key, &got) != AEROSPIKE_OK) fails("%d %s", error.code, error.message);
	else {
		char* text = text_of((as_val*)as_record_get(got, BIN));
		expect_text("read", text, want);
		free(text);
	}
	as_record_destroy(got);
	as_record_destroy(&record);
	as_key_destroy(&key);
	free(want);
}

static as_val* bytes(as_bytes_type type, size_t size) {
	uint8_t* data = malloc(size + 1);
	for (size_t i = 0; i < size; i++) data[i] = (uint8_t)i;
	as_bytes* out = as_bytes_new_wrap(data, (uint32_t)size, true);
	out->type = type;
	return (as_val*)out;
}

static void every_type(void) {
	comes_back("zero", I(0));
	comes_back("largest integer", I(INT64_MAX));
	comes_back("smallest integer", I(INT64_MIN));
	comes_back("double", D(3.25));
	comes_back("largest double", D(DBL_MAX));
	comes_back("infinity", D(-INFINITY));
	comes_back("not a number", D(NAN));
	comes_back("text", S("na\xc3\xafve"));
	comes_back("empty text", S(""));
	comes_back("true", (as_val*)as_boolean_new(true));
	comes_back("false", (as_val*)as_boolean_new(false));
	comes_back("point", (as_val*)as_geojson_new("{\"type\": \"Point\", \"coordinates\": [-122.0, 37.5]}", false));
	comes_back("region", (as_val*)as_geojson_new("{\"type\": \"AeroCircle\", \"coordinates\": [[-122.0, 37.5], 100]}", false));
	comes_back("list", list_of(I(1), S("s"), D(2.5), NIL, (as_val*)as_boolean_new(true), bytes(AS_BYTES_BLOB, 3), INTS(1, 2), map_of(I(1), I(2), NULL), NULL));
	comes_back("map", map_of(S("a"), I(1), I(2), S("b"), bytes(AS_BYTES_BLOB, 2), INTS(7), NULL));
	comes_back("empty list", list_of(NULL));
	comes_back("empty map", map_of(NULL));
	as_val* deep = I(1);
	for (int i = 0; i < 30; i++) deep = i % 2 == 0 ? list_of(deep, NULL) : map_of(S("k"), deep, NULL);
	comes_back("deep", deep);
	static const as_bytes_type TYPES[] = {AS_BYTES_BLOB, AS_BYTES_JAVA, AS_BYTES_CSHARP, AS_BYTES_PYTHON, AS_BYTES_RUBY, AS_BYTES_PHP, AS_BYTES_ERLANG};
	for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
		static char names[8][32];
		snprintf(names[i], sizeof names[i], "bytes of type %d", TYPES[i]);
		comes_back(names[i], bytes(TYPES[i], 10));
		as_error error;
		as_key key;
		name_key(&key, names[i]);
		as_record* got = NULL;
		aerospike_key_get(&as, &error, NULL, &key, &got);
		expect_number("type", got == NULL ? -1 : (int)as_record_get_bytes(got, BIN)->type, TYPES[i]);
		as_record_destroy(got);
		as_key_destroy(&key);
	}
	comes_back("bytes in a list", list_of(bytes(AS_BYTES_PYTHON, 4), bytes(AS_BYTES_BLOB, 300), NULL));
	comes_back("no bytes", bytes(AS_BYTES_BLOB, 0));
}

static void keys(void) {
	uint8_t digits[] = {0, 1, 2, 255};
	as_key kinds[3];
	as_key_init_int64(&kinds[0], "test", set_name, INT64_MIN);
	as_key_init_raw(&kinds[1], "test", set_name, digits, sizeof digits);
	as_key_init_str(&kinds[2], "test", set_name, "");
	for (int send = 0; send < 2; send++) {
		for (int i = 0; i < 3; i++) {
			check(send ? "keys of every kind, sent" : "keys of every kind");
			as_error error;
			as_policy_write write;
			as_policy_write_copy(&as.config.policies.write, &write);
			write.key = send ? AS_POLICY_KEY_SEND : AS_POLICY_KEY_DIGEST;
			as_policy_read read;
			as_policy_read_copy(&as.config.policies.read, &read);
			read.key = write.key;
			as_policy_remove gone;
			as_policy_remove_copy(&as.config.policies.remove, &gone);
			gone.key = write.key;
			as_record record, *got = NULL;
			as_record_init(&record, 1);
			as_record_set_int64(&record, BIN, i);
			expect_number("put", aerospike_key_put(&as, &error, &write, &kinds[i], &record), 0);
			expect_number("get", aerospike_key_get(&as, &error, &read, &kinds[i], &got), 0);
			if (got != NULL) expect_number("value", as_record_get_int64(got, BIN, -1), i);
			expect_number("remove", aerospike_key_remove(&as, &error, &gone, &kinds[i]), 0);
			expect_number("remove again", aerospike_key_remove(&as, &error, &gone, &kinds[i]), AEROSPIKE_ERR_RECORD_NOT_FOUND);
			as_record_destroy(got);
			as_record_destroy(&record);
		}
	}
}

/* A put of `other` on a record of generation 1 that has the bin `b`. */
static void putting(const char* name, as_policy_write* policy, uint16_t generation, bool exists, as_status want, const char* bins) {
	check(name);
	as_error error;
	as_key key;
	name_key(&key, name);
	as_record record, *got = NULL;
	as_record_init(&record, 1);
	as_record_set_int64(&record, BIN, 1);
	if (exists) aerospike_key_put(&as, &error, NULL, &key, &record);
	as_record_destroy(&record);
	as_record_init(&record, 1);
	as_record_set_int64(&record, "other", 2);
	record.gen = generation;
	expect_number("put", aerospike_key_put(&as, &error, policy, &key, &record), want);
	as_record_destroy(&record);
	char text[64] = "", one[16], other[16];
	if (aerospike_key_get(&as, &error, NULL, &key, &got) == AEROSPIKE_OK) {
		told(got, BIN, one, sizeof one);
		told(got, "other", other, sizeof other);
		snprintf(text, sizeof text, "%s %s", one, other);
	}
	expect_text("bins", text, bins);
	as_record_destroy(got);
	as_key_destroy(&key);
}

static void policies(void) {
	as_policy_write policy;
#define POLICY(FIELD, VALUE) (as_policy_write_copy(&as.config.policies.write, &policy), policy.FIELD = VALUE, &policy)
	putting("put, ignore", POLICY(exists, AS_POLICY_EXISTS_IGNORE), 0, true, AEROSPIKE_OK, "1 2");
	putting("put, create", POLICY(exists, AS_POLICY_EXISTS_CREATE), 0, true, AEROSPIKE_ERR_RECORD_EXISTS, "1 ");
	putting("put, create, new", POLICY(exists, AS_POLICY_EXISTS_CREATE), 0, false, AEROSPIKE_OK, " 2");
	putting("put, update", POLICY(exists, AS_POLICY_EXISTS_UPDATE), 0, true, AEROSPIKE_OK, "1 2");
	putting("put, update, new", POLICY(exists, AS_POLICY_EXISTS_UPDATE), 0, false, AEROSPIKE_ERR_RECORD_NOT_FOUND, "");
	putting("put, replace", POLICY(exists, AS_POLICY_EXISTS_REPLACE), 0, true, AEROSPIKE_OK, " 2");
	putting("put, replace, new", POLICY(exists, AS_POLICY_EXISTS_REPLACE), 0, false, AEROSPIKE_ERR_RECORD_NOT_FOUND, "");
	putting("put, create or replace", POLICY(exists, AS_POLICY_EXISTS_CREATE_OR_REPLACE), 0, true, AEROSPIKE_OK, " 2");
	putting("put, create or replace, new", POLICY(exists, AS_POLICY_EXISTS_CREATE_OR_REPLACE), 0, false, AEROSPIKE_OK, " 2");
	putting("put, equal generation", POLICY(gen, AS_POLICY_GEN_EQ), 1, true, AEROSPIKE_OK, "1 2");
	putting("put, other generation", POLICY(gen, AS_POLICY_GEN_EQ), 2, true, AEROSPIKE_ERR_RECORD_GENERATION, "1 ");
	putting("put, greater generation", POLICY(gen, AS_POLICY_GEN_GT), 2, true, AEROSPIKE_OK, "1 2");
	putting("put, lesser generation", POLICY(gen, AS_POLICY_GEN_GT), 1, true, AEROSPIKE_ERR_RECORD_GENERATION, "1 ");
	putting("put, equal generation, new", POLICY(gen, AS_POLICY_GEN_EQ), 1, false, AEROSPIKE_ERR_RECORD_GENERATION, "");
	putting("put, to the master", POLICY(commit_level, AS_POLICY_COMMIT_LEVEL_MASTER), 0, true, AEROSPIKE_OK, "1 2");
	putting("put, durable", POLICY(durable_delete, true), 0, true, AEROSPIKE_OK, "1 2");
	putting("put, compressed", POLICY(compression_threshold, 1), 0, true, AEROSPIKE_OK, "1 2");
	as_exp_build(two, as_exp_cmp_eq(as_exp_bin_int(BIN), as_exp_int(2)));
	putting("put, filtered", POLICY(base.filter_exp, two), 0, true, AEROSPIKE_FILTERED_OUT, "1 ");
	putting("put, filtered, new", POLICY(base.filter_exp, two), 0, false, AEROSPIKE_OK, " 2");
	as_exp_destroy(two);
}

static void whole_records(void) {
	as_error error;
	as_key key;
	as_record record, *got = NULL;
	check("exists, select");
	name_key(&key, "whole");
	expect_number("exists", aerospike_key_exists(&as, &error, NULL, &key, &got), AEROSPIKE_ERR_RECORD_NOT_FOUND);
	as_record_inita(&record, 3);
	as_record_set_int64(&record, "a", 1);
	as_record_set_int64(&record, "c", 2);
	as_record_set_strp(&record, "s", "text", false);
	record.ttl = 1000;
	expect_number("put", aerospike_key_put(&as, &error, NULL, &key, &record), 0);
	expect_number("exists", aerospike_key_exists(&as, &error, NULL, &key, &got), 0);
	expect_number("generation", got->gen, 1);
	if (got->ttl < 990 || got->ttl > 1000) fails("ttl %u", got->ttl);
	expect_number("bins", got->bins.size, 0);
	as_record_destroy(got);
	got = NULL;
	expect_number("select", aerospike_key_select(&as, &error, NULL, &key, (const char*[]){"a", "none", "s", NULL}, &got), 0);
	expect_number("bins", got->bins.size, 2);
	as_record_destroy(got);
	got = NULL;
	check("operations on single bins");
	as_operations ops;
	as_operations_inita(&ops, 9);
	as_operations_add_incr(&ops, "a", 4);
	as_operations_add_append_str(&ops, "s", "!");
	as_operations_add_prepend_str(&ops, "s", ">");
	as_operations_add_incr_double(&ops, "d", 1.5);
	as_operations_add_write_bool(&ops, "t", true);
	as_operations_add_append_raw(&ops, "y", (const uint8_t*)"\1\2", 2);
	as_operations_add_touch(&ops);
	as_operations_add_read(&ops, "a");
	as_operations_add_read(&ops, "s");
	expect_number("operate", aerospike_key_operate(&as, &error, NULL, &key, &ops, &got), 0);
	char text[128];
	told(got, "a", text, sizeof text);
	expect_text("a", text, "5");
	told(got, "s", text, sizeof text);
	expect_text("s", text, "\">text!\"");
	expect_number("generation", got->gen, 2);
	as_record_destroy(got);
	as_operations_destroy(&ops);
	got = NULL;
	check("all bins, then none");
	as_operations_inita(&ops, 2);
	as_operations_add_incr(&ops, "a", 1);
	as_operations_add_read_all(&ops);
	expect_number("operate", aerospike_key_operate(&as, &error, NULL, &key, &ops, &got), 0);
	expect_number("bins", got->bins.size, 6);
	as_record_destroy(got);
	as_operations_destroy(&ops);
	got = NULL;
	as_operations_inita(&ops, 2);
	as_operations_add_read(&ops, "a");
	as_operations_add_delete(&ops);
	expect_number("operate", aerospike_key_operate(&as, &error, NULL, &key, &ops, &got), 0);
	told(got, "a", text, sizeof text);
	expect_text("a", text, "6");
	as_record_destroy(got);
	as_operations_destroy(&ops);
	got = NULL;
	expect_number("get", aerospike_key_get(&as, &error, NULL, &key, &got), AEROSPIKE_ERR_RECORD_NOT_FOUND);
	as_key_destroy(&key);
}

static bool answers(const as_error* error, const as_node* node, const char* request, char* response, void* data) {
	(void)node;
	(void)request;
	*(int*)data += error->code == AEROSPIKE_OK && response != NULL;
	return true;
}

static void info(void) {
	as_error error;
	check("info");
	char* answer = NULL;
	expect_number("any", aerospike_info_any(&as, &error, NULL, "namespaces", &answer), 0);
	expect_text("namespaces", answer, "namespaces\ttest\n");
	free(answer);
	int count = 0;
	expect_number("each", aerospike_info_foreach(&as, &error, NULL, "build", answers, &count), 0);
	expect_number("nodes", count, 1);
	check("truncate");
	expect_number("truncate", aerospike_truncate(&as, &error, NULL, "test", "smoke nothing", 0), 0);
	expect_number("truncate of an unknown namespace", aerospike_truncate(&as, &error, NULL, "nowhere", "s", 0) != AEROSPIKE_OK, 1);
}

void values(void) {
	every_type();
	keys();
	policies();
	whole_records();
	info();
}
