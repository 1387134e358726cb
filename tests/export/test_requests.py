"""Requests of a guest to an exported image, plain and zoned."""
import os
import random
import struct

import front_end as vu
import pytest

KIB, MIB = 1 << 10, 1 << 20
REQUESTS = int(os.environ.get("ZONEIO_EXPORT_REQUESTS", "150"))
ZONED = "driver=zoned,size=32M,zone.size=4M,zone.conventional_zones=1"


def words(config, at, letters):
    return struct.unpack_from("<" + letters, config, at)


def test_reads_writes_and_the_file_agree(zoneio, image):
    z = zoneio("-f", "raw", str(image))
    z.export()
    guest = z.connect()
    data = random.Random(1).randbytes(64 * KIB)
    assert guest.write(1 * MIB, data) == vu.OK
    assert guest.read(1 * MIB, len(data)) == (vu.OK, data)
    assert image.read_bytes()[MIB:MIB + len(data)] == data
    assert z.ok("read -P 0 0 1M")["request"]["bytes"] == MIB
    assert guest.do(vu.FLUSH).status == vu.OK
    assert guest.do(vu.GET_ID, room=20).data == b"disk0".ljust(20, b"\0")


def test_the_configuration_describes_the_image(zoneio, image):
    z = zoneio("-f", "raw", "-t", "writeback", str(image))
    z.export("-q", "3", "--name", "a-very-long-name-of-a-disk")
    guest = z.connect(queues=3)
    config = guest.config()
    assert words(config, 0, "Q") == (16 * MIB // 512,)
    assert words(config, 20, "I") == (512,)
    assert words(config, 32, "B") == (1,)
    assert words(config, 34, "H") == (3,)
    assert guest.most_queues == 3
    assert words(config, 72, "IIIIIB") == (0, 0, 0, 0, 0, 0)
    assert not guest.offered >> vu.F_ZONED & 1
    assert guest.do(vu.GET_ID, room=20).data == b"a-very-long-name-of-"


def test_the_configuration_gives_the_limits_of_discard_and_write_zeroes(zoneio, image):
    z = zoneio("--image-opts", "driver=blkdebug,align=4096,max-discard=1M,max-write-zero=2M,image.driver=raw,"
               "image.file.driver=file,image.file.filename=image")
    z.export()
    config = z.connect().config()
    assert words(config, 20, "I") == (4096,)
    assert words(config, 36, "III") == (MIB // 512, 1, 4096 // 512)
    assert words(config, 48, "II") == (2 * MIB // 512, 1)


@pytest.mark.parametrize("aio", ["threads", "native", "io_uring"])
@pytest.mark.parametrize("cache", ["writethrough", "writeback", "none", "directsync", "unsafe"])
@pytest.mark.parametrize("queues", [1, 2, 4])
def test_random_requests_give_what_a_model_gives(zoneio, image, cache, aio, queues):
    if aio == "native" and cache not in ("none", "directsync"):
        pytest.skip("native needs O_DIRECT")
    z = zoneio("-f", "raw", "-t", cache, "-i", aio, str(image))
    z.export("-q", str(queues))
    guest = z.connect(queues=queues)
    rng = random.Random(f"{cache} {aio} {queues}")
    model = bytearray(16 * MIB)
    busy, under_way = set(), []

    def finish(request, kind, offset, data, blocks):
        assert request.status == vu.OK
        if kind == vu.IN:
            assert request.data == model[offset:offset + len(request.data)]
        busy.difference_update(blocks)

    for _ in range(REQUESTS):
        offset = rng.randrange(0, 16 * MIB // 4096 - 16) * 4096 + rng.choice([0, 0, 512])
        length = rng.choice([512, 4096, 4096, 8192, 65536])
        blocks = set(range(offset // 4096, (offset + length - 1) // 4096 + 1))
        if blocks & busy:
            continue
        kind = rng.choice([vu.IN, vu.IN, vu.OUT, vu.OUT, vu.OUT, vu.FLUSH, vu.WRITE_ZEROES, vu.DISCARD])
        queue = rng.randrange(queues)
        if kind == vu.DISCARD:
            # The content after a discard is undefined, so the allocation of the file is checked.
            assert guest.ranges(kind, offset, length, queue=queue) == vu.OK
            with open(image, "rb") as f:
                f.seek(offset)
                model[offset:offset + length] = f.read(length)
            continue
        data = rng.randbytes(length) if kind == vu.OUT else b""
        if kind == vu.OUT:
            model[offset:offset + length] = data
        elif kind == vu.WRITE_ZEROES:
            model[offset:offset + length] = bytes(length)
            data = struct.pack("<QII", offset // 512, length // 512, rng.randrange(2))
        request = guest.submit(kind, offset // 512 if kind in (vu.IN, vu.OUT) else 0, data,
                               length if kind == vu.IN else 0, queue)
        blocks = set() if kind == vu.FLUSH else blocks
        busy |= blocks
        under_way.append((request, kind, offset, data, blocks))
        if len(under_way) >= rng.choice([1, 16, 32]):
            guest.wait(*(entry[0] for entry in under_way))
            for entry in under_way:
                finish(*entry)
            under_way = []
    guest.wait(*(entry[0] for entry in under_way))
    for entry in under_way:
        finish(*entry)
    assert guest.do(vu.FLUSH).status == vu.OK
    assert image.read_bytes() == model
    assert z.ok(f"length")["length"] == 16 * MIB
    assert z.quit() == (0, "")


def test_a_read_only_export_refuses_changes(zoneio, image):
    z = zoneio("-r", "-f", "raw", str(image))
    refused = z.command("export vhost-user s")
    assert refused["status"] == "error" and "export -r" in refused["error"]["message"]
    z.export("-r")
    guest = z.connect()
    assert guest.offered >> vu.F_RO & 1
    assert guest.read(0, 4096) == (vu.OK, bytes(4096))
    assert guest.write(0, bytes(512)) == vu.IOERR
    assert guest.ranges(vu.WRITE_ZEROES, 0, 4096) == vu.IOERR
    assert guest.do(vu.FLUSH).status == vu.OK


def test_invalid_requests_are_refused(zoneio, image):
    z = zoneio("-f", "raw", str(image))
    z.export()
    guest = z.connect()
    assert guest.do(99).status == vu.UNSUPP
    assert guest.do(vu.REPORT, room=4096).status == vu.UNSUPP
    assert guest.do(vu.RESET).status == vu.UNSUPP
    assert guest.do(vu.IN, 0, room=100).status == vu.IOERR
    assert guest.do(vu.OUT, 0, out=b"x").status == vu.IOERR
    assert guest.read(16 * MIB - 512, 1024)[0] == vu.IOERR
    assert guest.do(vu.IN, 2**64 - 1, room=512).status == vu.IOERR
    assert guest.do(vu.IN, 2**55 - 1, room=512).status == vu.IOERR
    assert guest.do(vu.DISCARD, out=bytes(15)).status == vu.IOERR
    assert guest.do(vu.DISCARD, out=bytes(32)).status == vu.IOERR
    assert guest.ranges(vu.DISCARD, 0, 4096, flags=1) == vu.UNSUPP
    assert guest.ranges(vu.WRITE_ZEROES, 0, 4096, flags=2) == vu.UNSUPP
    assert guest.ranges(vu.WRITE_ZEROES, 2**63, 4096) == vu.IOERR
    errors = {kind: count["errors"] for kind, count in z.exports()[0]["requests"].items()}
    assert errors["read"] == 4 and errors["write"] == 1 and errors["discard"] == 3


def test_flushes_and_forced_writes_reach_the_medium(zoneio, image):
    """Checked by trace events: an image opened as writethrough forces out all writes; otherwise the driver decides."""
    z = zoneio("-f", "raw", "-t", "writeback", "-T", "blk_co_pwritev", str(image))
    z.export()
    plain = z.connect(features=0)                # neither FLUSH nor CONFIG_WCE: all writes are forced
    assert plain.write(0, bytes(512)) == vu.OK
    plain.close()
    guest = z.connect()
    assert guest.write(4096, bytes(512)) == vu.OK
    guest.set_writeback(False)
    assert guest.config()[32] == 0               # the answer comes after the earlier message was handled
    assert guest.write(8192, bytes(512)) == vu.OK
    guest.set_writeback(True)
    assert guest.config()[32] == 1
    assert guest.write(12288, bytes(512)) == vu.OK
    guest.close()
    flags = [line.rsplit("flags ", 1)[1] for line in z.quit()[1].splitlines()]
    assert flags == ["0x10", "0x0", "0x10", "0x0"]


def zoned(zoneio, more="", *words_of_export):
    z = zoneio("--image-opts", ZONED + more)
    z.export(*words_of_export)
    return z, z.connect()


def test_reported_zones_match_the_device(zoneio):
    z, guest = zoned(zoneio, ",zone.max_open_zones=3,zone.max_active_zones=4,zone.capacity=3M,zone.max_append_bytes=128k")
    assert guest.offered >> vu.F_ZONED & 1 and not guest.offered >> vu.F_DISCARD & 1
    assert words(guest.config(), 72, "IIIIIB") == (8192, 3, 4, 256, 512, 1)
    assert guest.write(4 * MIB, bytes(4096)) == vu.OK
    z.ok("zone_open 8M 4M")
    zones = guest.report()
    assert [zone[0] for zone in zones] == [i * 4 * MIB for i in range(8)]
    assert [zone[4] for zone in zones] == [0, 2, 3, 1, 1, 1, 1, 1]
    assert zones[0][1] == 4 * MIB and zones[1][1] == 3 * MIB and zones[1][2] == 4 * MIB + 4096
    assert [zone[0] for zone in guest.report(9 * MIB, 2)] == [8 * MIB, 12 * MIB]
    assert z.exports()[0]["takes_zones"]


def test_zone_commands(zoneio):
    z, guest = zoned(zoneio)
    assert guest.append(4 * MIB, b"a" * 4096) == (vu.OK, 4 * MIB)
    assert guest.append(4 * MIB, b"b" * 8192) == (vu.OK, 4 * MIB + 4096)
    assert guest.read(4 * MIB, 12288) == (vu.OK, b"a" * 4096 + b"b" * 8192)
    assert guest.manage(vu.FINISH, 4 * MIB) == vu.OK
    assert guest.manage(vu.OPEN, 8 * MIB) == vu.OK
    assert guest.write(8 * MIB, bytes(512)) == vu.OK
    assert guest.manage(vu.CLOSE, 8 * MIB) == vu.OK
    assert [zone[4] for zone in guest.report(count=3)] == [0, 14, 4]
    assert guest.manage(vu.RESET, 8 * MIB) == vu.OK
    assert [zone[4] for zone in guest.report(count=3)] == [0, 14, 1]
    assert guest.manage(vu.RESET_ALL) == vu.OK
    assert [zone[4] for zone in guest.report(count=3)] == [0, 1, 1]
    assert z.exports()[0]["requests"]["manage"] == {"count": 5, "bytes": 0, "errors": 0}
    assert guest.ranges(vu.WRITE_ZEROES, 4 * MIB, 65536) == vu.OK
    assert guest.report(4 * MIB, 1)[0][2] == 4 * MIB + 65536


def test_each_refusal_has_its_own_status(zoneio):
    z, guest = zoned(zoneio, ",zone.max_open_zones=2,zone.max_active_zones=3,zone.capacity=3M,zone.max_append_bytes=64k")
    assert guest.write(4 * MIB + 512, bytes(512)) == vu.UNALIGNED_WP
    assert guest.write(7 * MIB, bytes(512)) == vu.UNALIGNED_WP
    assert guest.append(4 * MIB + 512, bytes(512))[0] == vu.INVALID_CMD
    assert guest.append(0, bytes(512))[0] == vu.INVALID_CMD
    assert guest.append(4 * MIB, bytes(65536 + 512))[0] == vu.INVALID_CMD
    assert guest.do(vu.APPEND, 8192).status == vu.IOERR
    assert guest.manage(vu.OPEN, 0) == vu.INVALID_CMD
    assert guest.manage(vu.OPEN, 4 * MIB + 512) == vu.INVALID_CMD
    assert guest.manage(vu.OPEN, 32 * MIB) == vu.INVALID_CMD
    assert guest.manage(vu.CLOSE, 4 * MIB) == vu.INVALID_CMD
    assert guest.manage(vu.FINISH, 4 * MIB) == vu.OK
    assert guest.manage(vu.OPEN, 4 * MIB) == vu.INVALID_CMD
    assert guest.write(4 * MIB, bytes(512)) == vu.INVALID_CMD
    assert guest.append(4 * MIB, bytes(512))[0] == vu.INVALID_CMD
    assert guest.manage(vu.OPEN, 8 * MIB) == guest.manage(vu.OPEN, 12 * MIB) == vu.OK
    assert guest.write(16 * MIB, bytes(512)) == vu.OPEN_RESOURCE
    assert guest.manage(vu.OPEN, 16 * MIB) == vu.OPEN_RESOURCE
    assert guest.append(16 * MIB, bytes(512))[0] == vu.OPEN_RESOURCE
    assert guest.write(8 * MIB, bytes(512)) == guest.manage(vu.CLOSE, 8 * MIB) == vu.OK
    assert guest.manage(vu.OPEN, 16 * MIB) == vu.OK
    assert guest.manage(vu.CLOSE, 12 * MIB) == vu.OK            # empty again: nothing was written
    assert guest.write(12 * MIB, bytes(512)) == vu.OK
    assert guest.append(20 * MIB, bytes(512))[0] == vu.ACTIVE_RESOURCE
    assert guest.do(vu.IN, (8 * MIB - 512) // 512, room=1024).status == vu.INVALID_CMD


def test_a_write_past_the_capacity_is_an_invalid_command(zoneio):
    z, guest = zoned(zoneio, ",zone.capacity=3M,zone.max_append_bytes=64k")
    z.ok("write 4M 3064k")
    pointer, room = 4 * MIB + 3064 * KIB, 8 * KIB
    assert guest.write(pointer, bytes(room + 512)) == vu.INVALID_CMD
    assert guest.append(4 * MIB, bytes(room + 512))[0] == vu.INVALID_CMD
    assert guest.append(4 * MIB, bytes(room)) == (vu.OK, pointer)
    assert guest.report(4 * MIB, 1)[0][4] == 14


def test_read_only_and_offline_zones_refuse_requests(zoneio):
    z, guest = zoned(zoneio)
    assert guest.write(4 * MIB, b"x" * 4096) == guest.write(8 * MIB, b"y" * 4096) == vu.OK
    z.ok("zone_condition 4M 4M offline")
    z.ok("zone_condition 8M 4M readonly")
    assert guest.read(4 * MIB, 4096)[0] == vu.INVALID_CMD
    assert guest.write(4 * MIB + 4096, bytes(512)) == vu.INVALID_CMD
    assert guest.manage(vu.RESET, 4 * MIB) == vu.INVALID_CMD
    assert guest.read(8 * MIB, 4096) == (vu.OK, b"y" * 4096)
    assert guest.append(8 * MIB, bytes(512))[0] == vu.INVALID_CMD
    assert [zone[4] for zone in guest.report(count=3)] == [0, 15, 13]
    assert guest.write(12 * MIB, bytes(512)) == vu.OK


def test_a_driver_without_zones_sees_an_ordinary_disk(zoneio):
    z = zoneio("--image-opts", ZONED)
    z.export()
    guest = z.connect(features=1 << vu.F_FLUSH)
    assert guest.do(vu.REPORT, room=4096).status == vu.UNSUPP
    assert guest.append(4 * MIB, bytes(512))[0] == vu.UNSUPP
    assert guest.write(4 * MIB, bytes(512)) == vu.OK
    assert guest.write(4 * MIB + 4096, bytes(512)) == vu.IOERR
    assert not z.exports()[0]["takes_zones"]


def test_zone_sizes_that_linux_refuses_cause_a_warning(zoneio):
    z = zoneio("--image-opts", "driver=zoned,size=12M,zone.size=3M")
    assert "powers of two" in z.export()["warnings"][0]
