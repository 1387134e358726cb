#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the speed of exports of zoneio and qemu-storage-daemon in pairs, with one client (qemu-img bench) and one file.

  bench.py [--pairs N] [--requests N] [--cache MODE] [--row TEXT] FOLDER...      FOLDER: of the file, for example /dev/shm and /var/tmp

Prints a table: requests per second and CPU time of the server for each request, medians of the pairs. qemu-img has no random
offsets: the steps of 1 MiB and 4 KiB cover the whole file in an order that defeats read-ahead.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qemu_client import Qemu, server, wait_for     # noqa: E402

SIZE = 256 << 20
ROWS = [(f"{'write' if write else 'read'} 4 KiB, steps, depth {depth}", ["-s", "4096", "-S", "1052672", "-d", str(depth)], write)
        for write in (False, True) for depth in (1, 16, 64)]
ROWS += [(f"{'write' if write else 'read'} 64 KiB, sequential, depth 16", ["-s", "65536", "-d", "16"], write)
         for write in (False, True)]


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(qemu, kind, image, folder, words, write, cache, requests):
    """(seconds of the client, CPU seconds of the server)"""
    socket = os.path.join(folder, "socket")
    with server(qemu, kind, image, socket, cache, "threads", 1) as process:
        wait_for(process, socket)
        before = cpu_seconds(process)
        options = f"driver=virtio-blk-vhost-user,path={socket},cache.direct=on"
        client = subprocess.run([*qemu.command("qemu-img"), "bench", "-c", str(requests), *words, *(["-w"] if write else []),
                                 "--image-opts", options], capture_output=True, text=True, env=qemu.environment, check=True)
        used = cpu_seconds(process) - before
        process.terminate()
    if os.path.exists(socket):
        os.unlink(socket)
    return float(re.search(r"completed in ([\d.]+) seconds", client.stdout)[1]), used


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pairs", type=int, default=5)
    p.add_argument("--requests", type=int, default=40000)
    p.add_argument("--cache", default="writeback", help="cache mode of both servers")
    p.add_argument("--row", default="", help="only the rows whose title contains this")
    p.add_argument("folders", nargs="+", metavar="FOLDER")
    o = p.parse_args()
    qemu = Qemu()
    print("| work | zoneio | qemu-storage-daemon | ratio | CPU of zoneio | CPU of the daemon | ratio |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for place in o.folders:
        with tempfile.TemporaryDirectory(dir=place, prefix="export-bench-") as folder:
            image = os.path.join(folder, "image")
            subprocess.run(["dd", "if=/dev/zero", f"of={image}", "bs=1M", f"count={SIZE >> 20}", "status=none"], check=True)
            for title, words, write in (row for row in ROWS if o.row in row[0]):
                taken = {"zoneio": [], "qemu": []}
                for turn in range(o.pairs):
                    for kind in sorted(taken, reverse=turn % 2 == 0):
                        taken[kind].append(measure(qemu, kind, image, folder, words, write, o.cache, o.requests))
                rate = {kind: o.requests / statistics.median(t for t, _ in times) for kind, times in taken.items()}
                cpu = {kind: statistics.median(c for _, c in times) / o.requests * 1e6 for kind, times in taken.items()}
                print(f"| {title}, {place} | {rate['zoneio']:,.0f}/s | {rate['qemu']:,.0f}/s | {rate['zoneio'] / rate['qemu']:.2f} "
                      f"| {cpu['zoneio']:.1f} µs | {cpu['qemu']:.1f} µs | {cpu['zoneio'] / max(cpu['qemu'], 0.01):.2f} |", flush=True)


if __name__ == "__main__":
    main()
