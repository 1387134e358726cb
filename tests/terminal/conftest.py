"""Fixtures for tests on a real terminal: a pseudo terminal (pexpect) with a terminal emulator (pyte) for its screen.

No test waits for a fixed time. It waits until the screen shows the expected text, and fails after a time limit.
"""
import os
import pathlib
import signal
import subprocess
import threading

import pexpect
import pyte
import pytest

# Shells start background commands with SIGINT and SIGQUIT ignored, nohup those with SIGHUP, and children inherit that. A handler is not
# inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

PATIENCE = int(os.environ.get("PATIENCE", "60"))  # a wait fails after this many seconds without output


def program_under_test():
    chosen = os.environ.get("ZONEIO") or pathlib.Path(__file__).parents[2] / "build" / "zoneio"
    return pathlib.Path(chosen).resolve()


class Terminal:
    """zoneio, or another program, on its own terminal."""

    def __init__(self, folder, *arguments, columns=80, lines=24, program=None, starts_up=False, **environment):
        self.raw = b""
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        base = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
                "INPUTRC": "/dev/null", "ASAN_OPTIONS": "detect_leaks=0", **environment}
        # Tests of the start-up file and greeting ask for it.
        quiet = [] if program or starts_up else ["--no-rc"]
        self._child = pexpect.spawn(str(program or program_under_test()), [*quiet, *arguments], cwd=str(folder), env=base,
                                    dimensions=(lines, columns), timeout=PATIENCE)
        self._child.delaybeforesend = None

    def send(self, keys):
        self._child.send(keys)

    def paste(self, keys):
        """Types text that exceeds the terminal's buffer, while wait() reads the output."""
        threading.Thread(target=self._child.send, args=(keys,), daemon=True).start()

    def run(self, line):
        """Types a command and waits for the prompt after its results."""
        prompts = self.raw.count(b"zoneio> ")
        self.send(line + "\r")
        self.wait(lambda: self.raw.count(b"zoneio> ") > prompts and self.line() == "zoneio>")

    def wait(self, what):
        """Reads until the screen shows a text, or until a function returns true."""
        done = what if callable(what) else lambda: what in self.text()
        while not done():
            try:
                data = self._child.read_nonblocking(65536, PATIENCE)
            except (pexpect.EOF, pexpect.TIMEOUT) as error:
                raise AssertionError(f"never came: {what}\n{self.text()}\n{self.raw[-2000:]!r}") from error
            self.raw += data
            self._stream.feed(data)

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        self._child.setwinsize(lines, columns)

    def rows(self):
        return [row.rstrip() for row in self.screen.display]

    def text(self):
        return "\n".join(self.rows()).rstrip("\n")

    def line(self):
        """The row that the cursor is in."""
        return self.rows()[self.screen.cursor.y]

    def end(self, keys="quit\r"):
        """Waits for the end of the program and returns its exit status."""
        self.send(keys)
        while True:
            try:
                self.raw += self._child.read_nonblocking(65536, PATIENCE)
            except pexpect.EOF:
                break
        self._child.close()
        return self._child.exitstatus

    def kill(self):
        self._child.close(force=True)


@pytest.fixture
def terminal(tmp_path):
    """Starts zoneio with these arguments in a new folder, and waits for its prompt or another text."""
    started = []

    def start(*arguments, first="zoneio>", **settings):
        started.append(Terminal(tmp_path, *arguments, **settings))
        started[-1].wait(first)
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def zoned():
    """The arguments that open an emulated zoned device of 16 zones of 4 MiB."""
    return "--image-opts", "driver=zoned,size=64M,zone.size=4M,zone.max_open_zones=3"


@pytest.fixture
def foreign_home(tmp_path):
    """A HOME that belongs to another user, as with some configurations of sudo. Requires root."""
    if os.geteuid() != 0:
        pytest.skip("needs root to give a folder away")
    home = tmp_path / "foreign"
    home.mkdir()
    os.chown(home, 65534, 65534)
    return home


@pytest.fixture
def loop_device(tmp_path):
    """A block device of 1 MiB above the file `disk`. Requires root and a free loop device."""
    (tmp_path / "disk").write_bytes(bytes(1 << 20))
    attached = subprocess.run(["losetup", "-f", "--show", str(tmp_path / "disk")], capture_output=True, text=True, check=False)
    if attached.returncode != 0:
        pytest.skip(f"needs a loop device: {attached.stderr.strip()}")
    device = attached.stdout.strip()
    yield device
    subprocess.run(["losetup", "-d", device], check=True)


@pytest.fixture
def device_in_use(loop_device):
    """A loop device that this program has opened exclusively."""
    holder = os.open(loop_device, os.O_RDONLY | os.O_EXCL)
    yield loop_device
    os.close(holder)
