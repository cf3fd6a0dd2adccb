#include "socket-loop.h"
#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ctime>
#include <unistd.h>

namespace caltrop {

namespace {

constexpr uint32_t FLAG_READABLE = 1;  // there may be something to read
constexpr uint32_t FLAG_IN_READY = 2;  // stands in the list `ready`
constexpr uint32_t FLAG_PAUSED = 4;    // JavaScript does not want to hear of it
constexpr uint32_t FLAG_HANGUP = 8;    // the other side has ended: reading goes on until that is read
constexpr uint32_t FLAG_READ_END = 16; // that was read
constexpr uint32_t FLAG_ENDING = 32;   // to be closed for writing once the queue is sent

constexpr uint64_t WAKE_TAG = SLOT_COUNT; // in the place of a slot
constexpr uint64_t LISTENER_TAG = SLOT_COUNT + 1;

constexpr int ACCEPTS = 64;            // in a turn, a listener
constexpr size_t SLICE = 64 * 1024;    // bytes read from a connection in a turn
constexpr size_t SLICE_MIN = 8 * 1024; // with less room in the arena, it is handed over first
constexpr size_t ADDRESS_SIZE = 64;    // bytes of text
constexpr size_t QUEUE_MAX = size_t{1} << 30;
constexpr int PIECES = 64; // sent by one call
constexpr uint32_t NONE = UINT32_MAX;
constexpr int KEEP_ALIVE_SEC = 60;
constexpr uint64_t TURN_NS = 1000 * 1000; // after which the event loop gets its other work done

template <typename T> T *lazyArray(size_t count) { return static_cast<T *>(calloc(count, sizeof(T))); }

size_t aligned(size_t size) { return (size + 7) & ~size_t{7}; }

void setOption(int fd, int level, int name, int value) { (void)setsockopt(fd, level, name, &value, sizeof value); }

uint64_t nowNs() {
	timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

// The C library's recv and send also look after the cancellation of threads, which nobody does here: in a process of
// several threads that is a twentieth of each call.
ssize_t receive(int fd, uint8_t *bytes, size_t size) {
	return syscall(SYS_recvfrom, fd, bytes, size, MSG_DONTWAIT, nullptr, nullptr);
}

ssize_t transmit(int fd, const void *bytes, size_t size) {
	return syscall(SYS_sendto, fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT, nullptr, 0);
}

int openSpare() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

} // namespace

int SocketLoop::open(Memory input, Memory events, Memory outputs, Memory queued) {
	if (input.size < SLICE || events.size < 64 * sizeof(Event) || outputs.size < sizeof(Output) ||
	    queued.size < SLOT_COUNT * sizeof(uint32_t)) {
		return EINVAL;
	}
	input_ = input;
	events_ = reinterpret_cast<Event *>(events.bytes);
	eventsMax_ = static_cast<uint32_t>(events.size / sizeof(Event));
	outputs_ = reinterpret_cast<const Output *>(outputs.bytes);
	outputsMax_ = static_cast<uint32_t>(outputs.size / sizeof(Output));
	queued_ = reinterpret_cast<uint32_t *>(queued.bytes);
	connections_ = lazyArray<Connection>(SLOT_COUNT);
	ready_ = lazyArray<uint32_t>(SLOT_COUNT);
	reading_ = lazyArray<uint32_t>(SLOT_COUNT);
	closed_ = lazyArray<uint32_t>(SLOT_COUNT);
	free_ = lazyArray<uint32_t>(SLOT_COUNT);
	dirty_ = lazyArray<uint32_t>(outputsMax_);
	nextOutput_ = lazyArray<uint32_t>(outputsMax_);
	if (connections_ == nullptr || ready_ == nullptr || reading_ == nullptr || closed_ == nullptr ||
	    free_ == nullptr || dirty_ == nullptr || nextOutput_ == nullptr) {
		return ENOMEM;
	}
	epoll_ = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ < 0) return errno;
	wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (wake_ < 0) return errno;
	epoll_event event{};
	event.events = EPOLLIN | EPOLLET; // each write is an edge: the counter is never read
	event.data.u64 = WAKE_TAG;
	if (epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) return errno;
	spare_ = openSpare();
	return 0;
}

void SocketLoop::setHost(Deliver deliver, KeepAlive keepAlive, void *context) {
	deliver_ = deliver;
	keepAlive_ = keepAlive;
	context_ = context;
}

SocketLoop::~SocketLoop() {
	stopListening();
	for (uint32_t slot = 0; connections_ != nullptr && slot < slotCount_; slot++) {
		Connection &connection = connections_[slot];
		if (connection.fd >= 0) ::close(connection.fd);
		connection.queue.clear();
	}
	for (int fd : {epoll_, wake_, spare_}) {
		if (fd >= 0) ::close(fd);
	}
	free(connections_);
	for (uint32_t *array : {ready_, reading_, closed_, free_, dirty_, nextOutput_}) free(array);
}

void SocketLoop::turn() {
	isInTurn_ = true;
	isSelfWoken_ = false;
	work(poll());
	if (lingerUs_ > 0) {
		const uint64_t endNs = nowNs() + TURN_NS;
		do {
			const int count = linger();
			if (count < 0) break;
			work(count);
		} while (lingerUs_ > 0 && nowNs() < endNs);
		if (lingerUs_ > 0) deliver(false);
	}
	isInTurn_ = false;
	if (readyCount_ > 0 || closedCount_ > 0) wakeSelf();
	keepAlive();
}

int SocketLoop::poll() { return epoll_wait(epoll_, polled_, EPOLL_EVENTS, 0); }

void SocketLoop::work(int count) {
	for (int i = 0; i < count; i++) handle(polled_[i]);
	read();
	deliver();
}

/**
 * Waits for something to do, lending the processor to whoever wants it.
 * @return How many events were polled, of sockets; -1 when nothing came in time.
 */
int SocketLoop::linger() {
	const uint64_t endNs = nowNs() + lingerUs_ * uint64_t{1000};
	do {
		const int count = poll();
		if (count > 0 || readyCount_ > 0 || closedCount_ > 0) return count > 0 ? count : 0;
		for (uint32_t i = 0; i < watchCount_; i++) {
			if (__atomic_load_n(watches_[i].word, __ATOMIC_ACQUIRE) != *watches_[i].other) return 0;
		}
		sched_yield();
	} while (nowNs() < endNs);
	return -1;
}

void SocketLoop::handle(const epoll_event &event) {
	const uint32_t slot = static_cast<uint32_t>(event.data.u64);
	if (slot == WAKE_TAG) return; // deliver() follows in any case
	if (slot >= LISTENER_TAG) {
		accept(static_cast<int>(slot - LISTENER_TAG));
		return;
	}
	makeRoom(0);
	Connection &connection = connections_[slot];
	if (connection.fd < 0 || connection.generation != event.data.u64 >> 32) return;
	if ((event.events & EPOLLOUT) != 0 && connection.queue.size() > 0) {
		writable(connection, slot);
		if (connection.fd < 0) return;
	}
	if ((event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
	if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) connection.flags |= FLAG_HANGUP;
	if ((event.events & EPOLLHUP) != 0 && (connection.flags & FLAG_PAUSED) != 0) {
		closeNow(connection, slot); // ended in both directions: whatever was asked, nobody hears the answer
		return;
	}
	makeReady(connection, slot);
}

void SocketLoop::makeReady(Connection &connection, uint32_t slot) {
	connection.flags |= FLAG_READABLE;
	if ((connection.flags & (FLAG_PAUSED | FLAG_IN_READY | FLAG_READ_END)) != 0) return;
	connection.flags |= FLAG_IN_READY;
	ready_[readyCount_++] = slot;
}

/** Reads each connection of the list once. Those with more to read come to the end of the next turn's list. */
void SocketLoop::read() {
	uint32_t *list = ready_;
	const uint32_t count = readyCount_;
	ready_ = reading_;
	reading_ = list;
	readyCount_ = 0;
	for (uint32_t i = 0; i < count; i++) {
		makeRoom(SLICE_MIN);
		Connection &connection = connections_[list[i]];
		connection.flags &= ~FLAG_IN_READY;
		if (connection.fd >= 0 && (connection.flags & (FLAG_PAUSED | FLAG_READABLE)) == FLAG_READABLE) {
			readOne(connection, list[i]);
		}
	}
}

void SocketLoop::readOne(Connection &connection, uint32_t slot) {
	const size_t room = input_.size - inputEnd_;
	const size_t wish = room < SLICE ? room : SLICE;
	const ssize_t size = receive(connection.fd, input_.bytes + inputEnd_, wish);
	if (size > 0) {
		add(EVENT_RECEIVED, slot, static_cast<uint32_t>(inputEnd_), static_cast<uint32_t>(size));
		inputEnd_ += aligned(static_cast<size_t>(size));
		if (inputEnd_ > input_.size) inputEnd_ = input_.size;
		// Less than was asked for: what comes later makes an edge of its own.
		if (static_cast<size_t>(size) == wish || (connection.flags & FLAG_HANGUP) != 0) {
			makeReady(connection, slot);
		} else {
			connection.flags &= ~FLAG_READABLE;
		}
	} else if (size == 0) {
		connection.flags = (connection.flags & ~FLAG_READABLE) | FLAG_READ_END;
		if (connection.queue.size() == 0) closeNow(connection, slot);
	} else if (errno == EINTR) {
		makeReady(connection, slot);
	} else if (errno == EAGAIN) {
		connection.flags &= ~FLAG_READABLE;
	} else {
		closeNow(connection, slot);
	}
}

int SocketLoop::listen(const char *ip, uint16_t port, int backlog) {
	if (listenerCount_ == LISTENERS_MAX) return -ENOSPC;
	sockaddr_in6 v6{};
	sockaddr_in v4{};
	sockaddr *address;
	socklen_t size;
	if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1) {
		v4.sin_family = AF_INET;
		v4.sin_port = htons(port);
		address = reinterpret_cast<sockaddr *>(&v4);
		size = sizeof v4;
	} else if (inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1) {
		v6.sin6_family = AF_INET6;
		v6.sin6_port = htons(port);
		address = reinterpret_cast<sockaddr *>(&v6);
		size = sizeof v6;
	} else {
		return -EINVAL;
	}
	const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) return -errno;
	setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	// Accepted sockets inherit these.
	setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	setOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	setOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_SEC);
	setOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	setOption(fd, IPPROTO_TCP, TCP_KEEPCNT, 10);
	sockaddr_storage bound{};
	socklen_t boundSize = sizeof bound;
	epoll_event event{};
	event.events = EPOLLIN;
	event.data.u64 = LISTENER_TAG + static_cast<uint64_t>(listenerCount_);
	if (bind(fd, address, size) != 0 || ::listen(fd, backlog) != 0 ||
	    getsockname(fd, reinterpret_cast<sockaddr *>(&bound), &boundSize) != 0 ||
	    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
		const int error = errno;
		::close(fd);
		return -error;
	}
	listeners_[listenerCount_++] = fd;
	keepAlive();
	return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6 *>(&bound)->sin6_port
	                                         : reinterpret_cast<sockaddr_in *>(&bound)->sin_port);
}

