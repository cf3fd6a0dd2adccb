/* Operations of lists, maps, bits, sketches and expressions, each function of the client once. */
#include "harness.h"

#define ABC map_of(S("a"), I(3), S("b"), I(1), S("c"), I(2), NULL)
#define FIVE INTS(4, 3, 1, 5, 2)
#define SIX INTS(0, 4, 5, 9, 11, 15)
#define B &ops, BIN, NULL

static as_list* L(as_val* value) { return (as_list*)value; }

static void lists(void) {
	as_list_policy unique, unique_partial, bounded, ordered;
	as_list_policy_set(&unique, AS_LIST_UNORDERED, AS_LIST_WRITE_ADD_UNIQUE);
	as_list_policy_set(&unique_partial, AS_LIST_UNORDERED, AS_LIST_WRITE_ADD_UNIQUE | AS_LIST_WRITE_NO_FAIL | AS_LIST_WRITE_PARTIAL);
	as_list_policy_set(&bounded, AS_LIST_UNORDERED, AS_LIST_WRITE_INSERT_BOUNDED);
	as_list_policy_set(&ordered, AS_LIST_ORDERED, AS_LIST_WRITE_DEFAULT);
	ROW("list create", NULL, as_operations_list_create(B, AS_LIST_ORDERED, false), "", "[]");
	ROW("list create, persisted", NULL, as_operations_list_create_all(B, AS_LIST_ORDERED, false, true); as_operations_list_append_items(B, NULL, L(INTS(3, 1))), "2", "[1, 3]");
	ROW("list set order", FIVE, as_operations_list_set_order(B, AS_LIST_ORDERED), "", "[1, 2, 3, 4, 5]");
	ROW("list sort", INTS(2, 1, 2), as_operations_list_sort(B, AS_LIST_SORT_DROP_DUPLICATES), "", "[1, 2]");
	ROW("list append", INTS(1), as_operations_list_append(B, NULL, S("x")), "2", "[1, \"x\"]");
	ROW("list append, unique", INTS(1), as_operations_list_append(B, &unique, I(1)), "code 24", NULL);
	ROW("list append, ordered", NULL, as_operations_list_append(B, &ordered, I(2)); as_operations_list_append(B, &ordered, I(1)), "1; 2", "[1, 2]");
	ROW("list append of nil", INTS(1), as_operations_list_append(B, NULL, NIL), "2", "[1, NIL]");
	ROW("list append, older names", INTS(1), as_operations_add_list_append_int64(&ops, BIN, 2); as_operations_add_list_append_double(&ops, BIN, 1.5); as_operations_add_list_append_str(&ops, BIN, "s"), "2; 3; 4",
		"[1, 2, 1.5, \"s\"]");
	ROW("list append items", INTS(1), as_operations_list_append_items(B, &unique_partial, L(INTS(1, 2))), "2", "[1, 2]");
	ROW("list insert", INTS(1, 2), as_operations_list_insert(B, NULL, 1, I(9)), "3", "[1, 9, 2]");
	ROW("list insert, bounded", INTS(1), as_operations_list_insert(B, &bounded, 3, I(9)), "code 26", NULL);
	ROW("list insert items", INTS(1, 2), as_operations_list_insert_items(B, NULL, -1, L(INTS(8, 9))), "4", "[1, 8, 9, 2]");
	ROW("list increment", INTS(1, 2), as_operations_list_increment(B, NULL, 1, I(5)), "7", "[1, 7]");
	ROW("list increment by one", INTS(1, 2), as_operations_list_increment(B, NULL, 1, NULL), "3", "[1, 3]");
	ROW("list set", INTS(1, 2), as_operations_list_set(B, NULL, -1, I(7)), "", "[1, 7]");
	ROW("list pop", FIVE, as_operations_list_pop(B, -1); as_operations_list_pop_range(B, 0, 2); as_operations_list_pop_range_from(B, 1), "2; [4, 3]; [5]", "[1]");
	ROW("list remove", FIVE, as_operations_list_remove(B, 0); as_operations_list_remove_range(B, 0, 2); as_operations_list_remove_range_from(B, 1), "1; 2; 1", "[5]");
	ROW("list remove by value", INTS(1, 2, 1), as_operations_list_remove_by_value(B, I(1), AS_LIST_RETURN_INDEX), "[0, 2]", "[2]");
	ROW("list remove by value list", FIVE, as_operations_list_remove_by_value_list(B, L(INTS(1, 2)), AS_LIST_RETURN_COUNT), "2", "[4, 3, 5]");
	ROW("list remove by value range", FIVE, as_operations_list_remove_by_value_range(B, I(2), I(4), AS_LIST_RETURN_VALUE), "[3, 2]", "[4, 1, 5]");
	ROW("list remove by value range, open", FIVE, as_operations_list_remove_by_value_range(B, NULL, I(3), AS_LIST_RETURN_COUNT); as_operations_list_remove_by_value_range(B, I(4), NULL, AS_LIST_RETURN_COUNT), "2; 2", "[3]");
	ROW("list remove by relative rank", SIX, as_operations_list_remove_by_value_rel_rank_range(B, I(5), -1, 2, AS_LIST_RETURN_COUNT); as_operations_list_remove_by_value_rel_rank_range_to_end(B, I(9), 1, AS_LIST_RETURN_COUNT), "2; 2",
		"[0, 9]");
	ROW("list remove by index", FIVE, as_operations_list_remove_by_index(B, 0, AS_LIST_RETURN_VALUE); as_operations_list_remove_by_index_range(B, 0, 1, AS_LIST_RETURN_VALUE);
		as_operations_list_remove_by_index_range_to_end(B, 2, AS_LIST_RETURN_VALUE), "4; [3]; [2]", "[1, 5]");
	ROW("list remove by rank", FIVE, as_operations_list_remove_by_rank(B, 0, AS_LIST_RETURN_VALUE); as_operations_list_remove_by_rank_range(B, 0, 1, AS_LIST_RETURN_COUNT);
		as_operations_list_remove_by_rank_range_to_end(B, 1, AS_LIST_RETURN_COUNT), "1; 1; 2", "[3]");
	ROW("list remove inverted", FIVE, as_operations_list_remove_by_value_list(B, L(INTS(1, 2)), AS_LIST_RETURN_VALUE | AS_LIST_RETURN_INVERTED), "[4, 3, 5]", "[1, 2]");
	ROW("list trim, size", FIVE, as_operations_list_trim(B, 1, 3); as_operations_list_size(B), "2; 3", "[3, 1, 5]");
	ROW("list clear", FIVE, as_operations_list_clear(B), "", "[]");
	ROW("list get", FIVE, as_operations_list_get(B, -2); as_operations_list_get_range(B, 1, 2); as_operations_list_get_range_from(B, 3), "5; [3, 1]; [5, 2]", NULL);
	ROW("list get out of bounds", FIVE, as_operations_list_get(B, 5), "code 26", NULL);
	ROW("list get by value", INTS(1, 2, 1), as_operations_list_get_by_value(B, I(1), AS_LIST_RETURN_REVERSE_INDEX); as_operations_list_get_by_value(B, I(1), AS_LIST_RETURN_EXISTS), "[2, 0]; true", NULL);
	ROW("list get by value range", SIX, as_operations_list_get_by_value_range(B, I(4), I(11), AS_LIST_RETURN_VALUE); as_operations_list_get_by_value_range(B, I(9), NULL, AS_LIST_RETURN_COUNT);
		as_operations_list_get_by_value_range(B, NULL, I(5), AS_LIST_RETURN_VALUE), "[4, 5, 9]; 3; [0, 4]", NULL);
	ROW("list get by value range to infinity", SIX, as_operations_list_get_by_value_range(B, I(9), (as_val*)&as_cmp_inf, AS_LIST_RETURN_COUNT), "3", NULL);
	ROW("list get by wildcard", list_of(list_of(I(1), S("a"), NULL), list_of(I(2), S("b"), NULL), NULL), as_operations_list_get_by_value(B, list_of(I(2), (as_val*)&as_cmp_wildcard, NULL), AS_LIST_RETURN_INDEX), "[1]", NULL);
	ROW("list get by value list", FIVE, as_operations_list_get_by_value_list(B, L(INTS(5, 7, 4)), AS_LIST_RETURN_INDEX), "[0, 3]", NULL);
	ROW("list get by relative rank", SIX, as_operations_list_get_by_value_rel_rank_range(B, I(3), -3, 4, AS_LIST_RETURN_COUNT); as_operations_list_get_by_value_rel_rank_range_to_end(B, I(5), 1, AS_LIST_RETURN_COUNT), "2; 3", NULL);
	ROW("list get by index", FIVE, as_operations_list_get_by_index(B, 3, AS_LIST_RETURN_RANK); as_operations_list_get_by_index_range(B, 1, 2, AS_LIST_RETURN_REVERSE_INDEX);
		as_operations_list_get_by_index_range_to_end(B, 3, AS_LIST_RETURN_REVERSE_RANK), "4; [2, 3]; [0, 3]", NULL);
	ROW("list get by rank", FIVE, as_operations_list_get_by_rank(B, -1, AS_LIST_RETURN_VALUE); as_operations_list_get_by_rank_range(B, 3, 1, AS_LIST_RETURN_VALUE); as_operations_list_get_by_rank_range_to_end(B, 3, AS_LIST_RETURN_COUNT),
		"5; [4]; 2", NULL);
	ROW("list of a string", S("text"), as_operations_list_size(B), "code 12", NULL);
	ROW("list of a missing bin", NULL, as_operations_list_size(B), "", NULL);
}

