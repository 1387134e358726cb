"""A front end that violates the protocol: the back end neither crashes nor hangs, and reports each violation."""
import os
import socket
import struct
import subprocess
import time

import front_end as vu
import pytest
from conftest import PROGRAM

MIB = 1 << 20


def served(zoneio, image):
    z = zoneio("-f", "raw", str(image))
    z.export()
    return z


def still_serves(z, problem):
    """Checks that the next front end is served, and that the violation was reported."""
    while z.exports()[0]["problems"] == 0 or z.exports()[0]["connected"]:
        pass
    assert problem in z.exports()[0]["last_problem"]
    guest = z.connect()
    assert guest.read(0, 512) == (vu.OK, bytes(512))
    guest.close()


def u64(value):
    return struct.pack("<Q", value)


def state(index, value):
    return struct.pack("<II", index, value)


@pytest.mark.parametrize("words", ["-w --once", "--once", ""])
def test_a_violation_is_told(image, tmp_path, words):
    with subprocess.Popen([PROGRAM, "-f", "raw", str(image)], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as z:
        z.stdin.write(f"export {words} vhost-user s\n".encode())
        z.stdin.flush()
        while not (tmp_path / "s").exists():
            pass
        # Before the export listens, there may be a file already.
        connection = connect_when_it_listens(tmp_path / "s")
        connection.send(99)
        with pytest.raises(vu.Gone):
            connection.receive()
        z.stdin.write(b"length\n")
        _, errors = z.communicate(timeout=60)
    assert z.returncode == 0
    assert errors.decode().count("warning: disk0: the front end broke the protocol: unknown request 99\n") == 1


def connect_when_it_listens(path):
    while True:
        try:
            return vu.Connection(str(path))
        except ConnectionRefusedError:
            pass


MESSAGES = {
    "an unknown request": (dict(request=99), "unknown request 99"),
    "a wrong version": (dict(request=vu.GET_FEATURES, flags=2), "flags 0x2"),
    "a reply": (dict(request=vu.GET_FEATURES, flags=5), "flags 0x5"),
    "a payload too long": (dict(request=vu.GET_FEATURES, payload=u64(0)), "GET_FEATURES of 8 bytes"),
    "a payload too short": (dict(request=vu.SET_FEATURES, payload=b"1234"), "SET_FEATURES of 4 bytes"),
    "a huge payload": (dict(request=vu.SET_FEATURES, size=2**32 - 1), "4294967295 bytes"),
    "features nobody offered": (dict(request=vu.SET_FEATURES, payload=u64(1 << 63)), "not offered"),
    "protocol features nobody offered": (dict(request=vu.SET_PROTOCOL_FEATURES, payload=u64(1 << 63)), "not offered"),
    "a queue that is not there": (dict(request=vu.SET_VRING_NUM, payload=state(1, 64)), "no queue 1"),
    "a ring of no size": (dict(request=vu.SET_VRING_NUM, payload=state(0, 0)), "ring of 0"),
    "a ring too large": (dict(request=vu.SET_VRING_NUM, payload=state(0, 65536)), "ring of 65536"),
    "a base beyond a ring": (dict(request=vu.SET_VRING_BASE, payload=state(0, 65536)), "goes on at 65536"),
    "a kick without descriptor": (dict(request=vu.SET_VRING_KICK, payload=u64(0)), "missing"),
    "a kick that would be polled": (dict(request=vu.SET_VRING_KICK, payload=u64(0x100)), "polled"),
    "memory without descriptors": (dict(request=vu.SET_MEM_TABLE, payload=state(1, 0) + bytes(32)), "1 regions with 0"),
    "more memory than told": (dict(request=vu.SET_MEM_TABLE, payload=state(2**32 - 1, 0)), "4294967295 regions"),
    "a configuration far away": (dict(request=vu.GET_CONFIG, payload=struct.pack("<III", 2**31, 4, 0) + bytes(4)), "at 2147483648"),
    "a configuration too long": (dict(request=vu.GET_CONFIG, payload=struct.pack("<III", 0, 2**31, 0)), "2147483648 bytes"),
    "a configuration that is fixed": (dict(request=vu.SET_CONFIG, payload=struct.pack("<III", 0, 8, 0) + bytes(8)), "cannot be set"),
    "a configuration cut short": (dict(request=vu.SET_CONFIG, payload=struct.pack("<III", 32, 1, 0)), "cannot be set"),
    "inflight memory for no queue": (dict(request=vu.GET_INFLIGHT_FD, payload=struct.pack("<QQHHI", 0, 0, 0, 64, 0)), "0 queues"),
    "inflight memory for huge queues": (dict(request=vu.GET_INFLIGHT_FD, payload=struct.pack("<QQHHI", 0, 0, 1, 65535, 0)), "65535"),
}


@pytest.mark.parametrize("what", MESSAGES)
def test_an_invalid_message(zoneio, image, what):
    message, problem = MESSAGES[what]
    z = served(zoneio, image)
    connection = vu.Connection(os.path.join(z.folder, "s"))
    connection.send(**message)
    with pytest.raises(vu.Gone):
        connection.receive()
    still_serves(z, problem)


def region(guest=vu.GUEST, size=MIB, user=vu.USER, offset=0):
    return struct.pack("<QQQQ", guest, size, user, offset)


REGIONS = {
    "empty": ([region(size=0)], "is empty"),
    "beyond the file": ([region(size=MIB + 1)], "is not within its file"),
    "an offset beyond the file": ([region(offset=2**63)], "is not within its file"),
    "wrapping guest addresses": ([region(guest=2**64 - 4096)], "goes beyond the last address"),
    "wrapping user addresses": ([region(user=2**64 - 4096)], "goes beyond the last address"),
    "a wrapping offset": ([region(offset=2**64 - 4096)], "goes beyond the last address"),
    "overlapping": ([region(), region(guest=vu.GUEST + MIB - 4096, user=vu.USER + 2 * MIB)], "overlaps another"),
    "the same twice": ([region(), region()], "overlaps another"),
}


@pytest.mark.parametrize("what", REGIONS)
def test_invalid_memory_regions(zoneio, image, what):
    regions, problem = REGIONS[what]
    z = served(zoneio, image)
    memory = vu.Memory(MIB)
    connection = vu.Connection(os.path.join(z.folder, "s"))
    connection.send(vu.SET_MEM_TABLE, struct.pack("<II", len(regions), 0) + b"".join(regions), [memory.fd] * len(regions))
    with pytest.raises(vu.Gone):
        connection.receive()
    still_serves(z, problem)


def test_memory_without_a_file(zoneio, image):
    z = served(zoneio, image)
    for fd in (os.eventfd(0), os.open("/dev/null", os.O_RDWR), os.open("/", os.O_RDONLY), os.open(image, os.O_RDONLY)):
        connection = vu.Connection(os.path.join(z.folder, "s"))
        connection.send(vu.SET_MEM_TABLE, struct.pack("<II", 1, 0) + region(), [fd])
        with pytest.raises(vu.Gone):
            connection.receive()
        still_serves(z, "mapped")
        os.close(fd)


def test_unexpected_descriptors_are_closed(zoneio, image):
    z = served(zoneio, image)
    reader, writer = os.pipe()
    connection = vu.Connection(os.path.join(z.folder, "s"))
    connection.send(vu.GET_FEATURES, fds=[writer] * 20)
    os.close(writer)
    with pytest.raises(vu.Gone):
        connection.receive()
    assert os.read(reader, 1) == b""
    still_serves(z, "GET_FEATURES with 20 descriptors")


def test_too_many_descriptors(zoneio, image):
    z = served(zoneio, image)
    connection = vu.Connection(os.path.join(z.folder, "s"))
    connection.send(vu.SET_MEM_TABLE, struct.pack("<II", 40, 0) + bytes(40 * 32), [0] * 40)
    with pytest.raises(vu.Gone):
        connection.receive()
    still_serves(z, "too many descriptors")


@pytest.mark.parametrize("length", [1, 11, 12, 15])
def test_a_connection_that_stops_half_way(zoneio, image, length):
    z = served(zoneio, image)
    connection = vu.Connection(os.path.join(z.folder, "s"))
    connection.send_raw((struct.pack("<III", vu.SET_FEATURES, 1, 8) + u64(0))[:length])
    connection.close()
    still_serves(z, "ended within a message")


def test_a_front_end_that_does_not_read(zoneio, image):
    z = served(zoneio, image)
    connection = vu.Connection(os.path.join(z.folder, "s"))
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        for _ in range(100000):
            connection.send(vu.GET_FEATURES)
    except (vu.Gone, TimeoutError):
        pass
    connection.close()
    still_serves(z, "does not read")


def hostile_ring(guest, descriptors, head=0, table=()):
    """Writes the given descriptors and makes one available."""
    q = guest.queues[0]
    for i, (address, length, flags, following) in enumerate(descriptors):
        q.descriptor(q.desc + 16 * i, address, length, flags, following)
    for i, (address, length, flags, following) in enumerate(table):
        q.descriptor(q.data + 4096 + 16 * i, address, length, flags, following)
    guest.memory.map[q.data:q.data + 16] = struct.pack("<IIQ", vu.IN, 0, 0)
    q.put(head)
    q.notify()


def chains():
    """name -> (descriptors, head, indirect table, reported text)"""
    data = vu.GUEST + 0x1000        # any place in the memory
    end = vu.GUEST + (1 << 40)
    indirect = lambda length, flags=vu.INDIRECT: (None, length, flags, 0)
    n, w = vu.NEXT, vu.WRITE
    return {
        "a head beyond the ring": ([], 64, (), "descriptor 64 in a ring of 64"),
        "a next one beyond the ring": ([(data, 16, n, 64)], 0, (), "descriptor 64"),
        "a loop of one": ([(data, 16, n, 0)], 0, (), "loop"),
        "a loop of two": ([(data, 16, n, 1), (data, 16, n, 0)], 0, (), "loop"),
        "memory that is not there": ([(end, 16, 0, 0)], 0, (), "outside the shared memory"),
        "memory below": ([(0, 16, 0, 0)], 0, (), "outside the shared memory"),
        "memory that ends early": ([(data, 2**32 - 1, 0, 0)], 0, (), "outside the shared memory"),
        "an address that wraps": ([(2**64 - 8, 16, 0, 0)], 0, (), "outside the shared memory"),
        "written before read": ([(data, 16, w | n, 1), (data, 16, 0, 0)], 0, (), "memory to read behind"),
        "an empty table": ([indirect(0)], 0, (), "indirect table of 0"),
        "half a descriptor": ([indirect(24)], 0, (), "indirect table of 24"),
        "a huge table": ([indirect(2**32 - 16)], 0, (), "indirect table of"),
        "a table with a next one": ([indirect(16, vu.INDIRECT | n)], 0, (), "with a next one"),
        "a table that is not there": ([(end, 16, vu.INDIRECT, 0)], 0, (), "outside the shared memory"),
        "a table in a table": ([indirect(16)], 0, [(data, 16, vu.INDIRECT, 0)], "inside another"),
        "a table's next one beyond it": ([indirect(32)], 0, [(data, 16, n, 2)], "indirect table of 2"),
        "a loop in a table": ([indirect(32)], 0, [(data, 16, n, 1), (data, 16, n, 0)], "loop"),
    }


@pytest.mark.parametrize("what", chains())
def test_an_invalid_descriptor_chain(zoneio, image, what):
    descriptors, head, table, problem = chains()[what]
    z = served(zoneio, image)
    guest = z.connect()
    place = vu.GUEST + guest.queues[0].data + 4096
    hostile_ring(guest, [(place if address is None else address, *rest) for address, *rest in descriptors], head, table)
    while z.exports()[0]["problems"] == 0:
        pass
    guest.close()
    still_serves(z, problem)


def test_an_index_that_jumps(zoneio, image):
    z = served(zoneio, image)
    guest = z.connect()
    q = guest.queues[0]
    guest.memory.set_u16(q.avail + 2, 1000)
    q.notify()
    while z.exports()[0]["problems"] == 0:
        pass
    guest.close()
    still_serves(z, "jumps from 0 to 1000")


def short_requests():
    data = lambda guest: vu.GUEST + guest.queues[0].data
    return {
        "no header": lambda g: [(data(g), 8, vu.NEXT, 1), (data(g) + 64, 1, vu.WRITE, 0)],
        "no status": lambda g: [(data(g), 16, 0, 0)],
        "nothing": lambda g: [(data(g), 0, 0, 0)],
        "a header in pieces": lambda g: [(data(g), 1, vu.NEXT, 1), (data(g) + 1, 15, vu.NEXT, 2),
                                         (data(g) + 64, 512, vu.NEXT | vu.WRITE, 3), (data(g) + 600, 1, vu.WRITE, 0)],
    }


@pytest.mark.parametrize("what", short_requests())
def test_requests_cut_short_are_answered_or_dropped(zoneio, image, what):
    z = served(zoneio, image)
    guest = z.connect()
    hostile_ring(guest, short_requests()[what](guest))
    q = guest.queues[0]
    while guest.memory.u16(q.used + 2) == 0:
        pass
    status = guest.memory.map[q.data + 600] if what == "a header in pieces" else guest.memory.map[q.data + 64]
    assert status == (vu.OK if what in ("a header in pieces", "no status", "nothing") else vu.IOERR)
    assert z.exports()[0]["problems"] == 0


@pytest.mark.parametrize("size", [0, 4096])
def test_truncated_memory(zoneio, image, size):
    z = served(zoneio, image)
    guest = z.connect()
    assert guest.read(0, 512)[0] == vu.OK
    os.ftruncate(guest.memory.fd, size)
    os.eventfd_write(guest.queues[0].kick, 1)
    while z.exports()[0]["problems"] == 0 and size == 0:
        pass
    guest.close()
    if size == 0:
        still_serves(z, "cut off its memory")
    else:
        still = z.connect()
        assert still.read(0, 512)[0] == vu.OK


def test_truncated_memory_fails_only_its_requests(zoneio, image):
    z = served(zoneio, image)
    guest = z.connect(size=4, room=MIB)
    last = guest.queues[0].data + 3 * MIB
    request = guest.submit(vu.IN, 0, room=512 << 10, notify=False)
    assert request.written >= last - MIB
    os.ftruncate(guest.memory.fd, request.written + 4096)
    guest.queues[0].notify()
    while z.exports()[0]["requests"]["read"]["count"] == 0 and z.exports()[0]["problems"] == 0:
        pass
    guest.close()
    while z.exports()[0]["connected"]:
        pass
    again = z.connect()
    assert again.read(0, 512) == (vu.OK, bytes(512))


def test_memory_removed_while_requests_run(zoneio, image):
    z = served(zoneio, image)
    guest = z.connect()
    for _ in range(20):
        requests = [guest.submit(vu.OUT, i * 128, bytes(65536)) for i in range(16)]
        guest.connection.send(vu.SET_MEM_TABLE, struct.pack("<II", 1, 0) + guest.memory.region(), [guest.memory.fd])
        guest.wait(*requests)
        assert all(r.status == vu.OK for r in requests)
    guest.connection.send(vu.SET_MEM_TABLE, struct.pack("<II", 0, 0))
    with pytest.raises(vu.Gone):
        guest.connection.receive()
    still_serves(z, "outside the shared memory")


def with_requests_in_flight(zoneio, **options):
    """A front end most of whose requests wait, because the image does one in a second."""
    z = zoneio("--object", "throttle-group,id=g,x-iops-total=1", "--image-opts",
               "driver=throttle,throttle-group=g,file.driver=raw,file.file.driver=file,file.file.filename=image")
    z.export()
    return z, z.connect(**options)


def ring_addresses(guest, add=0):
    q = guest.queues[0]
    places = (vu.USER + place + add for place in (q.desc, q.used, q.avail))
    return struct.pack("<IIQQQQ", 0, 0, *places, 0)


def send_table(guest, regions, fds):
    guest.connection.send(vu.SET_MEM_TABLE, struct.pack("<II", len(regions), 0) + b"".join(regions), fds)


def other_memory(guest):
    memory = vu.Memory(MIB)
    send_table(guest, [struct.pack("<QQQQ", 0, MIB, 0, 0)], [memory.fd])


def other_inflight_memory(guest, queues=1, size=1):
    reply, fds = guest.connection.ask(vu.GET_INFLIGHT_FD, struct.pack("<QQHHI", 0, 0, queues, size, 0), fds=1)
    guest.connection.send(vu.SET_INFLIGHT_FD, reply, fds)


# What a front end may not do while a ring runs, and the reported text.
WHILE_RUNNING = {
    "no memory": (lambda g: send_table(g, [], []), "outside the shared memory"),
    "other memory": (other_memory, "outside the shared memory"),
    "a region removed": (lambda g: g.connection.send(vu.REM_MEM_REG, bytes(8) + g.memory.region()), "outside the shared memory"),
    "another size": (lambda g: g.connection.send(vu.SET_VRING_NUM, state(0, 1024)), "cannot change its size"),
    "another place": (lambda g: g.connection.send(vu.SET_VRING_ADDR, ring_addresses(g, 16)), "cannot move"),
    "other features": (lambda g: g.connection.send(vu.SET_FEATURES, u64(1 << vu.F_VERSION_1)), "cannot change its features"),
    "other inflight memory": (other_inflight_memory, "cannot change its inflight memory"),
}


@pytest.mark.parametrize("what", WHILE_RUNNING)
def test_a_change_of_a_running_ring(zoneio, image, what):
    change, problem = WHILE_RUNNING[what]
    z, guest = with_requests_in_flight(zoneio)
    requests = [guest.submit(vu.IN, 0, room=512) for _ in range(10)]
    change(guest)
    with pytest.raises(vu.Gone):
        guest.connection.receive()
    # They were finished in the memory that they were taken from.
    guest.collect(0)
    assert [r.status for r in requests] == [vu.OK] * len(requests)
    still_serves(z, problem)


def test_the_same_settings_of_a_running_ring(zoneio, image):
    z, guest = with_requests_in_flight(zoneio)
    requests = [guest.submit(vu.IN, 0, room=512) for _ in range(3)]
    guest.connection.send(vu.SET_VRING_NUM, state(0, guest.queues[0].size))
    guest.connection.send(vu.SET_VRING_ADDR, ring_addresses(guest))
    guest.connection.send(vu.SET_FEATURES, u64(guest.features))
    send_table(guest, [guest.memory.region()], [guest.memory.fd])
    guest.wait(*requests)
    assert z.exports()[0]["problems"] == 0


def test_a_ring_larger_than_its_inflight_memory(zoneio, image):
    z = served(zoneio, image)
    guest = z.connect()
    guest.stop()
    other_inflight_memory(guest, size=8)
    with pytest.raises(vu.Gone):                    # at the latest, when no reply comes
        guest.start(0, guest.queues[0], 0)
        guest.connection.receive()
    still_serves(z, "no place for")


def test_truncated_inflight_memory(zoneio, image):
    z = served(zoneio, image)
    kept = []
    guest = z.connect(inflight=kept)
    assert guest.write(0, bytes(512)) == vu.OK
    os.ftruncate(kept[1], 0)
    guest.submit(vu.IN, 0, room=512)
    while guest.queues[0].under_way and z.exports()[0]["problems"] == 0:
        guest.collect(0)
    guest.queues[0].notify()
    while z.exports()[0]["problems"] == 0:
        pass
    guest.close()
    still_serves(z, "cut off its inflight memory")


@pytest.mark.parametrize("request_number", [vu.SET_VRING_CALL, vu.SET_VRING_ERR])
def test_an_interrupt_that_would_block(zoneio, image, request_number):
    z = served(zoneio, image)
    guest = z.connect()
    event = os.eventfd(0, 0)
    os.eventfd_write(event, 2**64 - 2)              # full
    guest.connection.send(request_number, u64(0), [event])
    guest.config()                                  # the descriptor has been taken
    guest.submit(vu.IN, 0, room=512)
    if request_number == vu.SET_VRING_ERR:
        guest.queues[0].put(guest.queues[0].size)   # a head beyond the ring
        guest.queues[0].notify()
    while z.exports()[0]["requests"]["read"]["count"] == 0:
        pass
    guest.close()
    again = z.connect()
    assert again.read(0, 512) == (vu.OK, bytes(512))
    os.close(event)


def test_more_requests_than_the_ring_has_entries(zoneio, image):
    z, guest = with_requests_in_flight(zoneio, size=16)
    guest.submit(vu.IN, 0, room=512)
    ring = guest.queues[0]
    end = time.monotonic() + 60
    for _ in range(17):                             # one request again, before any of them is answered
        ring.put(15)
        ring.notify()
        # The export sets the index of the next notification; this index shows that it has taken all requests.
        while (guest.memory.u16(ring.used + 4 + 8 * ring.size) != ring.next_avail and "last_problem" not in z.exports()[0]
               and time.monotonic() < end):
            pass
    assert "more requests than the ring has entries" in z.exports()[0]["last_problem"]
