/* What JavaScript sees of the rings. src/base/native-module.ts has the same interface as types. */
#include "uring-addon.h"
#include "uring.h"
#include <cerrno>
#include <new>

namespace caltrop {

namespace {

/** A ring and the tables that it shares with JavaScript. Lives until its thread's JavaScript ends. */
struct RingHost {
	Uring ring;
	const RingRequest *requests = nullptr;
	uint32_t requestsMax = 0;
	RingResult *results = nullptr;
	uint32_t resultsMax = 0;
};

RingHost *hostOf(const Arguments &arguments) { return static_cast<RingHost *>(arguments.data); }

void onEnvironmentEnd(void *host) { delete static_cast<RingHost *>(host); }

/** addFile(descriptor) */
napi_value addFile(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	hostOf(arguments)->ring.addFile(static_cast<int>(arguments.number(0)));
	return nullptr;
}

/** removeFile(descriptor) */
napi_value removeFile(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	hostOf(arguments)->ring.removeFile(static_cast<int>(arguments.number(0)));
	return nullptr;
}

/** submit(count): the first rows of the table of requests. */
napi_value submit(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	RingHost *host = hostOf(arguments);
	const uint32_t count = arguments.number(0);
	if (count <= host->requestsMax) host->ring.submit(host->requests, count);
	return nullptr;
}

/** reap(max): rows written to the table of results. */
napi_value reap(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	RingHost *host = hostOf(arguments);
	const uint32_t max = arguments.number(0);
	const uint32_t most = max < host->resultsMax ? max : host->resultsMax;
	return numberValue(env, static_cast<int>(host->ring.reap(host->results, most)));
}

/** hasResult(): 1 or 0 */
napi_value hasResult(napi_env env, napi_callback_info info) {
	return numberValue(env, hostOf(Arguments(env, info))->ring.hasResult() ? 1 : 0);
}

/** sleep(timeoutMs, isWakeable) */
napi_value sleep(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	hostOf(arguments)->ring.sleep(arguments.number(0), arguments.number(1) != 0);
	return nullptr;
}

/** isRegistering(): 1 or 0 */
napi_value isRegistering(napi_env env, napi_callback_info info) {
	return numberValue(env, hostOf(Arguments(env, info))->ring.isRegistering() ? 1 : 0);
}

/** openRing(memory, requests, results): an object, or a negative errno. */
napi_value openRing(napi_env env, napi_callback_info info) {
	const Arguments arguments(env, info);
	const Memory memory = arguments.memory(0);
	const Memory requests = arguments.memory(1);
	const Memory results = arguments.memory(2);
	if (requests.size < sizeof(RingRequest) || results.size < sizeof(RingResult)) return numberValue(env, -EINVAL);
	RingHost *host = new (std::nothrow) RingHost;
	if (host == nullptr) return numberValue(env, -ENOMEM);
	host->requests = reinterpret_cast<const RingRequest *>(requests.bytes);
	host->requestsMax = static_cast<uint32_t>(requests.size / sizeof(RingRequest));
	host->results = reinterpret_cast<RingResult *>(results.bytes);
	host->resultsMax = static_cast<uint32_t>(results.size / sizeof(RingResult));
	int error = host->ring.open(memory.bytes, memory.size);
	for (size_t i = 0; error == 0 && i < 3; i++) {
		if (!arguments.hold(i)) error = ENOMEM;
	}
	if (error == 0 && napi_add_env_cleanup_hook(env, onEnvironmentEnd, host) != napi_ok) error = ENOMEM;
	if (error != 0) {
		delete host;
		return numberValue(env, -error);
	}
	napi_value ring;
	if (napi_create_object(env, &ring) != napi_ok) return nullptr;
	const bool isWhole = putFunction(env, ring, "addFile", addFile, host) &&
	                     putFunction(env, ring, "removeFile", removeFile, host) &&
	                     putFunction(env, ring, "submit", submit, host) && putFunction(env, ring, "reap", reap, host) &&
	                     putFunction(env, ring, "hasResult", hasResult, host) &&
	                     putFunction(env, ring, "sleep", sleep, host) &&
	                     putFunction(env, ring, "isRegistering", isRegistering, host) &&
	                     put(env, ring, "wakeDescriptor", numberValue(env, host->ring.wakeDescriptor())) &&
	                     put(env, ring, "depth", numberValue(env, static_cast<int>(Uring::DEPTH)));
	return isWhole ? ring : nullptr;
}

/** probeRing(count): 0, or the negative errno that keeps so many rings from being opened. */
napi_value probeRing(napi_env env, napi_callback_info info) {
	return numberValue(env, -probeUring(Arguments(env, info).number(0)));
}

} // namespace

void defineUring(napi_env env, napi_value exports) {
	(void)putFunction(env, exports, "openRing", openRing, nullptr);
	(void)putFunction(env, exports, "probeRing", probeRing, nullptr);
}

} // namespace caltrop