static void maps(void) {
	as_map_policy plain, by_key, by_value, create, update, persisted;
	as_map_policy_init(&plain);
	as_map_policy_set_flags(&by_key, AS_MAP_KEY_ORDERED, AS_MAP_WRITE_DEFAULT);
	as_map_policy_set_flags(&by_value, AS_MAP_KEY_VALUE_ORDERED, AS_MAP_WRITE_DEFAULT);
	as_map_policy_set_flags(&create, AS_MAP_UNORDERED, AS_MAP_WRITE_CREATE_ONLY);
	as_map_policy_set(&update, AS_MAP_KEY_ORDERED, AS_MAP_UPDATE_ONLY);
	as_map_policy_set_all(&persisted, AS_MAP_KEY_ORDERED, AS_MAP_WRITE_DEFAULT, true);
	ROW("map create", NULL, as_operations_map_create(B, AS_MAP_KEY_ORDERED), "NIL", "{}");
	ROW("map create, persisted", NULL, as_operations_map_create_all(B, AS_MAP_KEY_ORDERED, true); as_operations_map_put(B, &plain, I(1), I(2)), "NIL; 1", "{1:2}");
	ROW("map set policy", ABC, as_operations_map_set_policy(B, &by_value); as_operations_map_get_by_rank_range_to_end(B, 0, AS_MAP_RETURN_KEY), "NIL; [\"b\", \"c\", \"a\"]", NULL);
	ROW("map put", ABC, as_operations_map_put(B, &plain, S("z"), I(9)), "4", "{\"a\":3, \"b\":1, \"c\":2, \"z\":9}");
	ROW("map put, persisted", NULL, as_operations_map_put(B, &persisted, S("z"), I(9)), "1", "{\"z\":9}");
	ROW("map put, create only", ABC, as_operations_map_put(B, &create, S("a"), I(9)), "code 24", NULL);
	ROW("map put, update only", ABC, as_operations_map_put(B, &update, S("z"), I(9)), "code 23", NULL);
	ROW("map put items", ABC, as_operations_map_put_items(B, &by_key, (as_map*)map_of(S("a"), I(0), S("d"), I(4), NULL)), "4", "{\"a\":0, \"b\":1, \"c\":2, \"d\":4}");
	ROW("map put items, update only", ABC, as_operations_map_put_items(B, &update, (as_map*)map_of(S("a"), I(0), S("d"), I(4), NULL)), "code 23", NULL);
	ROW("map increment, decrement", ABC, as_operations_map_increment(B, &plain, S("a"), I(4)); as_operations_map_decrement(B, &plain, S("b"), I(4)), "7; -3", "{\"a\":7, \"b\":-3, \"c\":2}");
	ROW("map clear", ABC, as_operations_map_clear(B), "NIL", "{}");
	ROW("map remove by key", ABC, as_operations_map_remove_by_key(B, S("a"), AS_MAP_RETURN_VALUE); as_operations_map_remove_by_key_list(B, L(list_of(S("b"), S("x"), NULL)), AS_MAP_RETURN_COUNT), "3; 1", "{\"c\":2}");
	ROW("map remove by key range", ABC, as_operations_map_remove_by_key_range(B, S("a"), S("c"), AS_MAP_RETURN_KEY), "[\"a\", \"b\"]", "{\"c\":2}");
	ROW("map remove by relative index", ABC, as_operations_map_remove_by_key_rel_index_range(B, S("b"), -1, 1, AS_MAP_RETURN_KEY); as_operations_map_remove_by_key_rel_index_range_to_end(B, S("b"), 1, AS_MAP_RETURN_KEY),
		"[\"a\"]; [\"c\"]", "{\"b\":1}");
	ROW("map remove by value", ABC, as_operations_map_remove_by_value(B, I(3), AS_MAP_RETURN_KEY); as_operations_map_remove_by_value_list(B, L(INTS(1, 7)), AS_MAP_RETURN_KEY), "[\"a\"]; [\"b\"]", "{\"c\":2}");
	ROW("map remove by value range", ABC, as_operations_map_remove_by_value_range(B, I(2), NULL, AS_MAP_RETURN_COUNT), "2", "{\"b\":1}");
	ROW("map remove by relative rank", ABC, as_operations_map_remove_by_value_rel_rank_range(B, I(2), -1, 1, AS_MAP_RETURN_KEY); as_operations_map_remove_by_value_rel_rank_range_to_end(B, I(2), 1, AS_MAP_RETURN_KEY),
		"[\"b\"]; [\"a\"]", "{\"c\":2}");
	ROW("map remove by index", ABC, as_operations_map_remove_by_index(B, 0, AS_MAP_RETURN_KEY); as_operations_map_remove_by_index_range(B, 0, 1, AS_MAP_RETURN_KEY); as_operations_map_remove_by_index_range_to_end(B, 0, AS_MAP_RETURN_KEY),
		"\"a\"; [\"b\"]; [\"c\"]", "{}");
	ROW("map remove by rank", ABC, as_operations_map_remove_by_rank(B, 0, AS_MAP_RETURN_KEY); as_operations_map_remove_by_rank_range(B, 0, 1, AS_MAP_RETURN_KEY); as_operations_map_remove_by_rank_range_to_end(B, 0, AS_MAP_RETURN_KEY),
		"\"b\"; [\"c\"]; [\"a\"]", "{}");
	ROW("map size", ABC, as_operations_map_size(B), "3", NULL);
	ROW("map get by key", ABC, as_operations_map_get_by_key(B, S("b"), AS_MAP_RETURN_RANK); as_operations_map_get_by_key(B, S("x"), AS_MAP_RETURN_VALUE); as_operations_map_get_by_key(B, S("x"), AS_MAP_RETURN_INDEX), "0; NIL; -1", NULL);
	ROW("map get by key range", ABC, as_operations_map_get_by_key_range(B, S("b"), NULL, AS_MAP_RETURN_KEY_VALUE); as_operations_map_get_by_key_range(B, NULL, S("b"), AS_MAP_RETURN_ORDERED_MAP), "[\"b\", 1, \"c\", 2]; {\"a\":3}", NULL);
	ROW("map get by key list", ABC, as_operations_map_get_by_key_list(B, L(list_of(S("c"), S("a"), NULL)), AS_MAP_RETURN_KEY | AS_MAP_RETURN_INVERTED), "[\"b\"]", NULL);
	ROW("map get by relative index", ABC, as_operations_map_get_by_key_rel_index_range(B, S("b"), -1, 1, AS_MAP_RETURN_KEY); as_operations_map_get_by_key_rel_index_range_to_end(B, S("b"), 1, AS_MAP_RETURN_KEY), "[\"a\"]; [\"c\"]", NULL);
	ROW("map get by value", ABC, as_operations_map_get_by_value(B, I(2), AS_MAP_RETURN_KEY); as_operations_map_get_by_value_range(B, I(1), I(3), AS_MAP_RETURN_COUNT); as_operations_map_get_by_value_list(B, L(INTS(1, 3)), AS_MAP_RETURN_KEY),
		"[\"c\"]; 2; [\"a\", \"b\"]", NULL);
	ROW("map get by relative rank", ABC, as_operations_map_get_by_value_rel_rank_range(B, I(2), -1, 1, AS_MAP_RETURN_KEY); as_operations_map_get_by_value_rel_rank_range_to_end(B, I(2), 1, AS_MAP_RETURN_KEY), "[\"b\"]; [\"a\"]", NULL);
	ROW("map get by index", ABC, as_operations_map_get_by_index(B, -1, AS_MAP_RETURN_KEY); as_operations_map_get_by_index_range(B, 0, 2, AS_MAP_RETURN_VALUE); as_operations_map_get_by_index_range_to_end(B, 1, AS_MAP_RETURN_REVERSE_INDEX),
		"\"c\"; [3, 1]; [0, 1]", NULL);
	ROW("map get by rank", ABC, as_operations_map_get_by_rank(B, 0, AS_MAP_RETURN_KEY); as_operations_map_get_by_rank_range(B, 1, 1, AS_MAP_RETURN_KEY), "\"b\"; [\"c\"]", NULL);
	ROW("map of a list", INTS(1), as_operations_map_size(B), "code 12", NULL);
}

