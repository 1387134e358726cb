"""What zoneio tells of an export in text: the list of requests, trace events, and the end of `export -w`."""
import os
import re
import select
import subprocess

import front_end as vu
import pytest
from conftest import PROGRAM

ZONED = "driver=zoned,size=32M,zone.size=4M,zone.conventional_zones=1"


class Prompt:
    """A zoneio that prints text, and everything on one stream."""

    def __init__(self, folder, *words):
        self.folder, self.pending = folder, ""
        self.process = subprocess.Popen([PROGRAM, *words], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)

    def until(self, text, line=""):
        """Sends a line and returns the output up to `text`."""
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()
        while text not in self.pending:
            assert select.select([self.process.stdout], [], [], 60)[0], self.pending
            more = os.read(self.process.stdout.fileno(), 65536)
            assert more, self.pending
            self.pending += more.decode()
        found, _, self.pending = self.pending.partition(text)
        return found

    def connect(self):
        return vu.FrontEnd(os.path.join(self.folder, "s"))

    def quit(self):
        output, _ = self.process.communicate(b"quit\n", 60)
        return self.pending + output.decode(), self.process.returncode


@pytest.fixture
def prompt(tmp_path):
    started = []

    def start(*words):
        started.append(Prompt(tmp_path, *words))
        return started[-1]
    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def test_the_list_counts_requests_bytes_and_errors(prompt):
    z = prompt("--image-opts", ZONED, "-t", "writeback")
    z.until("vhost-user at s", "export vhost-user s")
    guest = z.connect()
    assert guest.append(4 << 20, bytes(8192))[0] == vu.OK
    assert guest.write(8 << 20, bytes(4096)) == vu.OK
    assert guest.write((8 << 20) + 65536, bytes(4096)) == vu.UNALIGNED_WP
    guest.report()
    guest.queues[0].put(guest.queues[0].size)
    guest.queues[0].notify()
    listed = ""
    while "the protocol 1 time" not in listed:
        listed = z.until("32 MiB", "exports\nlength")
    rows = [line.strip() for line in listed.splitlines() if line.startswith("  ")]
    assert rows == ["write        2 requests, 4 KiB, 1 error", "append       1 request, 8 KiB", "report       1 request",
                    "front end broke the protocol 1 time: queue 0: descriptor 64 in a ring of 64"]


def test_trace_events(prompt):
    z = prompt("-T", "virtio_blk_*", "--image-opts", ZONED, "-t", "writeback", "-c", "export -w --once vhost-user s")
    while not os.path.exists(os.path.join(z.folder, "s")):
        pass
    z.until("vhost-user at s")
    guest = z.connect()
    guest.read(512, 1024)
    guest.write(1024, bytes(512))
    guest.append(4 << 20, bytes(4096))
    guest.report(0, 3)
    guest.manage(vu.RESET, 4 << 20)
    guest.manage(vu.FLUSH)
    guest.write(4 << 20 | 4096, bytes(512))
    guest.close()
    output, status = z.quit()
    events = [re.sub("0x[0-9a-f]{6,}", "P", line.split("virtio_blk_", 1)[1]) for line in output.splitlines()
              if "virtio_blk_" in line]
    assert status == 0
    assert [event for event in events if not event.startswith("req_complete")] == [
        "handle_read vdev P req P sector 1 nsectors 2",
        "handle_write vdev P req P sector 2 nsectors 1",
        "handle_zone_append vdev P req P append at sector 0x2000",
        "handle_zone_report vdev P req P sector 0x0 nr_zones 3",
        "handle_zone_mgmt vdev P req P type 24 sector 0x2000 nsectors 0x2000",
        "handle_other vdev P req P type 4 sector 0 nsectors 0",
        "handle_write vdev P req P sector 8200 nsectors 1"]
    assert [event.split()[-1] for event in events if event.startswith("req_complete")] == ["0"] * 6 + [str(vu.UNALIGNED_WP)]


def test_a_script_waits_for_its_front_end(image, prompt):
    z = prompt("-f", "raw", "-t", "writeback", str(image), "-c", "export -w --once vhost-user s", "-c", "read -qP 7 0 4k")
    z.until("vhost-user at s")
    guest = z.connect()
    assert guest.write(0, b"\7" * 4096) == vu.OK
    guest.close()
    assert z.process.wait(60) == 0
    assert not os.path.exists(os.path.join(z.folder, "s"))
