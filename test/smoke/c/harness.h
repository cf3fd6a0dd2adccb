/* What the programs here share: a connected client, checks that report one by one, rows of operations. */
#pragma once

#include <aerospike/aerospike.h>
#include <aerospike/aerospike_batch.h>
#include <aerospike/aerospike_info.h>
#include <aerospike/aerospike_key.h>
#include <aerospike/as_arraylist.h>
#include <aerospike/as_bit_operations.h>
#include <aerospike/as_exp.h>
#include <aerospike/as_exp_operations.h>
#include <aerospike/as_geojson.h>
#include <aerospike/as_hashmap.h>
#include <aerospike/as_hll_operations.h>
#include <aerospike/as_list_operations.h>
#include <aerospike/as_map_operations.h>
#include <aerospike/as_nil.h>
#include <aerospike/as_orderedmap.h>
#include <aerospike/as_record_iterator.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The bin that the rows' operations work on. */
#define BIN "b"

extern aerospike as;
extern const char* check_name;
extern char set_name[];

/* Starts a check, or ends the one before it. */
void check(const char* name);
/* Fails the check that runs: its first failure is reported. */
void fails(const char* format, ...);
void expect_text(const char* what, const char* got, const char* want);
void expect_number(const char* what, int64_t got, int64_t want);

void name_key(as_key* key, const char* name);

/* Values. A list of integers, and one of any values, ended by NULL; a map of pairs, ended by NULL. */
#define INTS(...) ints(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})
as_val* ints(size_t count, const int64_t* values);
as_val* list_of(as_val* first, ...);
as_val* map_of(as_val* first, ...);
#define I(value) ((as_val*)as_integer_new(value))
#define S(value) ((as_val*)as_string_new(value, false))
#define D(value) ((as_val*)as_double_new(value))
#define NIL ((as_val*)&as_nil)

/*
 * A row: the bin before (NULL: no such bin), the operations, their answers in this bin, the bin afterwards (NULL: as before).
 * Values are told as text; an answer "code 26" is an error.
 */
#define ROW(NAME, BEFORE, OPERATIONS, WANT, AFTER) \
	do { \
		as_operations ops; \
		as_operations_init(&ops, 16); \
		OPERATIONS; \
		run_row(NAME, BEFORE, &ops, WANT, AFTER); \
		as_operations_destroy(&ops); \
	} while (0)
#define ANY "?" /* the bin afterwards may be anything */
void run_row(const char* name, as_val* before, as_operations* ops, const char* want, const char* after);

/* A value in text, which the caller frees. */
char* text_of(const as_val* value);
/* What a record's bins of this name hold, one after the other, in text. */
void told(const as_record* record, const char* bin, char* out, size_t size);

/* Ends the last check and tells the status to exit with. */
int finish(void);
void connect_client(int argc, char* argv[]);

void operations(void);
void paths(void);
void values(void);
void batches(void);
void event_loops(void);
