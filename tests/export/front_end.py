"""A vhost-user front end for tests: the driver of a virtio block device, on a socket and shared memory."""
import array
import mmap
import os
import select
import socket
import struct
import threading

GET_FEATURES, SET_FEATURES, SET_OWNER, SET_MEM_TABLE = 1, 2, 3, 5
SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE = 8, 9, 10, 11
SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR = 12, 13, 14
GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM, SET_VRING_ENABLE = 15, 16, 17, 18
GET_CONFIG, SET_CONFIG, GET_INFLIGHT_FD, SET_INFLIGHT_FD = 24, 25, 31, 32
GET_MAX_MEM_SLOTS, ADD_MEM_REG, REM_MEM_REG = 36, 37, 38

F_RO, F_FLUSH, F_CONFIG_WCE, F_MQ, F_DISCARD, F_WRITE_ZEROES, F_ZONED = 5, 9, 11, 12, 13, 14, 17
F_INDIRECT, F_EVENT_IDX, F_PROTOCOL, F_VERSION_1 = 28, 29, 30, 32

IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES = 0, 1, 4, 8, 11, 13
APPEND, REPORT, OPEN, CLOSE, FINISH, RESET, RESET_ALL = 15, 16, 18, 20, 22, 24, 26
OK, IOERR, UNSUPP, INVALID_CMD, UNALIGNED_WP, OPEN_RESOURCE, ACTIVE_RESOURCE = range(7)
STATUS_NAMES = ["OK", "IOERR", "UNSUPP", "INVALID_CMD", "UNALIGNED_WP", "OPEN_RESOURCE", "ACTIVE_RESOURCE"]

NEXT, WRITE, INDIRECT = 1, 2, 4
GUEST = 0x100000000             # where the memory is for the driver
USER = 0x7f0000000000           # and for the front end


class Gone(Exception):
    """The back end has closed the connection."""