void SocketLoop::stopListening() {
	for (int i = 0; i < listenerCount_; i++) {
		if (listeners_[i] >= 0) ::close(listeners_[i]);
		listeners_[i] = -1;
	}
	if (keepAlive_ != nullptr) keepAlive();
}

void SocketLoop::accept(int listener) {
	sockaddr_storage storage;
	sockaddr *address = reinterpret_cast<sockaddr *>(&storage);
	for (int i = 0; i < ACCEPTS && listeners_[listener] >= 0; i++) {
		socklen_t size = sizeof storage;
		int fd = accept4(listeners_[listener], address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			admit(fd, address);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == EPERM) continue;
		if ((errno != EMFILE && errno != ENFILE) || refuseOne(listeners_[listener]) != 0) return;
	}
}

/** No descriptors are left: a waiting client is told so by a close, or the listener would stay readable for ever. */
int SocketLoop::refuseOne(int listener) {
	if (spare_ < 0) return -1;
	::close(spare_);
	const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) ::close(fd);
	spare_ = openSpare();
	return fd >= 0 ? 0 : -1;
}

void SocketLoop::admit(int fd, const sockaddr *address) {
	uint32_t slot;
	if (freeCount_ > 0) slot = free_[--freeCount_];
	else if (slotCount_ < SLOT_COUNT) slot = slotCount_++;
	else {
		::close(fd);
		return;
	}
	Connection &connection = connections_[slot];
	if (connection.generation == 0) connection.generation = 1;
	connection.fd = fd;
	connection.flags &= FLAG_IN_READY; // the list may still hold the slot
	connection.firstOutput = NONE;
	epoll_event event{};
	event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	event.data.u64 = slot | static_cast<uint64_t>(connection.generation) << 32;
	if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
		::close(fd);
		connection.fd = -1;
		free_[freeCount_++] = slot;
		return;
	}
	openCount_++;
	makeRoom(ADDRESS_SIZE);
	char ip[INET6_ADDRSTRLEN] = "";
	uint16_t port = 0;
	if (address->sa_family == AF_INET6) {
		const sockaddr_in6 *v6 = reinterpret_cast<const sockaddr_in6 *>(address);
		inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof ip);
		port = ntohs(v6->sin6_port);
	} else if (address->sa_family == AF_INET) {
		const sockaddr_in *v4 = reinterpret_cast<const sockaddr_in *>(address);
		inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof ip);
		port = ntohs(v4->sin_port);
	}
	char *text = reinterpret_cast<char *>(input_.bytes + inputEnd_);
	const int size = snprintf(text, ADDRESS_SIZE, "%s:%u", ip, port);
	add(EVENT_OPENED, slot, static_cast<uint32_t>(inputEnd_), static_cast<uint32_t>(size));
	inputEnd_ += ADDRESS_SIZE;
}

