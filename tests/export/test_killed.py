"""After zoneio is killed, the next zoneio continues and does no request twice."""
import mmap
import os
import random
import struct
import subprocess

import front_end as vu
import pytest
from conftest import PROGRAM

KIB, MIB = 1 << 10, 1 << 20
FILE = "driver=zoned,filename=disk"
SHAPE = "zone.size=4M,zone.conventional_zones=1"
KILLS = int(os.environ.get("ZONEIO_EXPORT_KILLS", "12"))


class Shared:
    """State that a front end keeps until its back end returns."""

    def __init__(self, queues=1, size=64, room=1 << 15):
        self.options = {"queues": queues, "size": size, "room": room, "inflight": []}

    def connect(self, z):
        """Connects a front end whose rings continue where they were."""
        guest = z.connect(**self.options)
        if "memory" in self.options:
            for queue in guest.queues:
                queue.notify()
        self.options["memory"] = (guest.memory, guest.queues)
        return guest

    def take_back_the_answer(self, request, queue=0):
        """Removes the last answer of a ring, as if the back end had been killed after the request and before the answer."""
        memory, queues = self.options["memory"]
        ring = queues[queue]
        used = (memory.u16(ring.used + 2) - 1) & 0xFFFF
        memory.set_u16(ring.used + 2, used)
        ring.last_used = used
        ring.free.remove(request.head)
        ring.under_way[request.head] = request
        request.status = None
        memory.map[request.written + request.room + (15 if request.is_append else 0)] = 0xFF
        if self.options["inflight"]:
            self.note_as_taken(request.head, used)

    def note_as_taken(self, head, used):
        description, fd = self.options["inflight"]
        size = struct.unpack_from("<Q", description)[0]
        with mmap.mmap(fd, size) as notes:
            struct.pack_into("<H", notes, 14, used)
            notes[16 + 16 * head] = 1


@pytest.fixture
def disk(zoneio, tmp_path):
    """Kills the running zoneio, and starts another one that exports a zoned file."""
    running = []

    def start(more=""):
        for z in running:
            z.kill()
        if not (tmp_path / "disk").exists():
            subprocess.run([PROGRAM, "-c", f"create -f zoned -o {SHAPE} disk 32M"], cwd=tmp_path, check=True)
        running[:] = [zoneio("--image-opts", FILE, *more.split())]
        running[0].export("-q", "4")
        return running[0]
    return start


def pointer(z, zone=1):
    return z.ok(f"zone_report {zone}z 1")["zones"][0]["write_pointer"]


