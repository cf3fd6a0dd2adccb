/* The arguments of a call from JavaScript, as numbers and memory. A wrong one reads as 0, or as no memory. */
#pragma once
#include "memory.h"
#include <cstddef>
#include <cstdint>
#ifndef NAPI_VERSION
#define NAPI_VERSION 8
#endif
#include <node_api.h>

namespace caltrop {

constexpr size_t ARGUMENTS_MAX = 6;

struct Arguments {
	napi_env env;
	size_t count = ARGUMENTS_MAX;
	napi_value values[ARGUMENTS_MAX];
	void *data = nullptr;

	Arguments(napi_env e, napi_callback_info info) : env(e) {
		if (napi_get_cb_info(e, info, &count, values, nullptr, &data) != napi_ok) count = 0;
	}
	uint32_t number(size_t index) const {
		uint32_t value = 0;
		if (index < count) (void)napi_get_value_uint32(env, values[index], &value);
		return value;
	}
	/** A typed array's memory; of size 0 when it is none. */
	Memory memory(size_t index) const {
		Memory memory{nullptr, 0};
		napi_typedarray_type type;
		size_t length = 0;
		void *bytes = nullptr;
		if (index >= count ||
		    napi_get_typedarray_info(env, values[index], &type, &length, &bytes, nullptr, nullptr) != napi_ok) {
			return memory;
		}
		const size_t unit = type == napi_int32_array || type == napi_uint32_array ? 4 : type == napi_uint8_array ? 1 : 0;
		if (unit == 0 || bytes == nullptr) return memory;
		memory.bytes = static_cast<uint8_t *>(bytes);
		memory.size = length * unit;
		return memory;
	}
	/** Keeps an argument's memory alive as long as this thread. */
	bool hold(size_t index) const {
		napi_ref reference;
		return index < count && napi_create_reference(env, values[index], 1, &reference) == napi_ok;
	}
};

inline napi_value numberValue(napi_env env, int value) {
	napi_value result = nullptr;
	(void)napi_create_int32(env, value, &result);
	return result;
}

inline bool put(napi_env env, napi_value object, const char *name, napi_value value) {
	return napi_set_named_property(env, object, name, value) == napi_ok;
}

inline bool putFunction(napi_env env, napi_value object, const char *name, napi_callback function, void *data) {
	napi_value value;
	return napi_create_function(env, name, NAPI_AUTO_LENGTH, function, data, &value) == napi_ok &&
	       put(env, object, name, value);
}

} // namespace caltrop
