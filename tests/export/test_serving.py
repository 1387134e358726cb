"""Exports next to the prompt: commands while a guest works, the socket, the end of an export."""
import os
import signal
import socket
import stat
import subprocess

import front_end as vu
import pytest
from conftest import PROGRAM

MIB = 1 << 20
ZONED = "driver=zoned,size=32M,zone.size=4M,zone.conventional_zones=1"
BLKDEBUG = "driver=blkdebug,image.driver=raw,image.file.driver=file,image.file.filename=image"


def test_an_export_is_listed_and_ends(zoneio, image):
    z = zoneio("-f", "raw", str(image))
    assert z.export("-q", "2")["export"] == {"name": "disk0", "kind": "vhost-user", "address": "s", "read_only": False,
                                             "queues": 2}
    assert z.ok("export --name other -r vhost-user s2")["export"]["name"] == "other"
    first, second = z.exports()
    assert not first["connected"] and second["read_only"]
    guest = z.connect()
    guest.write(0, bytes(4096))
    first = z.exports()[0]
    assert first["connected"] and first["connections"] == 1
    assert first["requests"]["write"] == {"count": 1, "bytes": 4096, "errors": 0}
    assert z.command("unexport")["status"] == "error"
    assert z.command("unexport nobody")["status"] == "error"
    assert "name is empty" in z.command("export --name '' vhost-user s3")["error"]["message"]
    z.ok("unexport disk0")
    assert not os.path.exists(os.path.join(z.folder, "s")) and os.path.exists(os.path.join(z.folder, "s2"))
    with pytest.raises(vu.Gone):
        guest.do(vu.FLUSH)
    z.ok("unexport")
    assert z.exports() == []
    assert z.quit() [1] == ""


def test_close_open_and_reopen_are_refused(zoneio, image):
    z = zoneio("-f", "raw", str(image))
    z.export()
    for command in ("close", "reopen -r", "open image"):
        refused = z.command(command)
        assert refused["status"] == "error"
    assert z.command("close")["error"]["message"] == "close: the image is served as 'disk0'; 'unexport' ends that"
    why = z.ok("why")
    assert why["cause"] == "served" and why["repair"] == "unexport"
    guest = z.connect()
    assert guest.write(0, b"x" * 512) == vu.OK
    z.ok("unexport")
    z.ok("reopen -r")
    z.ok("close")


def test_quit_ends_exports(zoneio, image):
    z = zoneio("-f", "raw", "-t", "writeback", str(image))
    z.export()
    guest = z.connect()
    requests = [guest.submit(vu.OUT, i * 8, b"q" * 4096) for i in range(16)]
    guest.wait(*requests)
    assert z.quit() == (0, "")
    assert image.read_bytes()[:16 * 4096] == b"q" * 16 * 4096
    assert not os.path.exists(os.path.join(z.folder, "s"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_wait_serves_until_a_signal(tmp_path, image, number):
    with subprocess.Popen([PROGRAM, "-f", "raw", str(image), "-c", "export -w vhost-user s", "-c", "length"], cwd=tmp_path,
                          stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"disk0: vhost-user at s\n"
        guest = vu.FrontEnd(str(tmp_path / "s"))
        assert guest.write(0, b"w" * 512) == vu.OK
        process.send_signal(number)
        assert process.stdout.read() == b"16 MiB\n"
        assert process.wait() == 0
    assert image.read_bytes()[:512] == b"w" * 512
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_termination_ends_exports_in_order(zoneio, image, number):
    z = zoneio("-f", "raw", "-t", "writeback", str(image))
    z.export()
    guest = z.connect()
    requests = [guest.submit(vu.OUT, i * 8, b"q" * 4096) for i in range(16)]
    guest.wait(*requests)
    z.process.send_signal(number)
    assert z.process.wait() == -number
    assert image.read_bytes()[:16 * 4096] == b"q" * 16 * 4096
    assert not os.path.exists(os.path.join(z.folder, "s"))


def test_termination_ends_the_program_when_nothing_is_served(zoneio, image):
    z = zoneio("-f", "raw", str(image))
    z.export()
    z.ok("unexport")
    assert z.command("export vhost-user image")["status"] == "error"
    z.process.send_signal(signal.SIGTERM)
    assert z.process.wait() == -signal.SIGTERM


def test_once_ends_with_the_front_end(zoneio, image, tmp_path):
    z = zoneio("-f", "raw", str(image))
    z.start("export -w --once vhost-user s")
    while not (tmp_path / "s").exists():
        assert z.process.poll() is None
    guest = z.connect()
    guest.write(0, bytes(512))
    guest.close()
    assert z.result()["status"] == "ok"
    assert z.exports() == []


def test_the_socket_is_for_its_owner_and_replaces_nothing_else(zoneio, image, tmp_path):
    z = zoneio("-f", "raw", str(image))
    z.export()
    assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) == 0o600
    refused = z.command("export --name b vhost-user s")
    assert refused["error"]["errno"] == "EADDRINUSE" and z.ok("why")["cause"] == "socket-in-use"
    refused = z.command("export --name b vhost-user image")
    assert refused["error"]["errno"] == "EEXIST" and z.ok("why")["cause"] == "no-socket"
    assert image.stat().st_size == 16 * MIB
    assert z.command("export --name b vhost-user nowhere/s")["error"]["errno"] == "ENOENT"
    assert z.command(f"export --name b vhost-user {'x' * 200}")["error"]["errno"] == "ENAMETOOLONG"
    assert z.command("export --name disk0 vhost-user s3")["status"] == "error"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "s4"))
    stale.close()
    z.ok("export --name b vhost-user s4")
    # Another program's socket with the same name is not removed.
    os.unlink(tmp_path / "s4")
    other = socket.socket(socket.AF_UNIX)
    other.bind(str(tmp_path / "s4"))
    z.ok("unexport b")
    assert (tmp_path / "s4").exists()


