/* The part of libuv that the addon uses. Node exports these symbols, but node-api-headers has no uv.h: they are
 * declared by hand, and isUvAsDeclared() checks at load what could differ. Stable since libuv 1.19 (2018). */
#pragma once
#include <cstddef>
#include <cstring>

extern "C" {
struct uv_loop_s;
struct uv_handle_s;
struct uv_poll_s;
typedef void (*uv_poll_cb)(uv_poll_s *poll, int status, int events);
typedef void (*uv_close_cb)(uv_handle_s *handle);

int uv_poll_init(uv_loop_s *loop, uv_poll_s *poll, int fd);
int uv_poll_start(uv_poll_s *poll, int events, uv_poll_cb callback);
int uv_poll_stop(uv_poll_s *poll);
void uv_close(uv_handle_s *handle, uv_close_cb callback);
void uv_ref(uv_handle_s *handle);
void uv_unref(uv_handle_s *handle);
size_t uv_handle_size(int type);
const char *uv_handle_type_name(int type);
void *uv_handle_get_data(const uv_handle_s *handle);
void uv_handle_set_data(uv_handle_s *handle, void *data);
}

namespace caltrop {

constexpr int UV_POLL = 8; // of uv_handle_type
constexpr int UV_READABLE = 1;

inline bool isUvAsDeclared() {
	const char *name = uv_handle_type_name(UV_POLL);
	return name != nullptr && strcmp(name, "poll") == 0;
}

} // namespace caltrop
