/* Bytes that a socket has not taken yet. Memory is held only while there are any. */
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace caltrop {

class ByteQueue {
public:
	size_t size() const { return end_ - at_; }
	const uint8_t *data() const { return bytes_ + at_; }

	/** @return false when there is no memory: then nothing was added. */
	bool append(const uint8_t *from, size_t size) {
		if (size > capacity_ - end_ && !makeRoom(size)) return false;
		memcpy(bytes_ + end_, from, size);
		end_ += size;
		return true;
	}

	/** Takes bytes off the front. */
	void drop(size_t size) {
		at_ += size;
		if (at_ == end_) clear();
	}

	void clear() {
		free(bytes_);
		bytes_ = nullptr;
		at_ = end_ = capacity_ = 0;
	}

private:
	bool makeRoom(size_t size) {
		const size_t held = this->size();
		if (size + held <= capacity_ && at_ >= capacity_ / 2) { // each byte is moved once for a byte that was sent
			memmove(bytes_, bytes_ + at_, held);
			at_ = 0;
			end_ = held;
			return true;
		}
		const size_t capacity = (held + size) * 2 > 4096 ? (held + size) * 2 : 4096;
		uint8_t *bytes = static_cast<uint8_t *>(malloc(capacity));
		if (bytes == nullptr) return false;
		if (held > 0) memcpy(bytes, bytes_ + at_, held);
		free(bytes_);
		bytes_ = bytes;
		capacity_ = capacity;
		at_ = 0;
		end_ = held;
		return true;
	}

	uint8_t *bytes_;
	size_t at_;
	size_t end_;
	size_t capacity_;
};

} // namespace caltrop
