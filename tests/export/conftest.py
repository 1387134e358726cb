"""Fixtures: a zoneio whose prompt prints records, and the images that it exports."""
import json
import os
import select
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from front_end import FrontEnd          # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("ZONEIO", os.path.join(TOP, "build", "zoneio"))


class Zoneio:
    """A zoneio that reads commands from a pipe; every command prints a record."""

    def __init__(self, folder, *arguments, under=()):
        """`under`: the words of a program that starts it, such as strace."""
        self.folder = folder
        # The leak sanitizer does not work in a program that another one traces.
        leaks = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"} if under else {}
        self.process = subprocess.Popen([*under, PROGRAM, "--output", "json", *arguments], cwd=folder, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **leaks})
        self.pending = b""
        opened = self.result()
        assert opened["status"] == "ok", opened

    def command(self, line):
        """Runs a command and returns its record."""
        self.start(line)
        return self.result()

    def ok(self, line):
        record = self.command(line)
        assert record["status"] == "ok", record
        return record

    def start(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def result(self, seconds=60):
        while b"\n" not in self.pending:
            ready, _, _ = select.select([self.process.stdout], [], [], seconds)
            assert ready, "no record"
            more = os.read(self.process.stdout.fileno(), 65536)
            assert more, self.process.stderr.read().decode()
            self.pending += more
        line, _, self.pending = self.pending.partition(b"\n")
        return json.loads(line)

    def export(self, *words):
        return self.ok(" ".join(["export", *words, "vhost-user", "s"]))

    def connect(self, **options):
        return FrontEnd(os.path.join(self.folder, "s"), **options)

    def exports(self):
        return self.ok("exports")["exports"]

    def quit(self):
        """(exit status, stderr)"""
        self.process.stdin.close()
        status = self.process.wait(60)
        return status, self.process.stderr.read().decode()

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def zoneio(tmp_path):
    """Starts a zoneio on an image. Kills it at the end if it is still running."""
    started = []

    def start(*arguments, under=()):
        started.append(Zoneio(tmp_path, *arguments, under=under))
        return started[-1]
    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def image(tmp_path):
    """A file of 16 MiB."""
    path = tmp_path / "image"
    path.write_bytes(bytes(16 << 20))
    return path
