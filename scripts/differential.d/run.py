"""Runs a case with a program in a new directory."""

import ctypes
import hashlib
import multiprocessing
import os
import resource
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass, field

from case import Server
from normalise import normalise

TIMEOUT = 10.0          # seconds; the slowest generated case takes less than one
WHOLE_HASH_LIMIT = 16 << 20
BLOCK = 64 << 10

CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 1 << 18


@dataclass(frozen=True)
class Result:
    rc: int | str                   # exit status, minus a signal's number, or "timeout"
    stdout: str
    stderr: str
    files: dict = field(hash=False)

    @property
    def killed(self):
        return isinstance(self.rc, int) and self.rc < 0


class Program:
    """A command to which the arguments are appended."""

    def __init__(self, words):
        self.words = words

    def run(self, args, data, directory):
        # argv[0] can be set if the command is a single word, the program itself, but not for a wrapper.
        argv = ["qemu-io"] if len(self.words) == 1 else self.words
        return spawn(self.words[0], argv + args, data, directory)


class ChrootProgram:
    """The qemu-io in a root folder. A helper process enters the folder once and runs the cases."""

    def __init__(self, root, work):
        self.connection, theirs = multiprocessing.Pipe()
        if os.fork() == 0:
            try:
                self.connection.close()
                # Not ignored, because its children would inherit that.
                signal.signal(signal.SIGINT, lambda *_: None)
                serve(theirs, root, work)
            finally:
                os._exit(0)
        theirs.close()
        problem = self.connection.recv()
        if problem:
            raise OSError(f"cannot use {root}: {problem}")

    def run(self, args, data, directory):
        self.connection.send((args, data, directory))
        answer = self.connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def find_program(root):
    """The path of qemu-io inside a root folder."""
    for path in ("/usr/local/bin/qemu-io", "/usr/bin/qemu-io", "/bin/qemu-io", "/qemu-io"):
        if os.access(root + path, os.X_OK):
            return path
    raise OSError(f"no qemu-io in {root}")


def serve(connection, root, work):
    """The helper process: enters the root folder, then runs commands until the worker ends."""
    try:
        program = find_program(root)
        enter(root, work)
    except OSError as error:
        connection.send(str(error))
        return
    connection.send(None)
    while True:
        try:
            args, data, directory = connection.recv()
        except EOFError:
            return
        try:
            connection.send(spawn(program, ["qemu-io"] + args, data, directory))
        except Exception as error:      # the worker knows the case
            connection.send(error)


def enter(root, work):
    """Chroot in a mount namespace of this process, with `work` under the same path inside.

    The mounts end with the process; only the empty mount point of `work` stays behind."""
    libc = ctypes.CDLL(None, use_errno=True)

    def check(result):
        if result:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    check(libc.unshare(CLONE_NEWNS))
    check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    for path in ("/proc", "/sys", "/dev", work):
        os.makedirs(root + path, exist_ok=True)
        check(libc.mount(path.encode(), (root + path).encode(), None, MS_BIND | MS_REC, None))
    os.chroot(root)
    os.chdir("/")


def prepare_process():
    """Sets what the programs inherit: no core files, a fixed umask, no ignored or blocked signal."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    os.umask(0o022)
    for number in signal.valid_signals():
        if signal.getsignal(number) == signal.SIG_IGN and number != signal.SIGPIPE:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def spawn(executable, argv, data, directory):
    """Run one command; returns status, stdout and stderr as bytes.

    Standard input is a file, so the results do not depend on the sizes of writes to a pipe."""
    env = {"LC_ALL": "C", "TERM": "dumb", "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
           "HOME": directory, "TMPDIR": directory}
    with open_input(data) as stdin:
        process = subprocess.Popen(
            [os.fsencode(word) for word in argv], executable=executable, cwd=directory, env=env,
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        return "timeout", out, err
    return process.returncode, out, err


def open_input(data):
    if data is None:
        return open(os.devnull, "rb")
    stdin = os.fdopen(os.memfd_create("stdin"), "w+b")
    stdin.write(data)
    stdin.seek(0)
    return stdin


def run_case(program, case, directory):
    """Both programs use one directory, one after the other, because line lengths and breaks may depend on its name."""
    os.mkdir(directory)
    try:
        for item in case.setup:
            item.make(directory)
        rc, out, err = program.run(case.argv(directory), case.input(directory), directory)
        return Result(rc, text_of(out, directory), text_of(err, directory),
                      inspect(directory, case.layout))
    finally:
        for item in case.setup:
            if isinstance(item, Server):
                item.end(directory)
        shutil.rmtree(directory)


def text_of(output, directory):
    return normalise(output.decode("utf-8", "backslashreplace"), directory)


def inspect(directory, layout):
    """The content of the directory of the case after a run: {name: description}."""
    return {entry.name: describe_file(entry, layout) for entry in os.scandir(directory)}


def describe_file(entry, layout):
    info = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(info.st_mode):
        return stat.filemode(info.st_mode)
    with open(entry.path, "rb") as f:
        # Before reading, because reading can turn unwritten extents into data.
        extents = list(data_extents(f.fileno()))
        text = f"{info.st_size} bytes sha256 {digest(f, info.st_size, extents)[:16]}"
    if info.st_mode & 0o7777 != 0o644:
        text += f" mode {info.st_mode & 0o7777:o}"
    if layout:
        text += " data [" + " ".join(f"{start}-{end}" for start, end in extents) + "]"
    return text


def data_extents(fd):
    """The parts of a file that are not holes."""
    end = 0
    while True:
        try:
            start = os.lseek(fd, end, os.SEEK_DATA)
        except OSError:         # only a hole is left
            return
        end = os.lseek(fd, start, os.SEEK_HOLE)
        yield start, end


def digest(f, size, extents):
    """SHA-256 of the content. For a large sparse file, of the blocks that are not all zeros."""
    f.seek(0)
    if size <= WHOLE_HASH_LIMIT:
        return hashlib.sha256(f.read()).hexdigest()
    result, done = hashlib.sha256(), 0
    for start, end in extents:
        position = max(start // BLOCK * BLOCK, done)
        while position < end:
            f.seek(position)
            block = f.read(BLOCK)
            if block.strip(b"\0"):
                result.update(b"%d:" % position + block)
            position += BLOCK
        done = position
    return result.hexdigest()
