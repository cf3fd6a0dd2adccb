/* Operations by path, which version 7 of the client has. */
#include "harness.h"

#define ABC map_of(S("a"), I(3), S("b"), I(1), S("c"), I(2), NULL)

void paths(void) {
	as_cdt_ctx ctx;
	as_error error;
	as_exp_build(above, as_exp_cmp_gt(as_exp_loopvar_int(AS_EXP_LOOPVAR_VALUE), as_exp_int(1)));
	as_exp_build(twice, as_exp_mul(as_exp_loopvar_int(AS_EXP_LOOPVAR_VALUE), as_exp_int(2)));
	as_cdt_ctx_inita(&ctx, 1);
	as_cdt_ctx_add_all_children_with_filter(&ctx, above);
	ROW("path that selects", ABC, as_operations_select_by_path(&error, &ops, BIN, &ctx, AS_EXP_PATH_SELECT_MAP_KEY), "[\"a\", \"c\"]", NULL);
	ROW("path that selects a tree", ABC, as_operations_select_by_path(&error, &ops, BIN, &ctx, AS_EXP_PATH_SELECT_MATCHING_TREE), "{\"a\":3, \"c\":2}", NULL);
	ROW("path that modifies", ABC, as_operations_modify_by_path(&error, &ops, BIN, &ctx, twice, AS_EXP_PATH_MODIFY_DEFAULT), "", "{\"a\":6, \"b\":1, \"c\":4}");
	ROW("path to texts", list_of(S("x"), I(5), NULL), as_operations_select_by_path(&error, &ops, BIN, &ctx, AS_EXP_PATH_SELECT_VALUE), "code 4", NULL);
	ROW("path to texts, no fail", list_of(S("x"), I(5), NULL), as_operations_select_by_path(&error, &ops, BIN, &ctx, AS_EXP_PATH_SELECT_VALUE | AS_EXP_PATH_SELECT_NO_FAIL), "[5]", NULL);
	as_cdt_ctx_destroy(&ctx);
	as_exp_destroy(above);
	as_exp_destroy(twice);
}
