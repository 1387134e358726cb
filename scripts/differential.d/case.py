"""A case: files to make, arguments, and standard input. A case can be printed as shell lines."""

import os
import shlex
import signal
import subprocess
from dataclasses import dataclass

# Placeholder for the directory of the case, in arguments, standard input and file contents.
DIR = "@DIR@"


@dataclass(frozen=True)
class File:
    """A regular file: one hole, or filled with a byte, or a text; then extents written into it."""
    name: str
    size: int = 0
    fill: int | None = None
    extents: tuple[tuple[int, int, int], ...] = ()      # offset, length, byte
    text: str | None = None
    mode: int = 0o644

    def make(self, directory):
        path = os.path.join(directory, self.name)
        with open(path, "wb") as f:
            if self.text is not None:
                f.write(self.text.encode("utf-8", "surrogateescape"))
            elif self.fill is not None:
                f.write(bytes([self.fill]) * self.size)
            else:
                f.truncate(self.size)
            for offset, length, byte in self.extents:
                f.seek(offset)
                f.write(bytes([byte]) * length)
        os.chmod(path, self.mode)

    def shell(self):
        name = quote(self.name)
        if self.text is not None:
            yield f"printf {printf_word(self.text.encode('utf-8', 'surrogateescape'))} > ./{name}"
        elif self.fill is not None:
            yield f"head -c {self.size} /dev/zero | tr '\\0' '\\{self.fill:o}' > ./{name}"
        else:
            yield f"truncate -s {self.size} ./{name}"
        for offset, length, byte in self.extents:
            yield (f"head -c {length} /dev/zero | tr '\\0' '\\{byte:o}' | "
                   f"dd of=./{name} oflag=seek_bytes seek={offset} conv=notrunc status=none")
        if self.mode != 0o644:
            yield f"chmod {self.mode:o} ./{name}"


@dataclass(frozen=True)
class Directory:
    name: str

    def make(self, directory):
        os.mkdir(os.path.join(directory, self.name))

    def shell(self):
        yield f"mkdir ./{quote(self.name)}"


@dataclass(frozen=True)
class Symlink:
    name: str
    target: str

    def make(self, directory):
        os.symlink(self.target, os.path.join(directory, self.name))

    def shell(self):
        yield f"ln -s {quote(self.target)} ./{quote(self.name)}"


@dataclass(frozen=True)
class Fifo:
    name: str

    def make(self, directory):
        os.mkfifo(os.path.join(directory, self.name))

    def shell(self):
        yield f"mkfifo ./{quote(self.name)}"


@dataclass(frozen=True)
class Server:
    """An NBD server at nbd.sock, which runs until the case ends."""
    program: str            # nbdkit or qemu-nbd
    words: tuple[str, ...]

    def command(self):
        return {"nbdkit": ("nbdkit", "--unix=nbd.sock"), "qemu-nbd": ("qemu-nbd", "--fork", f"--socket={DIR}/nbd.sock", "--persistent")}[
            self.program] + self.words

    def make(self, directory):
        # It goes to the background when it listens. Its PID file is elsewhere, because the directory is compared.
        keep = {"nbdkit": "--pidfile=", "qemu-nbd": "--pid-file="}[self.program] + directory + ".pid"
        program, *words = self.command()
        started = subprocess.run([program, keep, *(word.replace(DIR, directory) for word in words)], cwd=directory, check=False,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if started.returncode != 0:
            raise OSError(f"{program} does not start: {started.stderr.decode(errors='replace').strip()}")

    def end(self, directory):
        try:
            with open(directory + ".pid", encoding="ascii") as f:
                os.kill(int(f.read()), signal.SIGKILL)
            os.unlink(directory + ".pid")
        except (OSError, ValueError):
            pass

    def shell(self):
        yield " ".join(quote(word) for word in self.command())


@dataclass(frozen=True)
class Case:
    # The arguments come in units of words that only make sense together, such as ("-f", "raw"):
    # minimisation drops whole units.
    units: tuple[tuple[str, ...], ...]
    setup: tuple = ()
    stdin: bytes | None = None
    layout: bool = False        # also compare data and holes of the files

    def argv(self, directory):
        return [word.replace(DIR, directory) for unit in self.units for word in unit]

    def input(self, directory):
        return None if self.stdin is None else self.stdin.replace(DIR.encode(), directory.encode())

    def shell(self):
        """Two shell lines for an empty directory: the first makes the files, the second runs the command."""
        setup = "; ".join(line for item in self.setup for line in item.shell())
        command = " ".join(["qemu-io"] + [quote(word) for unit in self.units for word in unit])
        if self.stdin is None:
            command += " </dev/null"
        else:
            command = f"printf {printf_word(self.stdin)} | {command}"
        return setup or ":", command


def quote(word):
    """A word for bash. The placeholder of the directory becomes $PWD."""
    if any(ord(char) < 32 or ord(char) == 127 or 0xdc80 <= ord(char) <= 0xdcff for char in word):
        raw = word.encode("utf-8", "surrogateescape")
        return "$'" + "".join(escape(byte, "\\'") for byte in raw) + "'"
    if DIR in word:
        return "'" + word.replace("'", "'\\''").replace(DIR, "'\"$PWD\"'") + "'"
    return shlex.quote(word)


def printf_word(data):
    """Bytes as a quoted format for printf(1)."""
    text = "".join("%%" if byte == ord("%") else escape(byte, "\\") for byte in data)
    return quote(text)


def escape(byte, special):
    if byte == ord("\n"):
        return "\\n"
    if byte < 32 or byte > 126:
        return f"\\{byte:03o}"
    return "\\" + chr(byte) if chr(byte) in special else chr(byte)
