"""Memory that a front end adds and removes one region at a time, and the in-flight memory that it shares."""
import os
import struct

import front_end as vu
import pytest
from test_hostile import still_serves

MIB = 1 << 20


def message(start, size):
    return struct.pack("<QQQQQ", 0, vu.GUEST + start, size, vu.USER + start, start)


def in_two_regions(guest):
    """Shares the memory again as two regions that meet within the data of the next request. Returns where they meet."""
    queue, memory = guest.queues[0], guest.memory
    base = guest.stop()
    middle = queue.data + queue.free[-1] * queue.room + 16384
    guest.connection.send(vu.SET_MEM_TABLE, struct.pack("<II", 0, 0))
    guest.connection.send(vu.ADD_MEM_REG, message(0, middle), [memory.fd])
    guest.connection.send(vu.ADD_MEM_REG, message(middle, memory.size - middle), [memory.fd])
    guest.start(0, queue, base)
    return middle


def test_a_request_spans_two_regions_until_one_is_removed(zoneio, image):
    z = zoneio("-f", "raw", str(image))
    z.export()
    guest = z.connect()
    middle = in_two_regions(guest)
    data = bytes(range(256)) * 256
    assert guest.write(MIB, data) == vu.OK
    assert image.read_bytes()[MIB:MIB + len(data)] == data
    assert guest.read(MIB, len(data)) == (vu.OK, data)
    guest.connection.send(vu.REM_MEM_REG, message(middle, guest.memory.size - middle))
    guest.config()                                  # the answer comes after the region was removed
    assert guest.read(MIB, 4096) == (vu.OK, data[:4096])
    guest.submit(vu.IN, MIB // 512, room=len(data))
    while z.exports()[0]["problems"] == 0:
        pass
    guest.close()
    assert "outside the shared memory" in z.exports()[0]["last_problem"]


INVALID = {
    "an unknown region": (vu.REM_MEM_REG, message(8 * MIB, 4096), "is not there to be removed"),
    "a region of another size": (vu.REM_MEM_REG, message(0, 4096), "is not there to be removed"),
    "an overlap": (vu.ADD_MEM_REG, message(0, 4096), "overlaps another"),
}


@pytest.mark.parametrize("what", INVALID)
def test_an_invalid_region(zoneio, image, what):
    request, payload, problem = INVALID[what]
    z = zoneio("-f", "raw", str(image))
    z.export()
    guest = z.connect()
    guest.connection.send(request, payload, [guest.memory.fd] if request == vu.ADD_MEM_REG else [])
    with pytest.raises(vu.Gone):
        guest.connection.receive()
    still_serves(z, problem)


def test_one_region_more_than_the_slots(zoneio, image):
    z = zoneio("-f", "raw", str(image))
    z.export()
    connection = vu.Connection(os.path.join(z.folder, "s"))
    slots = struct.unpack("<Q", connection.ask(vu.GET_MAX_MEM_SLOTS))[0]
    memory = vu.Memory((slots + 1) * 4096)
    for number in range(slots):
        connection.send(vu.ADD_MEM_REG, message(number * 4096, 4096), [memory.fd])
    connection.ask(vu.GET_FEATURES)                 # all of them were taken
    connection.send(vu.ADD_MEM_REG, message(slots * 4096, 4096), [memory.fd])
    with pytest.raises(vu.Gone):
        connection.receive()
    still_serves(z, f"is one more than {slots}")


# (size, offset, queues, entries of a ring) of in-flight memory in a file of 1 MiB, and the reported text.
INFLIGHT = {
    "a size too small": ((8, 0, 1, 64), "inflight memory of 8 bytes"),
    "an offset beyond the file": ((MIB, 2 * MIB, 1, 64), "inflight memory of 1048576 bytes"),
    "an odd offset": ((MIB, 4, 1, 64), "inflight memory of 1048576 bytes"),
    "no queue": ((MIB, 0, 0, 64), "inflight memory for 0 queues"),
    "a huge ring": ((MIB, 0, 1, 65535), "inflight memory for 1 queues of 65535"),
}


def invalid_inflight_memory(zoneio, image, what, fd, problem):
    z = zoneio("-f", "raw", str(image))
    z.export()
    connection = vu.Connection(os.path.join(z.folder, "s"))
    connection.send(vu.SET_INFLIGHT_FD, struct.pack("<QQHHI", *what, 0), [fd])
    with pytest.raises(vu.Gone):
        connection.receive()
    still_serves(z, problem)


@pytest.mark.parametrize("what", INFLIGHT)
def test_invalid_inflight_memory(zoneio, image, what):
    invalid_inflight_memory(zoneio, image, INFLIGHT[what][0], vu.Memory(MIB).fd, INFLIGHT[what][1])


def test_inflight_memory_that_is_no_regular_file(zoneio, image):
    invalid_inflight_memory(zoneio, image, (MIB, 0, 1, 64), os.eventfd(0), "inflight memory of 1048576 bytes")
