/* One io_uring of one thread, by raw system calls: it queues, submits and reaps, no more.
 *
 * Requests come as a table of words and go as a table of pairs; a request has a slot until it has ended, since
 * the kernel may do it in parts. Its memory is registered with the kernel a piece at a time, when a piece is first
 * used: registered memory is pinned, and a region that nobody has touched should cost nothing.
 *
 * The thread can sleep until a request ends or another thread writes to the eventfd, whichever is first: a read
 * of the eventfd is then in flight like any other. Nothing here throws.
 */
#pragma once
#include <cstddef>
#include <cstdint>
#include <linux/io_uring.h>

namespace caltrop {

enum RingOp : uint32_t { RING_READ = 0, RING_WRITE = 1, RING_FLUSH = 2 };

/** A row of the table of requests. */
struct RingRequest {
	uint32_t op;
	uint32_t token;
	uint32_t file;   // descriptor
	uint32_t length; // bytes
	uint32_t offsetLow;
	uint32_t offsetHigh;
	uint32_t bufferAt; // bytes from the start of the memory
	uint32_t unused;
};

/** A row of the table of results. */
struct RingResult {
	uint32_t token;
	int32_t result; // bytes done or -errno
};

class Uring {
public:
	/** Requests that may be in flight; the rings hold them all, so that neither ever overflows. */
	static constexpr uint32_t DEPTH = 2048;

	~Uring();
	/** @param memory What buffers lie in; it outlives the ring. @return 0 or an errno. */
	int open(uint8_t *memory, size_t size);
	/** Any thread may add to this eventfd: then sleep() ends. */
	int wakeDescriptor() const { return wake_; }
	/** Makes requests on the descriptor cheaper; they work without. */
	void addFile(int file);
	void removeFile(int file);
	/** Requests that could be added. */
	uint32_t room() const { return freeCount_; }
	/** Takes in `count` requests, no more than room(), and hands them to the kernel. Never blocks. */
	void submit(const RingRequest *requests, uint32_t count);
	/** @return Rows written to `results`: requests that have ended. Never blocks. */
	uint32_t reap(RingResult *results, uint32_t max);
	/** Whether reap() has something to give. */
	bool hasResult();
	/** Blocks until hasResult(), the eventfd is written to (if `isWakeable`), or `timeoutMs`. */
	void sleep(uint32_t timeoutMs, bool isWakeable);
	/** Whether memory is registered as it is used; false where the kernel cannot, or did not the last time. */
	bool isRegistering() const { return isRegistering_ && refusedFor_ == 0; }

private:
	static constexpr uint32_t PIECE_SHIFT = 21;           // pieces of registered memory have 2 MiB
	static constexpr uint32_t PIECES_MAX = 4096 >> 1;     // of 4 GiB
	static constexpr uint32_t FILES_MAX = 1024;           // descriptors below this can be registered
	static constexpr uint32_t ENTRIES = 4096;             // of the rings, a power of two, above DEPTH and the wake-up
	static constexpr uint64_t WAKE = UINT64_MAX;          // user data of the read of the eventfd
	static constexpr uint8_t ATTEMPTS_MAX = 64;
	/** Requests that go unregistered after the kernel has refused a piece, before it is asked again. */
	static constexpr uint32_t REFUSED_FOR = 8192;

	struct Slot {
		RingRequest request;
		uint32_t done;    // bytes
		uint8_t attempts; // that failed for a passing reason
	};

	int map();
	void registerRing();
	void registerTables(size_t size);
	bool isRegistered(uint32_t at, uint32_t length);
	io_uring_sqe *nextEntry(uint64_t userData);
	void push(uint32_t slot);
	void enter(uint32_t least, uint32_t flags, const io_uring_getevents_arg *argument);
	void flushTasks();
	void dropWakes();
	bool takeOne(RingResult *result);
	bool isAgain(Slot &slot, uint32_t number, int32_t result);

	int ring_ = -1;
	int entered_ = -1; // what io_uring_enter is given: ring_, or its registered number
	uint32_t enterFlags_ = 0;
	int wake_ = -1;
	bool isWakeArmed_ = false;
	bool isRegistering_ = false;
	uint32_t refusedFor_ = 0;
	bool hasFileTable_ = false;
	uint64_t wakeCount_ = 0;

	uint8_t *memory_ = nullptr;
	size_t size_ = 0;
	uint8_t *rings_ = nullptr;
	size_t ringsSize_ = 0;
	io_uring_sqe *entries_ = nullptr;
	size_t entriesSize_ = 0;
	uint32_t *sqHead_ = nullptr;
	uint32_t *sqTail_ = nullptr;
	uint32_t *sqFlags_ = nullptr;
	uint32_t sqMask_ = 0;
	uint32_t *cqHead_ = nullptr;
	uint32_t *cqTail_ = nullptr;
	uint32_t cqMask_ = 0;
	const io_uring_cqe *completions_ = nullptr;
	uint32_t tail_ = 0; // of the submission ring, as filled in
	uint32_t unsubmitted_ = 0;

	Slot slots_[DEPTH];
	uint32_t free_[DEPTH];
	uint32_t freeCount_ = 0;
	uint8_t pieces_[PIECES_MAX]; // 1: registered
	uint8_t files_[FILES_MAX];   // 1: registered under its own number
};

/** Opens so many rings at once and closes them. @return 0, or the errno that stands in the way. */
int probeUring(uint32_t count);

} // namespace caltrop