@pytest.mark.parametrize("cache", ["writeback", "writethrough"])
def test_an_append_that_was_done_is_not_done_again(disk, cache):
    shared = Shared()
    guest = shared.connect(disk(f"-t {cache}"))
    first = guest.do(vu.APPEND, 4 * MIB // 512, b"1" * 4096)
    done = guest.do(vu.APPEND, 4 * MIB // 512, b"2" * 4096)
    assert (first.status, done.status, done.sector * 512) == (vu.OK, vu.OK, 4 * MIB + 4096)
    shared.take_back_the_answer(done)
    z = disk(f"-t {cache}")
    guest = shared.connect(z)
    guest.wait(done)
    assert (done.status, done.sector * 512) == (vu.OK, 4 * MIB + 4096)
    assert pointer(z) == 4 * MIB + 8192
    assert guest.append(4 * MIB, b"3" * 4096) == (vu.OK, 4 * MIB + 8192)


def test_equal_appends_are_each_done_once(disk):
    shared = Shared()
    guest = shared.connect(disk())
    for number in range(3):
        assert guest.append(4 * MIB, b"s" * 4096) == (vu.OK, 4 * MIB + number * 4096)
    last = guest.submit(vu.APPEND, 4 * MIB // 512, b"s" * 4096, notify=False)
    z = disk()
    guest = shared.connect(z)
    guest.wait(last)
    assert (last.status, last.sector * 512) == (vu.OK, 4 * MIB + 3 * 4096)
    assert pointer(z) == 4 * MIB + 4 * 4096


@pytest.mark.parametrize("kind", ["write", "zeroes"])
@pytest.mark.parametrize("notes", ["inflight", "none"])
def test_a_write_that_was_done_is_answered(disk, kind, notes):
    shared = Shared()
    if notes == "none":
        shared.options["inflight"] = None
    guest = shared.connect(disk())
    if kind == "write":
        done = guest.do(vu.OUT, 4 * MIB // 512, b"w" * 16 * KIB)
    else:
        done = guest.do(vu.WRITE_ZEROES, out=struct.pack("<QII", 4 * MIB // 512, 200 * KIB // 512, 0))
    assert done.status == vu.OK
    shared.take_back_the_answer(done)
    z = disk()
    before = pointer(z)
    guest = shared.connect(z)
    guest.wait(done)
    assert done.status == vu.OK and pointer(z) == before
    # A write of other data at that offset fails as usual: it is not at the write pointer.
    assert guest.write(4 * MIB, b"x" * 4096) == vu.UNALIGNED_WP


def test_a_write_of_other_data_is_not_a_repetition(disk):
    shared = Shared()
    guest = shared.connect(disk())
    done = guest.do(vu.OUT, 4 * MIB // 512, b"w" * 4096)
    shared.take_back_the_answer(done)
    memory, _ = shared.options["memory"]
    at = memory.map.find(b"w" * 4096)
    memory.map[at + 4095] = ord("x")
    z = disk()
    guest = shared.connect(z)
    guest.wait(done)
    assert done.status == vu.UNALIGNED_WP and pointer(z) == 4 * MIB + 4096


def test_a_close_or_reset_that_was_done_is_answered(disk):
    shared = Shared()
    for kind, state in ((vu.OPEN, "explicit-open"), (vu.CLOSE, "empty"), (vu.FINISH, "full"), (vu.RESET, "empty")):
        guest = shared.connect(disk())
        done = guest.do(kind, 4 * MIB // 512)
        assert done.status == vu.OK
        shared.take_back_the_answer(done)
        z = disk()
        guest = shared.connect(z)
        guest.wait(done)
        assert done.status == vu.OK, vu.STATUS_NAMES[done.status]
        assert z.ok("zone_report 1z 1")["zones"][0]["state"] == state or kind == vu.OPEN


def test_without_inflight_memory_answers_keep_the_order(disk):
    """Answers come in order, so everything before the last answer has been answered."""
    z = disk("-t directsync")
    guest = z.connect(size=64, room=1 << 15)
    rng = random.Random(7)
    requests = []
    for number in range(40):
        kind = rng.choice([vu.IN, vu.FLUSH, vu.APPEND])
        requests.append(guest.submit(kind, 4 * MIB // 512 if kind == vu.APPEND else 0, b"a" * 4096 if kind == vu.APPEND else b"",
                                     4096 if kind == vu.IN else 0))
    guest.wait(*requests)
    memory, ring = guest.memory, guest.queues[0]
    order = [struct.unpack_from("<I", memory.map, ring.used + 4 + 8 * i)[0] for i in range(40)]
    assert order == [request.head for request in requests]


@pytest.mark.parametrize("cache", ["writeback", "directsync"])
def test_kills_under_load(disk, cache):
    """Appends, writes and reads on four queues with repeated kills: each request is done once."""
    rng = random.Random(cache)
    shared = Shared(queues=4)
    z = disk(f"-t {cache}")
    guest = shared.connect(z)
    at = {zone: zone * 4 * MIB for zone in (1, 2, 3, 4)}     # bytes requested so far
    written = {}                                             # offset: data
    conventional = {}
    for number in range(KILLS):
        batch = []
        for _ in range(rng.choice([8, 40])):
            queue, size = rng.randrange(4), rng.choice([512, 4096, 16384])
            zone, data = rng.choice([0, 1, 2, 3, 4]), rng.randbytes(size)
            if zone == 0:
                block = rng.randrange(64) * 16384
                if any(entry[2] == block for entry in batch):
                    continue
                batch.append((guest.submit(vu.OUT, block // 512, data, queue=queue), data, block))
            elif zone < 4:
                batch.append((guest.submit(vu.APPEND, zone * 4 * MIB // 512, data, queue=queue), data, None))
                at[zone] += size
            else:
                # One queue keeps its order, so the next write starts where this one ends.
                batch.append((guest.submit(vu.OUT, at[zone] // 512, data, queue=1), data, at[zone]))
                at[zone] += size
        for _ in range(rng.randrange(200)):
            for queue in range(4):
                guest.collect(queue)
        z = disk(f"-t {cache}")                              # kills the running zoneio
        guest.connection.close()
        guest = shared.connect(z)
        guest.wait(*(entry[0] for entry in batch))
        for request, data, place in batch:
            assert request.status == vu.OK, vu.STATUS_NAMES[request.status]
            if request.is_append:
                place = request.sector * 512
            if place < 4 * MIB:
                conventional[place] = data
            else:
                assert place not in written
                written[place] = data
        assert {zone: pointer(z, zone) for zone in at} == at
    for place, data in list(written.items()) + list(conventional.items()):
        assert guest.read(place, len(data)) == (vu.OK, data)
    assert sum(map(len, written.values())) == sum(end - zone * 4 * MIB for zone, end in at.items())