def test_a_front_end_that_comes_back_finds_the_device(zoneio, image):
    z = zoneio("-f", "raw", str(image))
    z.export()
    for number in range(3):
        guest = z.connect()
        assert guest.write(number * 512, bytes([number]) * 512) == vu.OK
        guest.close()
    assert z.exports()[0]["connections"] == 3
    first = z.connect()
    waiting = vu.Connection(os.path.join(z.folder, "s"))       # one at a time: this one waits
    assert first.read(0, 1536)[1] == b"\0" * 512 + b"\1" * 512 + b"\2" * 512
    first.close()
    assert waiting.ask(vu.GET_QUEUE_NUM) == b"\1" + bytes(7)


def test_a_stopped_ring_continues_where_it_was(zoneio, image):
    z = zoneio("-f", "raw", str(image))
    z.export()
    guest = z.connect()
    assert guest.write(0, b"1" * 512) == vu.OK
    base = guest.stop()
    assert base == 1
    late = guest.submit(vu.OUT, 1, b"2" * 512)
    guest.start(0, guest.queues[0], base)
    guest.wait(late)
    assert guest.read(0, 1024)[1] == b"1" * 512 + b"2" * 512


def test_a_request_is_held_at_a_breakpoint_and_resumed(zoneio, image):
    z = zoneio("--image-opts", BLKDEBUG)
    z.export()
    guest = z.connect()
    z.ok("break pwritev A")
    held = guest.submit(vu.OUT, 0, b"h" * 512)
    assert "Suspended request 'A'" in z.ok("wait_break A").get("output", "")
    assert z.ok("read -P 0 0 512")["request"]["bytes"] == 512
    other = guest.do(vu.IN, 8, room=512)
    assert other.status == vu.OK and held.status is None
    z.ok("resume A")
    guest.wait(held)
    assert held.status == vu.OK
    assert guest.read(0, 512)[1] == b"h" * 512


def test_the_end_of_an_export_resumes_held_requests(zoneio, image):
    z = zoneio("--image-opts", BLKDEBUG)
    z.export()
    guest = z.connect()
    z.ok("break pwritev A")
    held = guest.submit(vu.OUT, 0, b"h" * 512)
    z.ok("wait_break A")
    z.ok("unexport")
    guest.collect(0)
    assert held.status == vu.OK
    assert image.read_bytes()[:512] == b"h" * 512


def test_injected_errors_affect_only_their_request(zoneio, tmp_path):
    rules = tmp_path / "rules"
    rules.write_text('[inject-error]\nevent = "zone_append"\nerrno = "5"\nonce = "on"\n'
                     '[inject-error]\nevent = "zone_reset"\nerrno = "5"\nonce = "on"\n')
    z = zoneio("--image-opts", "driver=blkdebug,config=rules,image.driver=zoned,image.size=32M,image.zone.size=4M")
    z.export()
    guest = z.connect()
    assert guest.append(0, bytes(512))[0] == vu.IOERR
    assert guest.append(0, bytes(512)) == (vu.OK, 0)
    assert guest.manage(vu.RESET, 0) == vu.IOERR
    assert guest.manage(vu.RESET, 0) == vu.OK


def test_commands_and_a_guest_use_the_image_at_the_same_time(zoneio):
    z = zoneio("--image-opts", ZONED)
    z.export()
    guest = z.connect()
    at = 4 * MIB
    for number in range(200):
        request = guest.submit(vu.APPEND, 4 * MIB // 512, bytes([number]) * 4096)
        z.ok("zone_report 0 8")
        z.ok(f"write -P {number} {number * 512} 512")
        guest.wait(request)
        assert (request.status, request.sector * 512) == (vu.OK, at)
        at += 4096
    assert z.ok("zone_report 4M 1")["zones"][0]["write_pointer"] == at


def test_quit_finishes_requests_in_flight(zoneio, image):
    z = zoneio("--object", "throttle-group,id=g,x-iops-total=1", "--image-opts",
               "driver=throttle,throttle-group=g,file.driver=raw,file.file.driver=file,file.file.filename=image")
    z.export()
    guest = z.connect()
    requests = [guest.submit(vu.OUT, i * 8, b"f" * 4096) for i in range(50)]
    assert z.quit() == (0, "")
    guest.collect(0)
    assert all(request.status == vu.OK for request in requests)
    assert image.read_bytes()[:50 * 4096] == b"f" * 50 * 4096


def test_throttled_requests_wait_and_end_with_the_export(zoneio, image):
    z = zoneio("--object", "throttle-group,id=g,x-iops-total=1", "--image-opts",
               "driver=throttle,throttle-group=g,file.driver=raw,file.file.driver=file,file.file.filename=image")
    z.export()
    guest = z.connect()
    requests = [guest.submit(vu.IN, 0, room=512) for _ in range(50)]
    z.ok("unexport")
    guest.collect(0)
    assert all(request.status == vu.OK for request in requests)
