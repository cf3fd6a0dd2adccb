/* Sleeping on a word of memory that threads of this process share, by the kernel's futexes. */
#pragma once
#include <climits>
#include <cstdint>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace caltrop {

/** Blocks until woken or `timeoutMs`, unless the word is no longer `value`. May end early. */
inline void futexWait(const uint32_t *word, uint32_t value, uint32_t timeoutMs) {
	timespec timeout;
	timeout.tv_sec = timeoutMs / 1000;
	timeout.tv_nsec = static_cast<long>(timeoutMs % 1000) * 1000000;
	(void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &timeout, nullptr, 0);
}

inline void futexWake(const uint32_t *word) {
	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

} // namespace caltrop
