# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of ublk in a guest share: devices, zoneios that serve them, writers that check, and running the parts of a test."""
import errno
import fcntl
import hashlib
import mmap
import os
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, "/test/export")
from conftest import Zoneio                     # noqa: E402

MiB = 1 << 20
ZONE = 16 * MiB
SHAPE = "zone.size=16M,zone.conventional_zones=2,zone.max_open_zones=12,zone.max_active_zones=14,zone.max_append_bytes=512k"
BLKDISCARD, BLKZEROOUT = 0x1277, 0x127f
RESET, OPEN, CLOSE, FINISH = (0x40101283 + n for n in (0, 3, 4, 5))
failed = checks = 0


def expect(title, is_so, *more):
    global failed, checks
    checks += 1
    failed += not is_so
    print(f"{'ok' if is_so else 'FAILED'}: {title}", *(() if is_so else more), flush=True)


def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def does(title, *words):
    status, text = run(*words)
    expect(title, status == 0, words, status, text)


def queue(device, name):
    with open(f"/sys/block/{os.path.basename(device)}/queue/{name}", encoding="ascii") as f:
        return f.read().strip()


class Device:
    """Direct access to a block device."""

    def __init__(self, path, flags=0):
        self.fd = os.open(path, os.O_RDWR | os.O_DIRECT | flags)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def write(self, offset, data):
        with mmap.mmap(-1, len(data)) as memory:
            memory[:] = data
            return os.pwritev(self.fd, [memory], offset)

    def read(self, offset, length):
        with mmap.mmap(-1, length) as memory:
            got = os.preadv(self.fd, [memory], offset)
            return memory[:got]

    def error_of(self, call, *arguments):
        """The errno of the call; 0 if it succeeds."""
        try:
            getattr(self, call)(*arguments)
        except OSError as e:
            return e.errno
        return 0

    def range(self, code, offset, length):
        fcntl.ioctl(self.fd, code, struct.pack("QQ", offset, length))

    def zones(self, code, first, count=1):
        fcntl.ioctl(self.fd, code, struct.pack("QQ", first * ZONE // 512, count * ZONE // 512))


def report(device, first=0, count=1 << 20):
    """[(write pointer in bytes from the start of the zone, state, type)]"""
    zones = []
    with open(device, "rb", buffering=0) as f:
        chunk = 1024
        sector = first * int(queue(device, "chunk_sectors"))
        while len(zones) < count:
            buffer = bytearray(16 + 64 * chunk)
            struct.pack_into("QII", buffer, 0, sector, min(chunk, count - len(zones)), 0)
            fcntl.ioctl(f, 0xC0101282, buffer)
            number = struct.unpack_from("I", buffer, 8)[0]
            if number == 0:
                break
            for i in range(number):
                start, length, pointer, kind, condition = struct.unpack_from("QQQBB", buffer, 16 + 64 * i)
                zones.append(((pointer - start) * 512, condition, kind))
                sector = start + length
    return zones


class Served(Zoneio):
    """A zoneio in its own folder that serves a device."""

    def serve(self, *words):
        self.served = self.ok(" ".join(["export", *words]))["export"]
        self.device = self.served["address"]
        return self.device

    def requests(self, kind, what="count"):
        return self.exports()[0]["requests"][kind][what]


def is_block_device(path):
    try:
        return stat.S_ISBLK(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


def make_zoned(folder, name="disk", shape=SHAPE, size="1G"):
    subprocess.run([os.environ["ZONEIO"], "-c", f"create -F -f zoned -o {shape} {name} {size}"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)


def serve_zoned(folder, *words, name="disk"):
    z = Served(folder, "--image-opts", f"driver=zoned,filename={name}", "-t", "writeback")
    z.serve(*(words or ("ublk",)))
    return z


def wait_for(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def mounted(device, kind="btrfs", folder="/mnt/b"):
    run("modprobe", kind)
    os.makedirs(folder, exist_ok=True)
    return run("mount", "-t", kind, device, folder)


class Writer(threading.Thread):
    """Writes blocks to a device one after the other, and records them. `cpu`: runs there only."""

    def __init__(self, device, start, count, size, cpu=None):
        super().__init__()
        self.cpus = os.sched_getaffinity(0) if cpu is None else {cpu}
        self.device, self.begin, self.count, self.size = device, start, count, size
        self.sum, self.errors, self.done = hashlib.sha256(), [], 0

    def run(self):
        os.sched_setaffinity(0, self.cpus)      # of this thread
        with Device(self.device) as d:
            for i in range(self.count):
                data = os.urandom(self.size)
                try:
                    d.write(self.begin + i * self.size, data)
                except OSError as e:
                    self.errors.append((i, e))
                    return
                self.sum.update(data)
                self.done = i + 1

    def check(self, title):
        expect(f"{title}: no error reached the writer", not self.errors, self.errors)
        with Device(self.device) as d:
            stored = hashlib.sha256()
            for at in range(self.begin, self.begin + self.count * self.size, MiB):
                stored.update(d.read(at, min(MiB, self.begin + self.count * self.size - at)))
        expect(f"{title}: everything is there", stored.digest() == self.sum.digest())


def kill_and_recover(z, again, writers, kills):
    for _ in range(kills):
        before = [w.done for w in writers]
        wait_for(lambda: all(w.done > b + 5 or not w.is_alive() for w, b in zip(writers, before)))
        z.kill()
        z = again()
    for writer in writers:
        writer.join()
    return z


def plain_requests(z):
    """Every kind of request to a plain device of 64 MiB that discards and caches. z.folder has its image, a."""
    data = os.urandom(MiB)
    with Device(z.device) as d:
        d.write(5 * MiB, data)
        with open(f"{z.folder}/a", "rb") as f:
            f.seek(5 * MiB)
            expect("what is written is in the image", f.read(MiB) == data)
        z.ok("write -P 0x5a 20M 3M")
        expect("what the prompt writes is read", d.read(20 * MiB, 3 * MiB) == b"\x5a" * 3 * MiB)
        flushes = z.requests("flush")
        os.fsync(d.fd)
        expect("fsync is a flush", z.requests("flush") > flushes)
        d.range(BLKDISCARD, 20 * MiB, MiB)
        expect("a discard gets to the image", z.requests("discard") > 0 and d.read(20 * MiB, MiB) == bytes(MiB))
        d.range(BLKZEROOUT, 21 * MiB, MiB)
        expect("zeros are written", z.requests("write_zeroes") > 0 and d.read(21 * MiB, MiB) == bytes(MiB))
        expect("the rest stays", d.read(22 * MiB, MiB) == b"\x5a" * MiB)
        small = bytes(range(256)) * 2
        d.write(30 * MiB + 512, small)
        expect("a sector is written", d.read(30 * MiB, 1536) == bytes(512) + small + bytes(512))
    forced = z.requests("write")
    with Device(z.device, os.O_DSYNC) as d:
        d.write(31 * MiB, data)
    expect("forced writes are writes", z.requests("write") > forced)


def plain_faults(folder):
    """An injected error, and requests that a breakpoint holds. folder/a is the image."""
    z = Served(folder, "--image-opts", "driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=a,"
               "file.inject-error.0.event=write_aio,file.inject-error.0.errno=28,file.inject-error.0.once=on", "-t", "writeback")
    # The kernel reads the device while it starts it, when nobody could resume the read.
    z.ok("break read_aio S")
    z.serve("ublk")
    data = os.urandom(4096)
    with Device(z.device) as d:
        expect("an injected error gets to the writer", d.error_of("write", 0, data) == errno.ENOSPC)
        expect("the next write works", d.error_of("write", 0, data) == 0)
        z.ok("break write_aio A")
        writer = threading.Thread(target=lambda: d.write(0, data))
        writer.start()
        z.ok("wait_break A")
        expect("a write is held", writer.is_alive())
        z.ok("resume A")
        writer.join()
        z.ok("break write_aio B")
        writer = threading.Thread(target=lambda: d.error_of("write", 0, data))
        writer.start()
        z.ok("wait_break B")
        z.ok("unexport")
        writer.join()
    expect("a held write goes on when its device ends", z.quit()[0] == 0)


def recovery_plain(folder):
    """Kills of the server of a plain device."""
    subprocess.run(["truncate", "-s", "64M", f"{folder}/a"], check=True)

    def plain_again():
        z = Served(folder, "-f", "raw", "-t", "writeback", "a")
        z.serve("--recover ublk 0")
        return z
    z = Served(folder, "-f", "raw", "-t", "writeback", "a")
    z.serve("ublk 0")
    refused = z.command("export --name q --recover ublk 0")
    expect("a device that is served is not taken over", refused["status"] != "ok" and "is served by process" in refused["error"]["message"],
           refused)
    expect("nor one that is not there", z.command("export --name q --recover ublk 7")["status"] != "ok")
    writers = [Writer(z.device, 0, 200, 64 * 1024), Writer(z.device, 32 * MiB, 400, 4096)]
    for w in writers:
        w.start()
    z = kill_and_recover(z, plain_again, writers, 4)
    for w in writers:
        w.check("plain")
    z.kill()
    subprocess.run(["truncate", "-s", "64M", f"{folder}/b"], check=True)
    other = Served(folder, "-f", "raw", "-t", "writeback", "b")
    refused = other.command("export --recover ublk 0")
    expect("another image is refused", "another image" in refused["error"]["message"], refused)
    expect("why tells the cause", other.ok("why")["cause"] == "ublk-not-waiting")
    other.quit()
    z = plain_again()
    expect("it is recovered after that", z.quit() == (0, ""))


def run_part(part, folder):
    try:
        part(folder)
    except BaseException:                       # a writer may wait for a device for ever
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def load_driver():
    """$UBLK_MODULE: a file of the module; default: that of the kernel."""
    path = os.environ.get("UBLK_MODULE")
    if not os.path.exists("/dev/ublk-control"):
        subprocess.run(["insmod", path] if path else ["modprobe", "ublk_drv"], check=True)


def main(parts, optional=()):
    """Runs the parts that the command line names, or all but the optional ones. `parts` are functions of a folder."""
    by_name = {part.__name__: part for part in parts}
    os.makedirs("/run", exist_ok=True)
    for name in sys.argv[1:] or [name for name in by_name if name not in optional]:
        print(f"== {name}", flush=True)
        if name != "without_module":
            load_driver()
        with tempfile.TemporaryDirectory() as folder:
            run_part(by_name[name], folder)
    print(f"{checks} checks, {failed} failed")
    return 1 if failed else 0
