/* What JavaScript sees of the addon. src/base/native-module.ts has the same interface as types.
 * Every function takes numbers and byte arrays; a wrong argument makes it do nothing. */
#include "arguments.h"
#include "futex.h"
#include "record-seal.h"
#include "socket-loop.h"
#include "uring-addon.h"
#include "uv.h"
#include <cerrno>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

namespace caltrop {

namespace {

constexpr int INTERFACE_VERSION = 7; // src/base/native-module.ts asks for it

/** A SocketLoop and the event loop that watches it. Lives until its thread's JavaScript ends. */
struct Host {
	SocketLoop loop;
	napi_env env = nullptr;
	uv_poll_s *poll = nullptr;
	napi_ref onTurn = nullptr;
	napi_async_context asyncContext = nullptr;
	napi_async_cleanup_hook_handle cleanup = nullptr;
};

Host *hostOf(const Arguments &arguments) { return static_cast<Host *>(arguments.data); }

// ---- the way into JavaScript

/** Calls onTurn(count, mayLinger). An exception there is the process's business, as in any other callback. */
uint32_t deliver(void *context, uint32_t count, bool mayLinger) {
	Host *host = static_cast<Host *>(context);
	napi_env env = host->env;
	napi_handle_scope scope;
	if (napi_open_handle_scope(env, &scope) != napi_ok) return 0;
	uint32_t lingerUs = 0;
	napi_value onTurn, receiver, arguments[2], result;
	if (napi_get_reference_value(env, host->onTurn, &onTurn) == napi_ok && napi_get_global(env, &receiver) == napi_ok &&
	    napi_create_uint32(env, count, &arguments[0]) == napi_ok &&
	    napi_get_boolean(env, mayLinger, &arguments[1]) == napi_ok) {
		if (napi_make_callback(env, host->asyncContext, receiver, onTurn, 2, arguments, &result) == napi_ok) {
			(void)napi_get_value_uint32(env, result, &lingerUs);
		}
		bool isPending = false;
		napi_value error;
		if (napi_is_exception_pending(env, &isPending) == napi_ok && isPending &&
		    napi_get_and_clear_last_exception(env, &error) == napi_ok) {
			(void)napi_fatal_exception(env, error);
		}
	}
	(void)napi_close_handle_scope(env, scope);
	return mayLinger ? lingerUs : 0;
}

void keepAlive(void *context, bool isNeeded) {
	uv_handle_s *handle = reinterpret_cast<uv_handle_s *>(static_cast<Host *>(context)->poll);
	if (handle == nullptr) return;
	if (isNeeded) uv_ref(handle);
	else uv_unref(handle);
}

void onReadable(uv_poll_s *poll, int, int) {
	static_cast<Host *>(uv_handle_get_data(reinterpret_cast<uv_handle_s *>(poll)))->loop.turn();
}

void onClosed(uv_handle_s *handle) {
	Host *host = static_cast<Host *>(uv_handle_get_data(handle));
	(void)napi_remove_async_cleanup_hook(host->cleanup);
	free(handle);
	delete host;
}

void onEnvironmentEnd(napi_async_cleanup_hook_handle, void *context) {
	Host *host = static_cast<Host *>(context);
	uv_poll_stop(host->poll);
	uv_close(reinterpret_cast<uv_handle_s *>(host->poll), onClosed);
}

// ---- functions of an open loop

napi_value listen(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	char ip[64];
	size_t size = 0;
	if (arguments.count < 3 || napi_get_value_string_latin1(env, arguments.values[0], ip, sizeof ip, &size) != napi_ok) {
		return numberValue(env, -EINVAL);
	}
	const uint16_t port = static_cast<uint16_t>(arguments.number(1));
	return numberValue(env, hostOf(arguments)->loop.listen(ip, port, static_cast<int>(arguments.number(2))));
}

napi_value stopListening(napi_env env, napi_callback_info info) {
	hostOf(Arguments(env, info))->loop.stopListening();
	return nullptr;
}

napi_value share(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	const Memory memory = arguments.memory(0);
	if (memory.size == 0 || !arguments.hold(0)) return numberValue(env, -1);
	return numberValue(env, hostOf(arguments)->loop.share(memory));
}

napi_value watch(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	if (hostOf(arguments)->loop.watch(arguments.memory(0), arguments.number(1), arguments.number(2))) {
		(void)arguments.hold(0);
	}
	return nullptr;
}

napi_value flush(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	hostOf(arguments)->loop.flush(arguments.number(0));
	return nullptr;
}

napi_value write(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	const Memory memory = arguments.memory(2);
	const size_t at = arguments.number(3);
	const size_t size = arguments.number(4);
	if (at > memory.size || size > memory.size - at) return nullptr;
	hostOf(arguments)->loop.write(arguments.number(0), arguments.number(1), memory.bytes + at, size);
	return nullptr;
}

template <void (SocketLoop::*METHOD)(uint32_t, uint32_t)> napi_value onConnection(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	(hostOf(arguments)->loop.*METHOD)(arguments.number(0), arguments.number(1));
	return nullptr;
}

// ---- the module

/** Starts to watch. @return 0 or an errno. */
int watch(Host *host, napi_value onTurn) {
	napi_env env = host->env;
	uv_loop_s *uvLoop = nullptr;
	napi_value name;
	if (napi_get_uv_event_loop(env, &uvLoop) != napi_ok || napi_create_reference(env, onTurn, 1, &host->onTurn) != napi_ok ||
	    napi_create_string_latin1(env, "CaltropSockets", NAPI_AUTO_LENGTH, &name) != napi_ok ||
	    napi_async_init(env, nullptr, name, &host->asyncContext) != napi_ok) {
		return EIO;
	}
	uv_poll_s *poll = static_cast<uv_poll_s *>(calloc(1, uv_handle_size(UV_POLL)));
	if (poll == nullptr) return ENOMEM;
	const int error = uv_poll_init(uvLoop, poll, host->loop.descriptor());
	if (error != 0) {
		free(poll);
		return -error;
	}
	uv_handle_set_data(reinterpret_cast<uv_handle_s *>(poll), host);
	host->poll = poll;
	uv_poll_start(poll, UV_READABLE, onReadable);
	(void)napi_add_async_cleanup_hook(env, onEnvironmentEnd, host, &host->cleanup);
	return 0;
}

/** openSockets(input, events, outputs, queued, onTurn): an object, or a negative errno. */
napi_value openSockets(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	napi_valuetype type = napi_undefined;
	if (arguments.count < 5 || napi_typeof(env, arguments.values[4], &type) != napi_ok || type != napi_function) {
		return numberValue(env, -EINVAL);
	}
	Host *host = new (std::nothrow) Host;
	if (host == nullptr) return numberValue(env, -ENOMEM);
	host->env = env;
	int error = host->loop.open(arguments.memory(0), arguments.memory(1), arguments.memory(2), arguments.memory(3));
	for (size_t i = 0; error == 0 && i < 4; i++) {
		if (!arguments.hold(i)) error = ENOMEM;
	}
	host->loop.setHost(deliver, keepAlive, host);
	if (error == 0) error = watch(host, arguments.values[4]);
	if (error != 0) {
		delete host;
		return numberValue(env, -error);
	}
	napi_value sockets;
	if (napi_create_object(env, &sockets) != napi_ok) return nullptr;
	const bool isWhole = putFunction(env, sockets, "listen", listen, host) &&
	                     putFunction(env, sockets, "stopListening", stopListening, host) &&
	                     putFunction(env, sockets, "share", share, host) &&
	                     putFunction(env, sockets, "watch", watch, host) &&
	                     putFunction(env, sockets, "flush", flush, host) &&
	                     putFunction(env, sockets, "write", write, host) &&
	                     putFunction(env, sockets, "pause", onConnection<&SocketLoop::pause>, host) &&
	                     putFunction(env, sockets, "resume", onConnection<&SocketLoop::resume>, host) &&
	                     putFunction(env, sockets, "close", onConnection<&SocketLoop::close>, host) &&
	                     putFunction(env, sockets, "end", onConnection<&SocketLoop::end>, host) &&
	                     put(env, sockets, "wakeDescriptor", numberValue(env, host->loop.wakeDescriptor()));
	return isWhole ? sockets : nullptr;
}

/** signal(descriptor): adds 1 to an eventfd. */
napi_value signal(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	const uint64_t one = 1;
	(void)!::write(static_cast<int>(arguments.number(0)), &one, sizeof one);
	return nullptr;
}

/** sealRecords(bytes, at, end) */
napi_value sealRecords(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	const Memory memory = arguments.memory(0);
	const size_t at = arguments.number(1);
	const size_t end = arguments.number(2);
	if (at <= end && end <= memory.size) caltrop::sealRecords(memory.bytes + at, memory.bytes + end);
	return nullptr;
}

/** The word that two arguments name: an Int32Array and an index. */
const uint32_t *wordOf(const Arguments &arguments) {
	const Memory memory = arguments.memory(0);
	const size_t index = arguments.number(1);
	return index < memory.size / 4 ? reinterpret_cast<const uint32_t *>(memory.bytes) + index : nullptr;
}

/** sleep(words, index, value, timeoutMs) */
napi_value sleep(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	const uint32_t *word = wordOf(arguments);
	if (word != nullptr) futexWait(word, arguments.number(2), arguments.number(3));
	return nullptr;
}

napi_value yieldProcessor(napi_env, napi_callback_info) {
	sched_yield();
	return nullptr;
}

/** wake(words, index) */
napi_value wake(napi_env env, napi_callback_info info) {
	const uint32_t *word = wordOf(Arguments(env, info));
	if (word != nullptr) futexWake(word);
	return nullptr;
}

/** preferHugePages(bytes): asks the kernel for large pages where the memory is long enough to hold any. */
napi_value preferHugePages(napi_env env, napi_callback_info info) {
	const Memory memory = Arguments(env, info).memory(0);
	const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
	const uintptr_t from = (reinterpret_cast<uintptr_t>(memory.bytes) + page - 1) & ~(page - 1);
	const uintptr_t to = (reinterpret_cast<uintptr_t>(memory.bytes) + memory.size) & ~(page - 1);
	if (from < to) (void)madvise(reinterpret_cast<void *>(from), to - from, MADV_HUGEPAGE);
	return nullptr;
}

/**
 * keepMallocTight(trimSize, mapSize): threads that have not asked for memory yet share the heaps there are; malloc gives
 * free memory at the end of a heap back to the kernel when there are more than trimSize bytes of it, and maps what is
 * larger than mapSize by itself. Otherwise each thread gets a heap, and malloc raises both sizes by what it sees freed.
 */
napi_value keepMallocTight(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
#ifdef __GLIBC__
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_TRIM_THRESHOLD, static_cast<int>(arguments.number(0)));
	(void)mallopt(M_MMAP_THRESHOLD, static_cast<int>(arguments.number(1)));
#endif
	return nullptr;
}

/** trimMalloc(): gives the kernel back every page of malloc's heaps that is free. */
napi_value trimMalloc(napi_env, napi_callback_info) {
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
	return nullptr;
}

napi_value initialise(napi_env env, napi_value exports) {
	if (!isUvAsDeclared()) {
		(void)napi_throw_error(env, nullptr, "libuv's handle types are not as the addon expects");
		return nullptr;
	}
	(void)put(env, exports, "version", numberValue(env, INTERFACE_VERSION));
	(void)putFunction(env, exports, "openSockets", openSockets, nullptr);
	defineUring(env, exports);
	(void)putFunction(env, exports, "sealRecords", sealRecords, nullptr);
	(void)putFunction(env, exports, "signal", signal, nullptr);
	(void)putFunction(env, exports, "sleep", sleep, nullptr);
	(void)putFunction(env, exports, "yieldProcessor", yieldProcessor, nullptr);
	(void)putFunction(env, exports, "wake", wake, nullptr);
	(void)putFunction(env, exports, "preferHugePages", preferHugePages, nullptr);
	(void)putFunction(env, exports, "keepMallocTight", keepMallocTight, nullptr);
	(void)putFunction(env, exports, "trimMalloc", trimMalloc, nullptr);
	return exports;
}

} // namespace

} // namespace caltrop

NAPI_MODULE_INIT() { return caltrop::initialise(env, exports); }
