"""Functions for common.rc that a shell cannot do: helper.py FUNCTION ARGUMENTS."""

import ctypes
import errno
import fcntl
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys


def extents(path):
    """Print the data extents of a file: everything that is not a hole."""
    found = []
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        end = 0
        while end < size:
            try:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:  # no more data
                    break
                raise
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            found.append(f"{start}-{end}")
    print(f"{path}: data {' '.join(found) or 'nowhere'} of {size}")


def io_uring():
    """Fails unless this process may create an io_uring."""
    io_uring_setup = 425
    parameters = ctypes.create_string_buffer(120)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(io_uring_setup, 1, parameters) < 0:
        sys.exit(1)


def lock_request(lock_type, position):
    """A struct flock for one byte; its l_pid must be 0."""
    return struct.pack("hhqqi4x", lock_type, os.SEEK_SET, position, 1, 0)


def hold_locks(path, kind, *positions):
    """Takes open file description locks on single bytes, prints a line, and keeps the locks."""
    file = os.open(path, os.O_RDWR)
    lock_type = {"r": fcntl.F_RDLCK, "w": fcntl.F_WRLCK}[kind]
    for position in positions:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, lock_request(lock_type, int(position)))
    print("locked", flush=True)
    signal.pause()


def show_locks(path):
    """Prints the lock bytes of QEMU that other programs have locked in a file."""
    shown = {fcntl.F_RDLCK: "r", fcntl.F_WRLCK: "w"}
    with open(path, "r+b") as file:
        for position in (*range(100, 104), *range(200, 204)):
            answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, lock_request(fcntl.F_WRLCK, position))
            kind = struct.unpack_from("h", answer)[0]
            if kind in shown:
                print(f"{path}: byte {position} is locked ({shown[kind]})")


def peak_memory(limit, program, *arguments):
    """Runs the program and prints whether its resident memory stayed below a limit in MiB."""
    subprocess.run(["qemu-io", *arguments], executable=program, check=False)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"memory: within {limit} MiB" if peak <= int(limit) else f"memory: {peak} MiB, more than {limit} MiB")


def strace(path):
    """Reduces an strace log (-f -y) on standard input to the calls on one file."""
    # An unfinished call counts where it starts. Its result, on a later line, is not needed.
    call = re.compile(r"^\d+ +(\w+)\((.*)$")
    ours = re.compile(rf"^\d+<[^>]*/{re.escape(path)}>")
    for line in sys.stdin:
        if not (match := call.match(line)):
            continue
        name, arguments = match.groups()
        if name in ("open", "openat"):
            event = opening(path, arguments)
        elif ours.match(arguments):
            event = change(name, arguments)
        else:
            continue
        if event:
            print(event)


def opening(path, arguments):
    """The flags with which a file is opened for writing; empty for other opens."""
    match = re.search(rf'"(?:[^"]*/)?{re.escape(path)}", ([A-Z_|]+)', arguments)
    if not match or "O_RDWR" not in match[1]:
        return None
    wanted = [flag for flag in ("O_DIRECT", "O_DSYNC", "O_SYNC") if flag in match[1].split("|")]
    return " ".join(["open", *wanted])


def change(name, arguments):
    """A call on the file, without arguments that may differ between equivalent calls."""
    numbers = arguments.split(">", 1)[1]
    if name == "pwrite64":
        length, offset = re.search(r", (\d+), (\d+)(?:\)| <)", numbers).groups()
        return f"write {length} at {offset}"
    if name in ("pwritev", "pwritev2"):
        length = sum(map(int, re.findall(r"iov_len=(\d+)", numbers)))
        offset = re.search(r"\], \d+, (\d+)", numbers)[1]
        return f"write {length} at {offset}"
    if name in ("pread64", "preadv", "preadv2"):
        return "read"
    if name in ("fdatasync", "fsync", "sync_file_range"):
        return name
    if name == "fallocate":
        flags, offset, length = re.search(r", ([\w|]+), (\d+), (\d+)", numbers).groups()
        mode = "|".join(sorted(flag.removeprefix("FALLOC_FL_") for flag in flags.split("|")))
        return f"fallocate {mode} {length} at {offset}"
    if name == "ftruncate":
        return "ftruncate " + re.search(r", (\d+)", numbers)[1]
    return None


def check_json(schema_path, records_path):
    """Prints the records in a file, and their errors."""
    import jsonschema

    def unique(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError(f"a member twice among {names}")
        return dict(pairs)

    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    with open(schema_path) as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    with open(records_path, "rb") as file:
        for number, line in enumerate(file.read().split(b"\n")[:-1], 1):
            print(line.decode("utf-8", "backslashreplace"))
            try:
                record = json.loads(line.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse)
            except ValueError as error:
                print(f"NO JSON: {error}")
                continue
            for error in validator.iter_errors(record):
                print(f"NOT AS IN THE SCHEMA: {error.json_path}: {error.message}")
            if record.get("seq") != number:
                print(f"OUT OF SEQUENCE: line {number}")
        file.seek(0)
        if not (file.read() or b"\n").endswith(b"\n"):
            print("NO END OF THE LAST LINE")


if __name__ == "__main__":
    functions = (extents, io_uring, hold_locks, show_locks, peak_memory, strace, check_json)
    {function.__name__: function for function in functions}[sys.argv[1]](*sys.argv[2:])
