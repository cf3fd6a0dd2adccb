/* Batch commands, in the older form (one kind of row) and the newer (rows of every kind). */
#include "harness.h"

#include <aerospike/as_batch.h>
#include <stdlib.h>

enum { COUNT = 60 };

/* What the rows of a batch answered: the number of each code, and the sum of the bin `i`. */
struct tally {
	int ok, not_found, other;
	int64_t sum;
};

static bool count_rows(const as_batch_result* results, uint32_t n, void* data) {
	struct tally* tally = data;
	for (uint32_t i = 0; i < n; i++) {
		if (results[i].result == AEROSPIKE_OK) {
			tally->ok++;
			tally->sum += as_record_get_int64(&results[i].record, "i", 0);
		} else if (results[i].result == AEROSPIKE_ERR_RECORD_NOT_FOUND) tally->not_found++;
		else tally->other++;
	}
	return true;
}

static void row_key(as_key* key, int i) {
	char name[32];
	snprintf(name, sizeof name, "row%d", i);
	name_key(key, name);
}

static void older_form(void) {
	as_error error;
	as_batch batch;
	as_batch_init(&batch, COUNT + 1);
	for (int i = 0; i <= COUNT; i++) row_key(as_batch_keyat(&batch, (uint32_t)i), i);
	as_operations write, read;
	as_operations_init(&write, 2);
	as_operations_add_write_int64(&write, "i", 2);
	as_operations_list_append(&write, "l", NULL, NULL, I(1));
	as_operations_init(&read, 2);
	as_operations_list_size(&read, "l", NULL);
	as_operations_add_read(&read, "i");
	struct tally tally;
#define TELLS(NAME, CALL, OK, NOT_FOUND, SUM) \
	check(NAME); \
	tally = (struct tally){0}; \
	CALL; \
	expect_number("found", tally.ok, OK); \
	expect_number("not found", tally.not_found, NOT_FOUND); \
	expect_number("others", tally.other, 0); \
	expect_number("sum", tally.sum, SUM)
	batch.keys.size = COUNT; /* all but the last one are written */
	TELLS("batch operate", aerospike_batch_operate(&as, &error, NULL, NULL, &batch, &write, count_rows, &tally), COUNT, 0, 0);
	batch.keys.size = COUNT + 1;
	TELLS("batch get", aerospike_batch_get(&as, &error, NULL, &batch, count_rows, &tally), COUNT, 1, 2 * COUNT);
	TELLS("batch get of bins", aerospike_batch_get_bins(&as, &error, NULL, &batch, (const char*[]){"i", "none"}, 2, count_rows, &tally), COUNT, 1, 2 * COUNT);
	TELLS("batch get with operations", aerospike_batch_get_ops(&as, &error, NULL, &batch, &read, count_rows, &tally), COUNT, 1, 2 * COUNT);
	TELLS("batch exists", aerospike_batch_exists(&as, &error, NULL, &batch, count_rows, &tally), COUNT, 1, 0);
	TELLS("batch remove", aerospike_batch_remove(&as, &error, NULL, NULL, &batch, count_rows, &tally), COUNT, 1, 0);
	as_operations_destroy(&write);
	as_operations_destroy(&read);
	as_batch_destroy(&batch);
}

