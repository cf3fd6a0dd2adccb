/* Programs with the official C client, one file a theme. Usage: smoke HOST PORT (see ../README.md). */
#include "harness.h"

#include <aerospike/as_event.h>

int main(int argc, char* argv[]) {
#ifdef AS_USE_LIBEV
	as_event_create_loops(2);
#endif
	connect_client(argc, argv);
	operations();
#ifdef HAS_PATHS
	paths();
#endif
	values();
	batches();
#ifdef AS_USE_LIBEV
	event_loops();
#endif
	int status = finish();
	as_error error;
	aerospike_close(&as, &error);
	aerospike_destroy(&as);
#ifdef AS_USE_LIBEV
	as_event_close_loops();
#endif
	return status;
}