int SocketLoop::share(Memory region) {
	if (regionCount_ == REGION_COUNT) return -1;
	regions_[regionCount_] = region;
	return static_cast<int>(regionCount_++);
}

bool SocketLoop::watch(Memory words, uint32_t index, uint32_t otherIndex) {
	if (watchCount_ == WATCHES_MAX || index >= words.size / 4 || otherIndex >= words.size / 4) return false;
	const uint32_t *first = reinterpret_cast<const uint32_t *>(words.bytes);
	watches_[watchCount_++] = {first + index, first + otherIndex};
	return true;
}

void SocketLoop::flush(uint32_t count) {
	if (count > outputsMax_) count = outputsMax_;
	uint32_t dirtyCount = 0;
	for (uint32_t i = 0; i < count; i++) {
		const Output &output = outputs_[i];
		const uint32_t slot = output.regionAndSlot & SLOT_MASK;
		const uint32_t region = output.regionAndSlot >> SLOT_BITS;
		Connection *connection = find(slot, output.generation);
		if (connection == nullptr || region >= regionCount_) continue;
		const size_t size = regions_[region].size;
		if (output.offset > size || output.size > size - output.offset) continue;
		nextOutput_[i] = NONE;
		if (connection->firstOutput == NONE) {
			connection->firstOutput = i;
			dirty_[dirtyCount++] = slot;
		} else {
			nextOutput_[connection->lastOutput] = i;
		}
		connection->lastOutput = i;
	}
	for (uint32_t i = 0; i < dirtyCount; i++) {
		Connection &connection = connections_[dirty_[i]];
		uint32_t next = connection.firstOutput;
		connection.firstOutput = NONE;
		while (next != NONE && connection.fd >= 0) {
			iovec pieces[PIECES];
			int pieceCount = 0;
			for (; next != NONE && pieceCount < PIECES; next = nextOutput_[next]) {
				const Output &output = outputs_[next];
				pieces[pieceCount].iov_base = regions_[output.regionAndSlot >> SLOT_BITS].bytes + output.offset;
				pieces[pieceCount++].iov_len = output.size;
			}
			send(connection, dirty_[i], pieces, pieceCount);
		}
	}
}