static void newer_form(void) {
	as_error error;
	as_operations write, wrong, late, read;
	as_operations_init(&write, 3);
	as_operations_add_write_int64(&write, "i", 2);
	as_operations_list_append(&write, "l", NULL, NULL, I(1));
	as_operations_add_read(&write, "i");
	as_operations_init(&wrong, 2);
	as_operations_add_write_int64(&wrong, "n", 1);
	as_operations_list_append(&wrong, "i", NULL, NULL, I(1));
	as_operations_init(&late, 1);
	as_operations_add_write_int64(&late, "i", 3);
	late.gen = 7;
	as_operations_init(&read, 1);
	as_operations_list_size(&read, "l", NULL);
	as_policy_batch_write create, stale, filtered;
	as_policy_batch_write_init(&create);
	create.exists = AS_POLICY_EXISTS_CREATE;
	as_policy_batch_write_init(&stale);
	stale.gen = AS_POLICY_GEN_EQ;
	as_exp_build(never, as_exp_cmp_eq(as_exp_bin_int("i"), as_exp_int(100)));
	as_policy_batch_write_init(&filtered);
	filtered.filter_exp = never;
	as_policy_batch_remove stale_remove;
	as_policy_batch_remove_init(&stale_remove);
	stale_remove.gen = AS_POLICY_GEN_EQ;
	stale_remove.generation = 7;

	check("batch of rows of every kind");
	as_batch_records* rows = as_batch_records_create(16);
	for (int i = 0; i < 3; i++) {
		as_batch_write_record* row = as_batch_write_reserve(rows);
		row_key(&row->key, i);
		row->ops = &write;
	}
	expect_number("write", aerospike_batch_write(&as, &error, NULL, rows), 0);
	as_batch_records_destroy(rows);
	rows = as_batch_records_create(16);
	static const struct { int key; char kind; as_status want; } ROWS[] = {
		{0, 'a', 0}, {1, 'o', 0}, {2, 'h', 0}, {0, 'w', 0}, {1, 'c', AEROSPIKE_ERR_RECORD_EXISTS}, {2, 'g', AEROSPIKE_ERR_RECORD_GENERATION}, {2, 'f', AEROSPIKE_FILTERED_OUT},
		{1, 't', AEROSPIKE_ERR_BIN_INCOMPATIBLE_TYPE}, {70, 'a', AEROSPIKE_ERR_RECORD_NOT_FOUND}, {2, 's', AEROSPIKE_ERR_RECORD_GENERATION}, {70, 'r', AEROSPIKE_ERR_RECORD_NOT_FOUND}, {71, 'w', 0},
	};
	enum { ROW_COUNT = sizeof ROWS / sizeof ROWS[0] };
	for (int i = 0; i < ROW_COUNT; i++) {
		char kind = ROWS[i].kind;
		if (strchr("aoh", kind) != NULL) {
			as_batch_read_record* row = as_batch_read_reserve(rows);
			row_key(&row->key, ROWS[i].key);
			row->read_all_bins = kind == 'a';
			row->ops = kind == 'o' ? &read : NULL;
		} else if (strchr("sr", kind) != NULL) {
			as_batch_remove_record* row = as_batch_remove_reserve(rows);
			row_key(&row->key, ROWS[i].key);
			row->policy = kind == 's' ? &stale_remove : NULL;
		} else {
			as_batch_write_record* row = as_batch_write_reserve(rows);
			row_key(&row->key, ROWS[i].key);
			row->ops = kind == 't' ? &wrong : kind == 'g' ? &late : &write;
			row->policy = kind == 'c' ? &create : kind == 'g' ? &stale : kind == 'f' ? &filtered : NULL;
		}
	}
	aerospike_batch_write(&as, &error, NULL, rows);
	for (uint32_t i = 0; i < ROW_COUNT; i++) {
		as_batch_base_record* row = as_vector_get(&rows->list, i);
		if (row->result != ROWS[i].want) fails("row %u: got %d, want %d", i, row->result, ROWS[i].want);
		if (row->in_doubt) fails("row %u is in doubt", i);
	}
	as_batch_base_record* row = as_vector_get(&rows->list, 1);
	expect_number("size", as_record_get_int64(&row->record, "l", -1), 1);
	row = as_vector_get(&rows->list, 2);
	expect_number("generation", row->record.gen, 1);
	as_batch_records_destroy(rows);
	as_key key;
	as_record* got = NULL;
	row_key(&key, 1);
	aerospike_key_get(&as, &error, NULL, &key, &got);
	expect_number("bins of a row that failed", got->bins.size, 2);
	as_record_destroy(got);
	as_key_destroy(&key);
	as_operations_destroy(&write);
	as_operations_destroy(&wrong);
	as_operations_destroy(&late);
	as_operations_destroy(&read);
	as_exp_destroy(never);
}

void batches(void) {
	older_form();
	newer_form();
}
