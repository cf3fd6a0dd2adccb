#include "uring.h"
#include <cerrno>
#include <cstring>
#include <ctime>
#include <linux/time_types.h>
#include <new>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace caltrop {

namespace {

constexpr uint32_t SECTOR_SIZE = 512; // bytes; a device does no less

uint32_t load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
void store(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

int registerWith(int ring, unsigned opcode, void *argument, unsigned count) {
	return static_cast<int>(syscall(SYS_io_uring_register, ring, opcode, argument, count));
}

/** The best ring that the kernel gives: results are gathered by the thread itself where it can (since 6.1). */
int setUp(io_uring_params *params, uint32_t entries) {
	constexpr uint32_t WISHES[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		0,
	};
	for (const uint32_t wish : WISHES) {
		*params = {};
		params->flags = wish | IORING_SETUP_SUBMIT_ALL;
		if (wish == 0) params->flags = 0;
		const int ring = static_cast<int>(syscall(SYS_io_uring_setup, entries, params));
		if (ring >= 0 || errno != EINVAL) return ring;
	}
	return -1;
}

} // namespace

int Uring::open(uint8_t *memory, size_t size) {
	if (memory == nullptr || size == 0 || size > UINT32_MAX) return EINVAL;
	memory_ = memory;
	size_ = size;
	for (uint32_t i = 0; i < DEPTH; i++) free_[i] = DEPTH - 1 - i;
	freeCount_ = DEPTH;
	const int error = map();
	if (error != 0) return error;
	wake_ = eventfd(0, EFD_CLOEXEC);
	if (wake_ < 0) return errno;
	memset(pieces_, 0, sizeof pieces_);
	memset(files_, 0, sizeof files_);
	registerRing();
	registerTables(size);
	return 0;
}

int Uring::map() {
	io_uring_params params;
	ring_ = entered_ = setUp(&params, ENTRIES);
	if (ring_ < 0) return errno;
	constexpr uint32_t NEEDED = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG; // all since 5.11
	if ((params.features & NEEDED) != NEEDED) return ENOSYS;
	const size_t sq = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
	const size_t cq = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
	ringsSize_ = sq > cq ? sq : cq;
	constexpr int PROTECTION = PROT_READ | PROT_WRITE;
	void *rings = mmap(nullptr, ringsSize_, PROTECTION, MAP_SHARED | MAP_POPULATE, ring_, IORING_OFF_SQ_RING);
	if (rings == MAP_FAILED) return errno;
	rings_ = static_cast<uint8_t *>(rings);
	entriesSize_ = params.sq_entries * sizeof(io_uring_sqe);
	void *entries = mmap(nullptr, entriesSize_, PROTECTION, MAP_SHARED | MAP_POPULATE, ring_, IORING_OFF_SQES);
	if (entries == MAP_FAILED) return errno;
	entries_ = static_cast<io_uring_sqe *>(entries);
	const auto word = [this](uint32_t offset) { return reinterpret_cast<uint32_t *>(rings_ + offset); };
	sqHead_ = word(params.sq_off.head);
	sqTail_ = word(params.sq_off.tail);
	sqFlags_ = word(params.sq_off.flags);
	sqMask_ = *word(params.sq_off.ring_mask);
	cqHead_ = word(params.cq_off.head);
	cqTail_ = word(params.cq_off.tail);
	cqMask_ = *word(params.cq_off.ring_mask);
	completions_ = reinterpret_cast<const io_uring_cqe *>(rings_ + params.cq_off.cqes);
	tail_ = *sqTail_;
	for (uint32_t i = 0; i < params.sq_entries; i++) word(params.sq_off.array)[i] = i; // entry i stands in place i, always
	return 0;
}

/** Entering need not look the descriptor up then (since 5.18). */
void Uring::registerRing() {
	io_uring_rsrc_update update{};
	update.offset = UINT32_MAX;
	update.data = static_cast<uint64_t>(ring_);
	if (registerWith(ring_, IORING_REGISTER_RING_FDS, &update, 1) != 1) return;
	entered_ = static_cast<int>(update.offset);
	enterFlags_ = IORING_ENTER_REGISTERED_RING;
}

/** Empty tables of files and of pieces of memory (since 5.19). */
void Uring::registerTables(size_t size) {
	io_uring_rsrc_register table{};
	table.flags = IORING_RSRC_REGISTER_SPARSE;
	table.nr = FILES_MAX;
	hasFileTable_ = registerWith(ring_, IORING_REGISTER_FILES2, &table, sizeof table) == 0;
	table.nr = static_cast<uint32_t>((size + (1u << PIECE_SHIFT) - 1) >> PIECE_SHIFT);
	isRegistering_ = registerWith(ring_, IORING_REGISTER_BUFFERS2, &table, sizeof table) == 0;
}

Uring::~Uring() {
	// Closing a ring does not wait for what is in flight, and that writes to memory which may be gone by then.
	if (entries_ != nullptr) {
		RingResult result;
		while (freeCount_ < DEPTH) {
			sleep(100, false);
			while (reap(&result, 1) > 0) {
			}
		}
		munmap(entries_, entriesSize_);
	}
	if (rings_ != nullptr) munmap(rings_, ringsSize_);
	if (enterFlags_ != 0) {
		io_uring_rsrc_update update{};
		update.offset = static_cast<uint32_t>(entered_);
		(void)registerWith(ring_, IORING_UNREGISTER_RING_FDS, &update, 1);
	}
	if (ring_ >= 0) (void)close(ring_);
	if (wake_ >= 0) (void)close(wake_);
}

void Uring::addFile(int file) {
	if (!hasFileTable_ || file < 0 || static_cast<uint32_t>(file) >= FILES_MAX) return;
	int32_t descriptor = file;
	io_uring_files_update update{};
	update.offset = static_cast<uint32_t>(file);
	update.fds = reinterpret_cast<uint64_t>(&descriptor);
	files_[file] = registerWith(ring_, IORING_REGISTER_FILES_UPDATE, &update, 1) == 1;
}

void Uring::removeFile(int file) {
	if (file < 0 || static_cast<uint32_t>(file) >= FILES_MAX || files_[file] == 0) return;
	int32_t descriptor = -1;
	io_uring_files_update update{};
	update.offset = static_cast<uint32_t>(file);
	update.fds = reinterpret_cast<uint64_t>(&descriptor);
	(void)registerWith(ring_, IORING_REGISTER_FILES_UPDATE, &update, 1);
	files_[file] = 0;
}

void Uring::submit(const RingRequest *requests, uint32_t count) {
	for (uint32_t i = 0; i < count && freeCount_ > 0; i++) {
		const uint32_t number = free_[--freeCount_];
		Slot &slot = slots_[number];
		slot.request = requests[i];
		slot.done = 0;
		slot.attempts = 0;
		push(number);
	}
	if (unsubmitted_ > 0) enter(0, IORING_ENTER_GETEVENTS, nullptr);
}

/** Queues what is left of a request. A range outside the memory is taken as one of no bytes at a bad address. */
void Uring::push(uint32_t number) {
	const Slot &slot = slots_[number];
	const RingRequest &request = slot.request;
	io_uring_sqe *entry = nextEntry(number);
	entry->fd = static_cast<int32_t>(request.file);
	if (request.file < FILES_MAX && files_[request.file] != 0) entry->flags = IOSQE_FIXED_FILE;
	if (request.op == RING_FLUSH) {
		entry->opcode = IORING_OP_FSYNC;
		entry->fsync_flags = IORING_FSYNC_DATASYNC;
		return;
	}
	const bool isInside = request.bufferAt <= size_ && request.length <= size_ - request.bufferAt;
	const bool isFixed = isInside && isRegistered(request.bufferAt, request.length);
	if (request.op == RING_READ) entry->opcode = isFixed ? IORING_OP_READ_FIXED : IORING_OP_READ;
	else entry->opcode = isFixed ? IORING_OP_WRITE_FIXED : IORING_OP_WRITE;
	if (isFixed) entry->buf_index = static_cast<uint16_t>(request.bufferAt >> PIECE_SHIFT);
	entry->off = (static_cast<uint64_t>(request.offsetHigh) << 32 | request.offsetLow) + slot.done;
	entry->addr = isInside ? reinterpret_cast<uint64_t>(memory_ + request.bufferAt + slot.done) : 0;
	entry->len = request.length - slot.done;
}

/** Whether a buffer lies in a registered piece; registers a piece that is used for the first time. */
bool Uring::isRegistered(uint32_t at, uint32_t length) {
	if (!isRegistering_ || length == 0) return false;
	const uint32_t piece = at >> PIECE_SHIFT;
	if ((at + (length - 1)) >> PIECE_SHIFT != piece) return false;
	if (pieces_[piece] != 0) return true;
	if (refusedFor_ > 0) {
		refusedFor_--;
		return false;
	}
	const size_t from = static_cast<size_t>(piece) << PIECE_SHIFT;
	const size_t left = size_ - from;
	iovec range{memory_ + from, left < (1u << PIECE_SHIFT) ? left : (1u << PIECE_SHIFT)};
	io_uring_rsrc_update2 update{};
	update.offset = piece;
	update.data = reinterpret_cast<uint64_t>(&range);
	update.nr = 1;
	if (registerWith(ring_, IORING_REGISTER_BUFFERS_UPDATE, &update, sizeof update) == 1) pieces_[piece] = 1;
	else refusedFor_ = REFUSED_FOR; // no more may be pinned for now: a process that was killed lets go of its memory late
	return pieces_[piece] != 0;
}

io_uring_sqe *Uring::nextEntry(uint64_t userData) {
	// The ring has more entries than there are slots, but an entry is free only once the kernel has taken it.
	while (tail_ - load(sqHead_) > sqMask_) enter(0, IORING_ENTER_GETEVENTS, nullptr);
	io_uring_sqe *entry = &entries_[tail_ & sqMask_];
	memset(entry, 0, sizeof *entry);
	entry->user_data = userData;
	store(sqTail_, ++tail_);
	unsubmitted_++;
	return entry;
}

void Uring::enter(uint32_t least, uint32_t flags, const io_uring_getevents_arg *argument) {
	const size_t size = argument == nullptr ? 0 : sizeof *argument;
	if (argument != nullptr) flags |= IORING_ENTER_EXT_ARG;
	(void)syscall(SYS_io_uring_enter, entered_, unsubmitted_, least, flags | enterFlags_, argument, size);
	unsubmitted_ = tail_ - load(sqHead_); // what was not taken (no memory for now) is handed over the next time
}

/** Lets the kernel write down results that wait for this thread to ask. */
void Uring::flushTasks() {
	if (unsubmitted_ > 0 || (load(sqFlags_) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0) {
		enter(0, IORING_ENTER_GETEVENTS, nullptr);
	}
}

bool Uring::hasResult() {
	if (load(cqTail_) == *cqHead_) flushTasks();
	return load(cqTail_) != *cqHead_;
}

uint32_t Uring::reap(RingResult *results, uint32_t max) {
	if (!hasResult()) return 0;
	uint32_t count = 0;
	while (count < max && load(cqTail_) != *cqHead_) {
		if (takeOne(&results[count])) count++;
	}
	if (unsubmitted_ > 0) enter(0, IORING_ENTER_GETEVENTS, nullptr);
	return count;
}

/** Takes one entry off the ring of results. @return Whether a request has ended by it. */
bool Uring::takeOne(RingResult *result) {
	const io_uring_cqe &completion = completions_[*cqHead_ & cqMask_];
	const uint64_t userData = completion.user_data;
	const int32_t done = completion.res;
	store(cqHead_, *cqHead_ + 1);
	if (userData == WAKE) {
		isWakeArmed_ = false;
		return false;
	}
	const uint32_t number = static_cast<uint32_t>(userData);
	Slot &slot = slots_[number];
	if (isAgain(slot, number, done)) return false;
	result->token = slot.request.token;
	result->result = done < 0 ? done : static_cast<int32_t>(slot.done) + done;
	free_[freeCount_++] = number;
	return true;
}

/** Starts the rest of a request that was done in part or not for a passing reason. A part of a sector is a file's end. */
bool Uring::isAgain(Slot &slot, uint32_t number, int32_t result) {
	// Cancelled: the kernel had no thread to do it on.
	if (result == -EAGAIN || result == -EINTR || result == -ECANCELED) {
		if (slot.attempts++ >= ATTEMPTS_MAX) return false;
	} else {
		if (slot.request.op == RING_FLUSH || result <= 0) return false;
		const uint32_t left = slot.request.length - slot.done;
		if (static_cast<uint32_t>(result) >= left || result % SECTOR_SIZE != 0) return false;
		slot.done += static_cast<uint32_t>(result);
	}
	push(number);
	return true;
}

/** Takes off the front of the ring what is no result. */
void Uring::dropWakes() {
	while (load(cqTail_) != *cqHead_ && completions_[*cqHead_ & cqMask_].user_data == WAKE) {
		store(cqHead_, *cqHead_ + 1);
		isWakeArmed_ = false;
	}
}

void Uring::sleep(uint32_t timeoutMs, bool isWakeable) {
	dropWakes();
	if (hasResult()) return;
	if (isWakeable && !isWakeArmed_) {
		io_uring_sqe *entry = nextEntry(WAKE);
		entry->opcode = IORING_OP_READ;
		entry->fd = wake_;
		entry->addr = reinterpret_cast<uint64_t>(&wakeCount_);
		entry->len = sizeof wakeCount_;
		isWakeArmed_ = true;
	}
	__kernel_timespec timeout;
	timeout.tv_sec = timeoutMs / 1000;
	timeout.tv_nsec = static_cast<long long>(timeoutMs % 1000) * 1000000;
	io_uring_getevents_arg argument{};
	argument.ts = reinterpret_cast<uint64_t>(&timeout);
	enter(1, IORING_ENTER_GETEVENTS, &argument);
	dropWakes();
}

int probeUring(uint32_t count) {
	if (count == 0) return 0;
	uint8_t page[1];
	Uring *ring = new (std::nothrow) Uring;
	if (ring == nullptr) return ENOMEM;
	int error = ring->open(page, sizeof page);
	if (error == 0) error = probeUring(count - 1);
	delete ring;
	return error;
}

} // namespace caltrop