void SocketLoop::write(uint32_t slot, uint32_t generation, const uint8_t *bytes, size_t size) {
	Connection *connection = find(slot, generation);
	if (connection == nullptr) return;
	iovec piece{const_cast<uint8_t *>(bytes), size};
	send(*connection, slot, &piece, 1);
}

void SocketLoop::send(Connection &connection, uint32_t slot, iovec *pieces, int count) {
	ssize_t sent = 0;
	if (connection.queue.size() == 0) {
		do {
			if (count == 1) {
				sent = transmit(connection.fd, pieces->iov_base, pieces->iov_len);
			} else {
				msghdr message{};
				message.msg_iov = pieces;
				message.msg_iovlen = static_cast<size_t>(count);
				sent = sendmsg(connection.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
			}
		} while (sent < 0 && errno == EINTR);
		if (sent < 0) {
			if (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM) {
				closeNow(connection, slot);
				return;
			}
			sent = 0;
		}
	}
	size_t skip = static_cast<size_t>(sent);
	for (int i = 0; i < count; i++) {
		const size_t size = pieces[i].iov_len;
		if (skip >= size) {
			skip -= size;
			continue;
		}
		const uint8_t *from = static_cast<const uint8_t *>(pieces[i].iov_base) + skip;
		if (connection.queue.size() + size > QUEUE_MAX || !connection.queue.append(from, size - skip)) {
			closeNow(connection, slot);
			return;
		}
		skip = 0;
	}
	queued_[slot] = static_cast<uint32_t>(connection.queue.size());
}

void SocketLoop::writable(Connection &connection, uint32_t slot) {
	const ssize_t sent = transmit(connection.fd, connection.queue.data(), connection.queue.size());
	if (sent < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS && errno != ENOMEM) closeNow(connection, slot);
		return;
	}
	connection.queue.drop(static_cast<size_t>(sent));
	queued_[slot] = static_cast<uint32_t>(connection.queue.size());
	if (connection.queue.size() == 0) queueEmptied(connection, slot);
}

