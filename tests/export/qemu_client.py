#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends random requests of QEMU's own client to an exported image; compares the results with a model and with the file.

  qemu_client.py [--requests N] [--seed N] [--server zoneio|qemu] [--queues 1,2,4] [--size 16M] [--folder DIR]

For each cache and aio mode and each number of queues: N requests (2000) of all kinds that qemu-io of QEMU 11.1 makes through
driver=virtio-blk-vhost-user, asynchronous ones too. With --server qemu the export is qemu-storage-daemon's. QEMU comes from
scripts/zonedvm, which downloads it once. One line for each run; the exit status is 1 when one of them failed.
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "scripts"))
from zonedvm import common, debian      # noqa: E402

ZONEIO = os.environ.get("ZONEIO", os.path.join(TOP, "build", "zoneio"))
SECTOR, GRANULE = 512, 4096
CACHES = {"writethrough": False, "writeback": False, "none": True, "directsync": True, "unsafe": False}     # O_DIRECT?


def modes():
    """All combinations of (cache, aio)."""
    return [(cache, aio) for cache, direct in CACHES.items() for aio in ("threads", "native", "io_uring")
            if direct or aio != "native"]


class Requests:
    """A script for qemu-io, and the content of the image after it."""

    def __init__(self, seed, size, count):
        self.rng, self.sectors = random.Random(seed), size // SECTOR
        self.model = bytearray(self.sectors)            # a pattern for each sector
        self.lines, self.busy = [], set()
        for _ in range(count):
            self.add()
        self.settle()

    def settle(self):
        self.lines.append("aio_flush")
        self.busy.clear()

    def granules(self, first, count):
        # A client may do a read-modify-write around a request.
        return set(range(first * SECTOR // GRANULE, ((first + count) * SECTOR - 1) // GRANULE + 1))

    def place(self):
        """A range that no request in flight touches."""
        while True:
            count = self.rng.choice((1, 8, 8, 8, 16, 24, 128, 1024))
            first = self.rng.randrange(self.sectors - count + 1)
            if self.rng.random() < 0.8:
                first -= first % 8
            if not self.granules(first, count) & self.busy:
                return first, count
            self.settle()

    def add(self):
        kind = self.rng.choices(("read", "write", "zeroes", "discard", "flush"), (35, 45, 8, 8, 4))[0]
        if kind == "flush":
            self.settle()
            self.lines.append("flush")
            return
        first, count = self.place()
        is_aio = self.rng.random() < 0.7
        getattr(self, kind)(first, count, is_aio)
        if is_aio:
            self.busy |= self.granules(first, count)
        if not is_aio or self.rng.random() < 1 / 16:
            self.settle()

    def lengths(self, count):
        """The length as one buffer or as several."""
        if count < 4 or self.rng.random() < 0.7:
            return str(count * SECTOR), ""
        cut = sorted(self.rng.sample(range(1, count), 2))
        return " ".join(str(n * SECTOR) for n in (cut[0], cut[1] - cut[0], count - cut[1])), "v"

    def read(self, first, count, is_aio):
        pattern, end = self.model[first], first + 1
        while end < first + count and self.model[end] == pattern:
            end += 1
        lengths, vector = self.lengths(end - first)
        self.lines.append(f"{'aio_read' if is_aio else 'read' + vector} -q -P {pattern} {first * SECTOR} {lengths}")

    def write(self, first, count, is_aio):
        pattern = self.rng.randrange(1, 256)
        lengths, vector = self.lengths(count)
        force = self.rng.choice(("", "", "", " -f"))
        self.lines.append(f"{'aio_write' if is_aio else 'write' + vector} -q{force} -P {pattern} {first * SECTOR} {lengths}")
        self.model[first:first + count] = bytes([pattern]) * count

    def zeroes(self, first, count, is_aio):
        unmap = self.rng.choice((" -u", ""))
        self.lines.append(f"{'aio_' if is_aio else ''}write -q -z{unmap} {first * SECTOR} {count * SECTOR}")
        self.model[first:first + count] = bytes(count)

    def discard(self, first, count, is_aio):
        # Only whole granules are certainly zero afterwards.
        begin = (first + 7) // 8 * 8
        count = (first + count - begin) // 8 * 8
        if count > 0:
            self.lines.append(f"{'aio_' if is_aio else ''}discard -q {begin * SECTOR} {count * SECTOR}")
            self.model[begin:begin + count] = bytes(count)

    def content(self):
        return b"".join(bytes([pattern]) * SECTOR for pattern in self.model)


class Qemu:
    """The programs of QEMU 11.1."""

    def __init__(self):
        self.root = debian.root(common.cache_dir(), update=False)
        self.environment = self.root.environment()

    def command(self, program):
        return self.root.command("usr/bin/" + program)


def server(qemu, kind, image, socket, cache, aio, queues):
    """The running program that exports `image` at `socket`."""
    if kind == "zoneio":
        command = [ZONEIO, "-f", "raw", "-t", cache, "-d", "unmap", "-i", aio, image, "-c",
                   f"export -w -q {queues} vhost-user {socket}"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)
    node = f"driver=file,filename={image},node-name=f,aio={aio},discard=unmap"
    node += f",cache.direct={'on' if CACHES[cache] else 'off'},cache.no-flush={'on' if cache == 'unsafe' else 'off'}"
    export = f"type=vhost-user-blk,id=e,node-name=f,addr.type=unix,addr.path={socket},writable=on,num-queues={queues}"
    return subprocess.Popen([*qemu.command("qemu-storage-daemon"), "--blockdev", node, "--export", export],
                            env=qemu.environment)


def listens(socket):
    """True if a server listens at `socket`. Between bind() and listen(), the file exists but refuses connections."""
    accepts_connections = 0x10000
    with open("/proc/net/unix", encoding="utf-8") as sockets:
        lines = [line.split() for line in sockets][1:]
    return any(line[7:] == [socket] and int(line[3], 16) & accepts_connections for line in lines)


def wait_for(process, socket):
    while not listens(socket):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        time.sleep(0.01)


def run(qemu, kind, folder, cache, aio, queues, seed, count, size):
    """Runs one test and returns the error, or an empty text."""
    image, socket = os.path.join(folder, "image"), os.path.join(folder, "socket")
    with open(image, "wb") as f:
        f.truncate(size)
    requests = Requests(f"{seed} {cache} {aio} {queues}", size, count)
    with server(qemu, kind, image, socket, cache, aio, queues) as process:
        wait_for(process, socket)
        options = f"driver=virtio-blk-vhost-user,path={socket},cache.direct=on,discard=unmap"
        client = subprocess.run([*qemu.command("qemu-io"), "--image-opts", options], input="\n".join(requests.lines) + "\n",
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=qemu.environment, check=False)
        process.terminate()
        status = process.wait()
    complaints = [line for line in client.stdout.replace("qemu-io> ", "").splitlines() if line.strip()]
    if client.returncode or complaints:
        return f"qemu-io ended with {client.returncode}: " + "\n".join(complaints[:5])
    if status:
        return f"the server ended with {status}"
    with open(image, "rb") as f:
        if f.read() != requests.content():
            return "the file is not what was written"
    return ""


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--requests", type=int, default=2000)
    p.add_argument("--seed", default=os.environ.get("ZONEIO_SEED", "1"))
    p.add_argument("--server", choices=("zoneio", "qemu"), default="zoneio")
    p.add_argument("--queues", default="1,2,4")
    p.add_argument("--size", type=int, default=16, metavar="MIB")
    p.add_argument("--folder", default=None, help="where the image is (default: a temporary one)")
    o = p.parse_args()
    qemu, failed = Qemu(), 0
    for cache, aio in modes():
        for queues in map(int, o.queues.split(",")):
            began = time.monotonic()
            with tempfile.TemporaryDirectory(dir=o.folder, prefix="export-") as folder:
                problem = run(qemu, o.server, folder, cache, aio, queues, o.seed, o.requests, o.size << 20)
            failed += bool(problem)
            seconds = time.monotonic() - began
            print(f"{cache:12} {aio:8} {queues} queues: {problem or f'{o.requests} requests, {seconds:.1f} s'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