static void contexts(void) {
	as_cdt_ctx ctx;
	as_cdt_ctx_inita(&ctx, 2);
	as_cdt_ctx_add_map_key(&ctx, S("k"));
	as_cdt_ctx_add_list_index(&ctx, -1);
	ROW("context of a list", map_of(S("k"), list_of(I(1), INTS(2), NULL), NULL), as_operations_list_append(&ops, BIN, &ctx, NULL, I(3)); as_operations_list_size(&ops, BIN, &ctx), "2; 2", "{\"k\":[1, [2, 3]]}");
	ROW("context that leads nowhere", map_of(S("x"), I(1), NULL), as_operations_list_append(&ops, BIN, &ctx, NULL, I(3)), "code 26", NULL);
	as_cdt_ctx_destroy(&ctx);
	as_cdt_ctx_inita(&ctx, 2);
	as_cdt_ctx_add_map_key_create(&ctx, S("k"), AS_MAP_KEY_ORDERED);
	as_cdt_ctx_add_list_index_create(&ctx, 0, AS_LIST_UNORDERED, true);
	as_map_policy policy;
	as_map_policy_init(&policy);
	ROW("context that is created", NULL, as_operations_map_put(&ops, BIN, &ctx, &policy, I(1), I(2)), "1", "{\"k\":[{1:2}]}");
	as_cdt_ctx_destroy(&ctx);
}