void SocketLoop::queueEmptied(Connection &connection, uint32_t slot) {
	add(EVENT_DRAINED, slot, 0, 0);
	if ((connection.flags & FLAG_READ_END) != 0) closeNow(connection, slot);
	else if ((connection.flags & FLAG_ENDING) != 0) (void)shutdown(connection.fd, SHUT_WR);
}

void SocketLoop::pause(uint32_t slot, uint32_t generation) {
	Connection *connection = find(slot, generation);
	if (connection != nullptr) connection->flags |= FLAG_PAUSED;
}

void SocketLoop::resume(uint32_t slot, uint32_t generation) {
	Connection *connection = find(slot, generation);
	if (connection == nullptr || (connection->flags & FLAG_PAUSED) == 0) return;
	connection->flags &= ~FLAG_PAUSED;
	if ((connection->flags & FLAG_READABLE) == 0) return;
	makeReady(*connection, slot);
	if (!isInTurn_) wakeSelf();
}

void SocketLoop::close(uint32_t slot, uint32_t generation) {
	Connection *connection = find(slot, generation);
	if (connection != nullptr) closeNow(*connection, slot);
}

void SocketLoop::end(uint32_t slot, uint32_t generation) {
	Connection *connection = find(slot, generation);
	if (connection == nullptr || (connection->flags & FLAG_ENDING) != 0) return;
	connection->flags |= FLAG_ENDING;
	if (connection->queue.size() == 0) (void)shutdown(connection->fd, SHUT_WR);
}

Connection *SocketLoop::find(uint32_t slot, uint32_t generation) {
	if (slot >= slotCount_) return nullptr;
	Connection *connection = &connections_[slot];
	return connection->fd >= 0 && connection->generation == generation ? connection : nullptr;
}

void SocketLoop::closeNow(Connection &connection, uint32_t slot) {
	if (connection.fd < 0) return;
	::close(connection.fd); // which takes it out of the epoll set too
	connection.fd = -1;
	connection.generation++;
	connection.queue.clear();
	queued_[slot] = 0;
	closed_[closedCount_++] = slot;
	openCount_--;
	if (!isInTurn_) wakeSelf();
}

void SocketLoop::makeRoom(size_t size) {
	if (eventCount_ == eventsMax_ || input_.size - inputEnd_ < size) deliver();
}

void SocketLoop::add(EventKind kind, uint32_t slot, uint32_t offset, uint32_t size) {
	Event &event = events_[eventCount_++];
	event.kindAndSlot = static_cast<uint32_t>(kind) << SLOT_BITS | slot;
	event.generation = connections_[slot].generation;
	event.offset = offset;
	event.size = size;
}

/** Hands the table over. What JavaScript closes meanwhile is told in the next one. */
void SocketLoop::deliver(bool mayLinger) {
	uint32_t told = 0;
	while (told < closedCount_ && eventCount_ < eventsMax_) add(EVENT_CLOSED, closed_[told++], 0, 0);
	const uint32_t count = eventCount_;
	lingerUs_ = deliver_(context_, count, mayLinger);
	eventCount_ = 0;
	inputEnd_ = 0;
	for (uint32_t i = 0; i < told; i++) free_[freeCount_++] = closed_[i];
	closedCount_ -= told;
	memmove(closed_, closed_ + told, closedCount_ * sizeof closed_[0]);
}

void SocketLoop::wakeSelf() {
	if (isSelfWoken_) return;
	isSelfWoken_ = true;
	const uint64_t one = 1;
	(void)!::write(wake_, &one, sizeof one);
}

void SocketLoop::keepAlive() {
	bool isNeeded = openCount_ > 0 || closedCount_ > 0;
	for (int i = 0; i < listenerCount_; i++) isNeeded = isNeeded || listeners_[i] >= 0;
	if (isNeeded == isKeptAlive_ || keepAlive_ == nullptr) return;
	isKeptAlive_ = isNeeded;
	keepAlive_(context_, isNeeded);
}

} // namespace caltrop