class Connection:
    """Sends and receives messages, including invalid ones."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)

    def send(self, request, payload=b"", fds=(), flags=1, size=None):
        header = struct.pack("<III", request, flags, len(payload) if size is None else size)
        self.send_raw(header + payload, fds)

    def send_raw(self, data, fds=()):
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.socket.sendmsg([data], control)
        except (BrokenPipeError, ConnectionResetError) as e:
            raise Gone from e

    def receive(self, fds=0):
        """(request, payload, descriptors)"""
        data, control = b"", []
        try:
            data, control, _, _ = self.socket.recvmsg(12, socket.CMSG_SPACE(max(fds, 1) * 4))
            header = struct.unpack("<III", data) if len(data) == 12 else None
            if header is None:
                raise Gone
            payload = b""
            while len(payload) < header[2]:
                more = self.socket.recv(header[2] - len(payload))
                if not more:
                    raise Gone
                payload += more
        except ConnectionResetError as e:
            raise Gone from e
        found = array.array("i")
        for _, _, content in control:
            found.frombytes(content)
        return header[0], payload, list(found)

    def ask(self, request, payload=b"", fds=0):
        self.send(request, payload)
        answered, reply, found = self.receive(fds)
        assert answered == request
        return (reply, found) if fds else reply

    def close(self):
        self.socket.close()


class Memory:
    """The shared memory of the front end: first the rings, then space for requests."""

    def __init__(self, size):
        self.size = size
        self.fd = os.memfd_create("guest")
        os.ftruncate(self.fd, size)
        self.map = mmap.mmap(self.fd, size)
        # struct.pack_into first fills its target with zeros and then stores bytes, which the other side could see.
        self.words = memoryview(self.map).cast("H")

    def u16(self, at):
        return self.words[at // 2]

    def set_u16(self, at, value):
        """Stores a value with one store, because the other side may read it at any time."""
        self.words[at // 2] = value

    def region(self):
        return struct.pack("<QQQQ", GUEST, self.size, USER, 0)


class Request:
    """A request in a ring. It is done when `status` is not None."""

    def __init__(self, kind, queue, head, written, room, is_append):
        self.kind, self.queue, self.head = kind, queue, head
        self.written, self.room, self.is_append = written, room, is_append
        self.status, self.data, self.sector, self.used = None, b"", None, 0


class Queue:
    """A split ring of `size` entries at offset `at` of the memory. Each entry has `room` bytes for its request."""

    def __init__(self, memory, at, size, room, event_idx, indirect):
        self.memory, self.size, self.room, self.event_idx, self.indirect = memory, size, room, event_idx, indirect
        self.desc, self.avail = at, at + 16 * size
        self.used = (self.avail + 6 + 2 * size + 3) // 4 * 4
        self.data = (self.used + 6 + 8 * size + 4095) // 4096 * 4096
        self.end = self.data + size * room
        self.kick, self.call = os.eventfd(0, os.EFD_NONBLOCK), os.eventfd(0, os.EFD_NONBLOCK)
        self.reset()

    def reset(self):
        # A request may take three descriptors, so without indirect ones only a third of the ring is used.
        step = 1 if self.indirect else 4
        self.free = list(range(0, self.size - step + 1, step))
        self.under_way = {}
        self.next_avail = self.last_used = 0

    def descriptor(self, at, address, length, flags, following):
        struct.pack_into("<QIHH", self.memory.map, at, address, length, flags, following)

    def put(self, head):
        """Makes a descriptor chain available."""
        self.memory.set_u16(self.avail + 4 + 2 * (self.next_avail % self.size), head)
        self.next_avail = (self.next_avail + 1) & 0xFFFF
        self.memory.set_u16(self.avail + 2, self.next_avail)

    def notify(self):
        os.eventfd_write(self.kick, 1)


class FrontEnd:
    """A well-behaved driver: connects, negotiates, and makes requests on its queues."""

    def __init__(self, path, queues=1, size=64, room=1 << 17, features=None, inflight=None, memory=None, event_idx=True,
                 indirect=True):
        self.connection = Connection(path)
        self.offered = struct.unpack("<Q", self.connection.ask(GET_FEATURES))[0]
        wanted = (1 << F_PROTOCOL | 1 << F_VERSION_1 | event_idx << F_EVENT_IDX | indirect << F_INDIRECT)
        block = self.offered & 0xFFFFFF if features is None else features
        self.features = (block | wanted) & self.offered
        protocol = struct.unpack("<Q", self.connection.ask(GET_PROTOCOL_FEATURES))[0]
        self.connection.send(SET_PROTOCOL_FEATURES, struct.pack("<Q", protocol))
        self.connection.send(SET_OWNER)
        self.connection.send(SET_FEATURES, struct.pack("<Q", self.features))
        self.most_queues = struct.unpack("<Q", self.connection.ask(GET_QUEUE_NUM))[0]
        is_new = memory is None
        if is_new:
            probe = Queue(None, 0, size, room, event_idx, indirect)
            memory = Memory(queues * probe.end)
            self.queues = [Queue(memory, i * probe.end, size, room, event_idx, indirect) for i in range(queues)]
        else:
            memory, self.queues = memory
        self.memory = memory
        self.fence = threading.Lock()
        self.inflight = inflight
        if inflight is not None:
            self.share_inflight(queues, size)
        self.connection.send(SET_MEM_TABLE, struct.pack("<II", 1, 0) + memory.region(), [memory.fd])
        for i, queue in enumerate(self.queues):
            self.start(i, queue, 0 if is_new else memory.u16(queue.used + 2))

    def share_inflight(self, queues, size):
        """Exchanges the in-flight memory. `inflight`: a list that keeps the back end's memory for the next back end."""
        if not self.inflight:
            reply, fds = self.connection.ask(GET_INFLIGHT_FD, struct.pack("<QQHHI", 0, 0, queues, size, 0), fds=1)
            self.inflight += [reply, fds[0]]
        self.connection.send(SET_INFLIGHT_FD, self.inflight[0], [self.inflight[1]])

    def start(self, i, queue, base):
        send = self.connection.send
        send(SET_VRING_NUM, struct.pack("<II", i, queue.size))
        send(SET_VRING_BASE, struct.pack("<II", i, base))
        send(SET_VRING_ADDR, struct.pack("<IIQQQQ", i, 0, USER + queue.desc, USER + queue.used, USER + queue.avail, 0))
        send(SET_VRING_CALL, struct.pack("<Q", i), [queue.call])
        send(SET_VRING_KICK, struct.pack("<Q", i), [queue.kick])
        send(SET_VRING_ENABLE, struct.pack("<II", i, 1))

    def config(self, offset=0, size=96):
        reply = self.connection.ask(GET_CONFIG, struct.pack("<III", offset, size, 0) + bytes(size))
        return reply[12:]

    def set_writeback(self, on):
        self.connection.send(SET_CONFIG, struct.pack("<III", 32, 1, 0) + bytes([on]))

    # ---- requests
    def submit(self, kind, sector=0, out=b"", room=0, queue=0, notify=True):
        """Puts a request into a ring: `out` follows its header, and `room` bytes are for the answer's data. As in
        Linux, padding follows the position of an append."""
        q = self.queues[queue]
        head = q.free.pop()
        is_append = kind == APPEND
        tail = 16 if is_append else 1
        base = q.data + (head if q.indirect else head // 4 * 4) * q.room
        header = struct.pack("<IIQ", kind, 0, sector) + out
        table = (16 + len(out) + 15) // 16 * 16
        answer = table + 64
        assert answer + room + tail <= q.room, "the request does not fit"
        self.memory.map[base:base + len(header)] = header
        parts = [(base, 16, 0)] + ([(base + 16, len(out), 0)] if out else [])
        parts += [(base + answer, room, WRITE)] if room else []
        parts += [(base + answer + room, tail, WRITE)]
        where = base + table if q.indirect else q.desc + 16 * head
        for i, (at, length, flags) in enumerate(parts):
            more = NEXT if i + 1 < len(parts) else 0
            following = i + 1 if q.indirect else head + i + 1
            q.descriptor(where + 16 * i, GUEST + at, length, flags | more, following if more else 0)
        if q.indirect:
            q.descriptor(q.desc + 16 * head, GUEST + where, 16 * len(parts), INDIRECT, 0)
        request = Request(kind, queue, head, base + answer, room, is_append)
        q.under_way[head] = request
        q.put(head)
        if notify:
            q.notify()
        return request

    def collect(self, queue):
        """Collects the answered requests and returns them."""
        q, done = self.queues[queue], []
        while q.last_used != self.memory.u16(q.used + 2):
            at = q.used + 4 + 8 * (q.last_used % q.size)
            head, used = struct.unpack_from("<II", self.memory.map, at)
            q.last_used = (q.last_used + 1) & 0xFFFF
            request = q.under_way.pop(head)
            start = request.written
            request.data = bytes(self.memory.map[start:start + request.room])
            tail = start + request.room
            if request.is_append:
                request.sector = struct.unpack_from("<Q", self.memory.map, tail)[0]
                tail += 15
            request.status, request.used = self.memory.map[tail], used
            q.free.append(head)
            done.append(request)
        if q.event_idx:
            self.memory.set_u16(q.avail + 4 + 2 * q.size, q.last_used)
            # The request for a notification must be stored before the used index is read again. Taking a lock is a
            # full barrier.
            with self.fence:
                pass
        return done

    def wait(self, *requests, seconds=60):
        """Waits until these requests are answered."""
        poll = select.poll()
        for q in self.queues:
            poll.register(q.call, select.POLLIN)
        poll.register(self.connection.socket, select.POLLIN | select.POLLHUP)
        while True:
            for i in range(len(self.queues)):
                self.collect(i)
            if all(r.status is not None for r in requests):
                return
            # An answer may have come between reading the index and requesting a notification.
            if any(q.last_used != self.memory.u16(q.used + 2) for q in self.queues):
                continue
            events = poll.poll(seconds * 1000)
            assert events, "no answer"
            for fd, _ in events:
                if fd == self.connection.socket.fileno():
                    raise Gone
                os.eventfd_read(fd)

    def do(self, kind, sector=0, out=b"", room=0, queue=0):
        request = self.submit(kind, sector, out, room, queue)
        self.wait(request)
        return request

    def read(self, offset, length, queue=0):
        r = self.do(IN, offset // 512, room=length, queue=queue)
        return r.status, r.data

    def write(self, offset, data, queue=0):
        return self.do(OUT, offset // 512, out=data, queue=queue).status

    def ranges(self, kind, offset, length, flags=0, queue=0):
        return self.do(kind, out=struct.pack("<QII", offset // 512, length // 512, flags), queue=queue).status

    def append(self, zone_start, data, queue=0):
        """(status, offset of the data)"""
        r = self.do(APPEND, zone_start // 512, out=data, queue=queue)
        return r.status, r.sector * 512

    def manage(self, kind, offset=0, queue=0):
        return self.do(kind, offset // 512, queue=queue).status

    def report(self, offset=0, count=64):
        """[(start, capacity, write pointer, type, state)] in bytes"""
        r = self.do(REPORT, offset // 512, room=64 + 64 * count)
        assert r.status == OK, STATUS_NAMES[r.status]
        zones = []
        for i in range(struct.unpack_from("<Q", r.data)[0]):
            capacity, start, pointer, kind, state = struct.unpack_from("<QQQBB", r.data, 64 + 64 * i)
            zones.append((start * 512, capacity * 512, pointer * 512 if pointer != 2**64 - 1 else None, kind, state))
        return zones

    def stop(self, queue=0):
        return struct.unpack("<II", self.connection.ask(GET_VRING_BASE, struct.pack("<II", queue, 0)))[1]

    def close(self):
        self.connection.close()
