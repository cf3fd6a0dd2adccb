/* TCP connections of one thread: one epoll set, whose descriptor the thread's event loop watches.
 *
 * A turn reads every socket that is ready into one arena and hands JavaScript one table of what has happened;
 * JavaScript hands back one table of what to send. A connection is a slot, used again after it is gone; with
 * the slot goes a generation, so that nothing reaches whoever has the slot next. Frames, limits and timeouts
 * are JavaScript's business: here are only bytes.
 *
 * Sockets are watched edge-triggered and registered once: a connection that may have more to read stands in the
 * list `ready`, one that took less than it was given has the rest in its queue until the kernel says it is
 * writable again. One thread uses an instance; nothing here throws or blocks.
 */
#pragma once
#include "byte-queue.h"
#include "memory.h"
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace caltrop {

constexpr uint32_t SLOT_BITS = 20;
constexpr uint32_t SLOT_COUNT = 1u << SLOT_BITS; // connections at once
constexpr uint32_t SLOT_MASK = SLOT_COUNT - 1;
constexpr uint32_t REGION_COUNT = 1u << (32 - SLOT_BITS);

/** What has happened, in the upper bits of an event's first word; the slot stands in the lower ones. */
enum EventKind : uint32_t {
	EVENT_OPENED = 1,   // offset and size: the remote address as text
	EVENT_RECEIVED = 2, // offset and size: bytes; a chunk starts 8-byte aligned
	EVENT_DRAINED = 3,  // the queue is empty again
	EVENT_CLOSED = 4,   // the slot is free after this table
};

struct Event {
	uint32_t kindAndSlot;
	uint32_t generation;
	uint32_t offset; // into the arena
	uint32_t size;
};

/** Bytes to send. They are read before flush() returns. */
struct Output {
	uint32_t regionAndSlot; // the region's number in the upper bits
	uint32_t generation;
	uint32_t offset; // into the region
	uint32_t size;
};

struct Connection {
	int fd; // -1 when closed; a slot that was never used has generation 0
	uint32_t generation;
	uint32_t flags;
	uint32_t firstOutput; // of the table that is being flushed, chained by nextOutput_
	uint32_t lastOutput;
	ByteQueue queue;
};

/**
 * Tells JavaScript of `count` events. It may wish to be called again without going to sleep, as soon as there is
 * something to do within some time.
 * @return That time in microseconds; 0 when `mayLinger` is false.
 */
typedef uint32_t (*Deliver)(void *context, uint32_t count, bool mayLinger);
/** Says whether anything is open, so that the event loop should stay. */
typedef void (*KeepAlive)(void *context, bool isNeeded);

class SocketLoop {
public:
	/** @return 0, or an errno. Nothing is to be called after a failure but the destructor. */
	int open(Memory input, Memory events, Memory outputs, Memory queued);
	void setHost(Deliver deliver, KeepAlive keepAlive, void *context);
	~SocketLoop();

	/** The descriptor to watch: readable when turn() has something to do. */
	int descriptor() const { return epoll_; }
	/** Any thread may write 1 to this eventfd: then there is a turn. */
	int wakeDescriptor() const { return wake_; }

	/** One turn: called when the descriptor is readable. */
	void turn();
	/** @return The port, or a negative errno. `ip` is a numeric address. */
	int listen(const char *ip, uint16_t port, int backlog);
	void stopListening();
	/** Adds memory that outputs may lie in. @return Its number, or -1 when there are too many. */
	int share(Memory region);
	/** Adds a word that differs from another when another thread has something for this one. @return Whether it could. */
	bool watch(Memory words, uint32_t index, uint32_t otherIndex);
	/** Sends what the first `count` entries of the table say, gathered a connection. */
	void flush(uint32_t count);
	void write(uint32_t slot, uint32_t generation, const uint8_t *bytes, size_t size);
	void pause(uint32_t slot, uint32_t generation);
	void resume(uint32_t slot, uint32_t generation);
	void close(uint32_t slot, uint32_t generation);
	/** Closes for writing once the queue is sent; the rest is the other side's. */
	void end(uint32_t slot, uint32_t generation);

private:
	static constexpr int LISTENERS_MAX = 16;
	static constexpr uint32_t WATCHES_MAX = 256;
	static constexpr int EPOLL_EVENTS = 512; // taken at a time

	Connection *find(uint32_t slot, uint32_t generation);
	int poll();
	void work(int count);
	int linger();
	void handle(const epoll_event &event);
	void accept(int listener);
	int refuseOne(int listener);
	void admit(int fd, const sockaddr *address);
	void read();
	void readOne(Connection &connection, uint32_t slot);
	void makeReady(Connection &connection, uint32_t slot);
	void writable(Connection &connection, uint32_t slot);
	void send(Connection &connection, uint32_t slot, iovec *pieces, int count);
	void queueEmptied(Connection &connection, uint32_t slot);
	void closeNow(Connection &connection, uint32_t slot);
	/** Room in the table for one more event, and in the arena for `size` bytes; may call JavaScript. */
	void makeRoom(size_t size);
	void add(EventKind kind, uint32_t slot, uint32_t offset, uint32_t size);
	void deliver(bool mayLinger = true);
	void wakeSelf();
	void keepAlive();

	int epoll_ = -1;
	int wake_ = -1;
	int spare_ = -1; // given up for a moment when there are no descriptors left
	int listeners_[LISTENERS_MAX];
	int listenerCount_ = 0;
	bool isInTurn_ = false;
	bool isSelfWoken_ = false;
	bool isKeptAlive_ = true;
	Deliver deliver_ = nullptr;
	KeepAlive keepAlive_ = nullptr;
	void *context_ = nullptr;

	Memory input_{};
	size_t inputEnd_ = 0;
	Event *events_ = nullptr;
	uint32_t eventsMax_ = 0;
	uint32_t eventCount_ = 0;
	const Output *outputs_ = nullptr;
	uint32_t outputsMax_ = 0;
	uint32_t *queued_ = nullptr; // bytes in the queue, by slot; JavaScript reads it
	Memory regions_[REGION_COUNT];
	uint32_t regionCount_ = 0;
	struct {
		const uint32_t *word, *other;
	} watches_[WATCHES_MAX];
	uint32_t watchCount_ = 0;
	uint32_t lingerUs_ = 0; // what JavaScript wished last
	epoll_event polled_[EPOLL_EVENTS];

	// All as long as there are slots; the kernel gives pages as they are touched.
	Connection *connections_ = nullptr;
	uint32_t *ready_ = nullptr; // to be read in the next turn; each slot at most once
	uint32_t *reading_ = nullptr;
	uint32_t *closed_ = nullptr; // closed, but JavaScript was not told
	uint32_t *free_ = nullptr;
	uint32_t *dirty_ = nullptr; // that have outputs in the table being flushed
	uint32_t *nextOutput_ = nullptr;
	uint32_t readyCount_ = 0;
	uint32_t closedCount_ = 0;
	uint32_t freeCount_ = 0;
	uint32_t slotCount_ = 0; // ever used
	uint32_t openCount_ = 0;
};

} // namespace caltrop
