"""Rows about an image on a server: nbdkit's plugin memory, at a Unix socket."""

import os
import shutil
import signal
import subprocess

COUNT = 100_000
SLOW_COUNT = 2_000      # commands to the server with a delay
CONNECTIONS = 4
DEPTH = 64              # asynchronous requests in flight


class MemoryServer:
    """An nbdkit that serves 64 MiB while the block runs. Words: its options, and parameters of its filters."""

    def __init__(self, folder, options=(), parameters=()):
        self.options = options
        self.parameters = parameters
        self.socket = folder / "nbd.sock"
        self.pid_file = folder / "nbd.pid"

    def __enter__(self):
        subprocess.run(["nbdkit", "-U", self.socket, "-P", self.pid_file, *self.options, "memory", "64M", *self.parameters],
                       check=True)
        return f"nbd:unix:{self.socket}"

    def __exit__(self, *_):
        os.kill(int(self.pid_file.read_text(encoding="ascii")), signal.SIGTERM)
        for path in (self.socket, self.pid_file):
            path.unlink(missing_ok=True)


def scripts(folder, offsets):
    """The commands of each row: {name: (file, goal)}."""
    made = {}
    for name, command, flush, goal in (("read -q 4k", "read -q", False, 1.5), ("write -q 4k, writeback", "write -q", False, 1.5),
                                       (f"aio_read -q 4k, {DEPTH} at once", "aio_read -q", True, 1.5),
                                       (f"aio_write -q 4k, writeback, {DEPTH} at once", "aio_write -q", True, 1.5)):
        path = folder / f"nbd-{len(made)}"
        with open(path, "w", encoding="ascii") as file:
            for number, offset in enumerate(offsets(COUNT), 1):
                file.write(f"{command} {offset} 4k\n")
                if flush and number % DEPTH == 0:
                    file.write("aio_flush\n")
            file.write("aio_flush\n")
        made[f"100k {name}, nbd"] = (path, goal)
    return made


def slow_row(rows, make_row, offsets):
    """Several connections against one of qemu-io: each connection of the server handles one request at a time, in 1 ms."""
    path = rows.memory / "nbd-slow"
    with open(path, "w", encoding="ascii") as file:
        for number, offset in enumerate(offsets(SLOW_COUNT), 1):
            file.write(f"aio_read -q {offset} 4k\n" + ("aio_flush\n" if number % DEPTH == 0 else ""))
        file.write("aio_flush\n")
    with MemoryServer(rows.memory, ["-t", "1", "--filter=delay"], ["rdelay=1ms"]) as image:
        socket = image.removeprefix("nbd:unix:")
        programs = rows.both(["-f", "raw", image], stdin=path)
        programs["zoneio"] = rows.both(["--image-opts", f"driver=raw,file.driver=nbd,file.path={socket},file.connections={CONNECTIONS}"],
                                       stdin=path)["zoneio"]
        yield make_row(f"2k aio_read -q 4k, {DEPTH} at once, 1 ms of delay, connections={CONNECTIONS}, nbd", programs, ratio=3)


def nbd_rows(rows, make_row, offsets):
    """The rows; none where nbdkit is not installed."""
    if shutil.which("nbdkit") is None:
        return
    with MemoryServer(rows.memory) as image:
        yield make_row("start, -c length, exit, nbd", rows.both(["-f", "raw", "-c", "length", image], times=20))
        for name, (path, goal) in scripts(rows.memory, offsets).items():
            yield make_row(name, rows.both(["-f", "raw", "-t", "writeback", image], stdin=path), ratio=goal)
    yield from slow_row(rows, make_row, offsets)