static void bits(void) {
	uint8_t ff[] = {0xff};
#define BLOB ((as_val*)as_bytes_new_wrap((uint8_t*)memcpy(malloc(3), "\x01\x42\x03", 3), 3, true))
	ROW("bit resize", BLOB, as_operations_bit_resize(B, NULL, 4, AS_BIT_RESIZE_DEFAULT), "NIL", "01 42 03 00");
	ROW("bit insert, remove", BLOB, as_operations_bit_insert(B, NULL, 1, 1, ff); as_operations_bit_remove(B, NULL, 0, 1), "NIL; NIL", "FF 42 03");
	ROW("bit set, or, xor, and, not", BLOB, as_operations_bit_set(B, NULL, 0, 4, 1, ff); as_operations_bit_or(B, NULL, 4, 2, 1, ff); as_operations_bit_xor(B, NULL, 8, 8, 1, ff); as_operations_bit_and(B, NULL, 16, 1, 1, ff);
		as_operations_bit_not(B, NULL, 16, 2), "NIL; NIL; NIL; NIL; NIL", "FD BD C3");
	ROW("bit shifts", BLOB, as_operations_bit_lshift(B, NULL, 0, 8, 3); as_operations_bit_rshift(B, NULL, 8, 8, 1), "NIL; NIL", "08 21 03");
	ROW("bit arithmetic", BLOB, as_operations_bit_add(B, NULL, 0, 8, 255, false, AS_BIT_OVERFLOW_SATURATE); as_operations_bit_subtract(B, NULL, 8, 8, 2, false, AS_BIT_OVERFLOW_FAIL); as_operations_bit_set_int(B, NULL, 16, 8, 9), "NIL; NIL; NIL", "FF 40 09");
	ROW("bit overflow", BLOB, as_operations_bit_add(B, NULL, 0, 8, 255, false, AS_BIT_OVERFLOW_FAIL), "code 26", NULL);
	ROW("bit reads", BLOB, as_operations_bit_get(B, 8, 8); as_operations_bit_count(B, 0, 24); as_operations_bit_lscan(B, 0, 24, true); as_operations_bit_rscan(B, 0, 24, true); as_operations_bit_get_int(B, 8, 16, true), "42; 5; 7; 23; 16899", NULL);
	ROW("bit of a missing bin", NULL, as_operations_bit_count(B, 0, 8), "NIL", NULL);
	ROW("sketch", NULL, as_operations_hll_init(B, NULL, 8); as_operations_hll_update(B, NULL, L(INTS(1, 2, 3))); as_operations_hll_get_count(B); as_operations_hll_describe(B); as_operations_hll_fold(B, 6); as_operations_hll_refresh_count(B),
		"NIL; 3; 3; [8, 0]; NIL; 3", ANY);
}

static void expressions(void) {
	as_exp_build(sum, as_exp_add(as_exp_bin_int(BIN), as_exp_int(1)));
	as_exp_build(missing, as_exp_bin_int("none"));
	ROW("expression read", I(5), as_operations_exp_read(&ops, BIN, sum, AS_EXP_READ_DEFAULT), "6", NULL);
	ROW("expression write", I(5), as_operations_exp_write(&ops, BIN, sum, AS_EXP_WRITE_DEFAULT), "NIL", "6");
	ROW("expression write, create only", I(5), as_operations_exp_write(&ops, BIN, sum, AS_EXP_WRITE_CREATE_ONLY), "code 6", NULL);
	ROW("expression unknown", I(5), as_operations_exp_read(&ops, BIN, missing, AS_EXP_READ_DEFAULT), "code 26", NULL);
	ROW("expression unknown, no fail", I(5), as_operations_exp_read(&ops, BIN, missing, AS_EXP_READ_EVAL_NO_FAIL), "NIL", NULL);
	as_exp_destroy(sum);
	as_exp_destroy(missing);
}

void operations(void) {
	lists();
	maps();
	contexts();
	bits();
	expressions();
}
