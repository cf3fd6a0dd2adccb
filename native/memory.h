#pragma once
#include <cstddef>
#include <cstdint>

namespace caltrop {

/** Memory of JavaScript; it stays where it is as long as whoever uses it lives. */
struct Memory {
	uint8_t *bytes;
	size_t size;
};

} // namespace caltrop
