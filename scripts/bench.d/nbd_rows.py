"""Rows about an image on a server: nbdkit's plugin memory, at a Unix socket."""

import os
import shutil
import signal
import subprocess

COUNT = 100_000
DEPTH = 64              # asynchronous requests in flight


class MemoryServer:
    """An nbdkit that serves 64 MiB while the block runs."""

    def __init__(self, folder):
        self.socket = folder / "nbd.sock"
        self.pid_file = folder / "nbd.pid"

    def __enter__(self):
        subprocess.run(["nbdkit", "-U", self.socket, "-P", self.pid_file, "memory", "64M"], check=True)
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


def nbd_rows(rows, make_row, offsets):
    """The rows; none where nbdkit is not installed."""
    if shutil.which("nbdkit") is None:
        return
    with MemoryServer(rows.memory) as image:
        yield make_row("start, -c length, exit, nbd", rows.both(["-f", "raw", "-c", "length", image], times=20))
        for name, (path, goal) in scripts(rows.memory, offsets).items():
            yield make_row(name, rows.both(["-f", "raw", "-t", "writeback", image], stdin=path), ratio=goal)
