"""The rows of the table: the work, the programs, and the goals."""

import os
import re
import subprocess

from measure import Fio, Program
from nbd_rows import nbd_rows

COUNT = 100_000         # commands of most rows
BLOCKS = 16384          # blocks of 4 KiB: the part of the image that the commands use
AIO_DEPTH = 1024        # asynchronous requests that the bare loops keep in flight
ZONES = 1_000_000
MANY_ZONES = 16_000_000
EXTENTS = 1_000_000


class Row:
    """One line of the table. A goal is a lower bound; None: no goal."""

    def __init__(self, name, programs, ratio=None, limit=None, peak_mib=None, rate=None):
        self.name = name
        self.programs = {key: program for key, program in programs.items() if program is not None}
        self.ratio = ratio
        self.limit = limit
        self.peak_mib = peak_mib    # MiB over an idle start
        self.rate = rate            # (unit, number, lowest accepted number per second)


def offsets(count):
    """The random offsets; tests/bench/loop.c uses the same ones."""
    state = 1
    for _ in range(count):
        state = (state * 1103515245 + 12345) & 0x7fffffff
        yield (state >> 8) % BLOCKS * 4096


class Rows:
    """Makes the rows and their files."""

    def __init__(self, zoneio, reference, build, disk, memory):
        self.zoneio = zoneio
        self.reference = reference
        self.loop = build / "tests/bench/loop"
        self.disk = disk
        self.memory = memory
        self.disk_image = self.image(disk / "image")
        self.memory_image = self.image(memory / "image")

    @staticmethod
    def image(path):
        """Makes an image in which every block has data."""
        chunk = os.urandom(1 << 20)
        with open(path, "wb") as file:
            for _ in range(BLOCKS * 4096 >> 20):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return path

    def script(self, name, command, count=COUNT, end=""):
        path = self.memory / f"{name}.{count}"
        with open(path, "w", encoding="ascii") as file:
            file.writelines(command.format(offset) + "\n" for offset in offsets(count))
            file.write(end)
        return path

    def both(self, arguments, **settings):
        """One command line for zoneio and qemu-io."""
        reference = Program(self.reference + arguments, **settings) if self.reference else None
        return {"zoneio": Program([self.zoneio] + arguments, **settings), "qemu-io": reference}

    def all(self):
        yield self.start()
        yield from self.small_commands()
        yield from self.asynchronous()
        yield from self.bulk()
        yield from self.regions()
        yield from self.extents()
        yield from self.zones()
        yield from nbd_rows(self, Row, offsets)
        yield from self.many_zones()

    def start(self):
        arguments = ["-f", "raw", "-c", "length", self.memory_image]
        programs = self.both(arguments, times=40)
        programs["bare"] = Program([self.start_program(), self.memory_image], times=40)
        return Row("start, -c length, exit", programs, ratio=4.5, limit=1 / 1.25)

    def start_program(self):
        """A C program that does nothing, linked to the libraries of zoneio."""
        dynamic = subprocess.run(["readelf", "-d", self.zoneio], capture_output=True, text=True, check=True).stdout
        libraries = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
        source = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tests/bench/start.c")
        program = self.memory / "start"
        subprocess.run(["cc", "-O2", "-o", program, source, "-Wl,--no-as-needed"]
                       + [f"-l:{name}" for name in libraries if not name.startswith("ld-")], check=True)
        return program

    def small_commands(self):
        warm = ["-f", "raw", "-t", "writeback"]
        yield Row("100k length", self.both(["-f", "raw", self.memory_image], stdin=self.script("length", "length")),
                  ratio=12)

        programs = self.both(warm + [self.disk_image], stdin=self.script("read-q", "read -q {} 4k"))
        programs["bare"] = Program([self.loop, "pread", self.disk_image, COUNT])
        yield Row("100k read -q 4k, page cache", programs, ratio=15, limit=0.6)
        yield self.with_prompt(programs["zoneio"], "pread-prompt", self.disk_image)

        programs = self.both(warm + [self.disk_image], stdin=self.script("read", "read {} 4k"))
        yield Row("100k read 4k with report", programs, ratio=10)

        programs = self.both(warm + [self.memory_image], stdin=self.script("write-q", "write -q {} 4k"))
        programs["bare"] = Program([self.loop, "pwrite", self.memory_image, COUNT])
        yield Row("100k write -q 4k, writeback, tmpfs", programs, ratio=10, limit=0.6)
        yield self.with_prompt(programs["zoneio"], "pwrite-prompt", self.memory_image)

        programs = self.both(["-f", "raw", self.disk_image], stdin=self.script("write-q", "write -q {} 4k", 500))
        programs["bare"] = Program([self.loop, "pwrite-sync", self.disk_image, 500])
        yield Row("500 write -q 4k, default cache mode", programs, ratio=1, limit=0.95)

    def with_prompt(self, ours, loop, image):
        """All system calls of such a command, with one write for each prompt."""
        return Row("  the same; bare loop that writes a prompt, too",
                   {"zoneio": ours, "bare": Program([self.loop, loop, image, COUNT])})

    def asynchronous(self):
        for how in ("read", "write"):
            script = self.script(f"aio-{how}", f"aio_{how} -q {{}} 4k", end="aio_flush\n")
            for place, image, goals in (("disk", self.disk_image, {"limit": 0.97}),
                                        ("tmpfs", self.memory_image, {"ratio": 10, "limit": 1, "peak_mib": 16})):
                programs = self.both(["-f", "raw", "-n", "-i", "io_uring", image], stdin=script)
                programs["bare"] = Fio(image, how, COUNT, AIO_DEPTH)
                yield Row(f"100k aio_{how} -q 4k, -n -i io_uring, {place}; fio", programs, **goals)
                programs = {"zoneio": programs["zoneio"],
                            "bare": Program([self.loop, f"uring-{how}", image, COUNT, AIO_DEPTH])}
                yield Row("  the same; bare io_uring loop", programs)
            yield Row(f"100k aio_{how} -q 4k, threads, tmpfs",
                      self.both(["-f", "raw", "-t", "writeback", self.memory_image], stdin=script), ratio=2)
            yield Row(f"100k aio_{how} -q 4k, -n -i native, tmpfs",
                      self.both(["-f", "raw", "-n", "-i", "native", self.memory_image], stdin=script), ratio=2)

    def bulk(self):
        image = self.memory / "bulk"
        with open(image, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 1 << 30)
        for name, command, loop in (("write 0 1G", "write 0 1G", "bulk-write"),
                                    ("read -P 0xcd 0 1G", "read -P 0xcd 0 1G", "bulk-verify")):
            programs = self.both(["-f", "raw", "-t", "writeback", "-c", command, image])
            programs["bare"] = Program([self.loop, loop, image, 1024])
            yield Row(f"{name}, tmpfs", programs, ratio=1.5, limit=0.9, peak_mib=16)
        image.unlink()

    def regions(self):
        """The region commands, compared with system programs for the same work, on 1 GiB in memory."""
        needle = "what_is_looked_for"
        images = [self.memory / "region", self.memory / "region.copy"]
        chunk = os.urandom(64 << 20)
        for image in images:
            with open(image, "wb") as file:
                for _ in range(16):
                    file.write(chunk)
                file.seek(-len(needle), os.SEEK_END)
                file.write(needle.encode())
        image, other = images
        copies = [self.memory / "saved", self.memory / "dd"]

        def no_copies():
            for path in copies:
                path.unlink(missing_ok=True)

        def ours(command, **settings):
            return Program([self.zoneio, "-r", "-f", "raw", "-c", command, image], **settings)

        for name, command, peer, settings in (
                ("find -a -t in 1 GiB, tmpfs; grep -c", f"find -a -t {needle}",
                 ["grep", "-c", needle, image], {}),
                ("compare of 1 GiB, tmpfs; cmp", f"compare all {other}", ["cmp", image, other], {}),
                ("save of 1 GiB, tmpfs; dd bs=1M", f"save -q all {copies[0]}",
                 ["dd", f"if={image}", f"of={copies[1]}", "bs=1M", "status=none"], {"prepare": no_copies}),
                ("dump of 128 MiB into a pipe; xxd", "dump 0 128M", ["xxd", "-l", 128 << 20, image], {"to_pipe": True})):
            yield Row(name, {"zoneio": ours(command, **settings), "bare": Program(peer, **settings)}, limit=0.8, peak_mib=16)
            no_copies()
        for path in images:
            path.unlink(missing_ok=True)

    def extents(self):
        image = self.memory / "extents"
        with open(image, "wb") as file:
            for i in range(EXTENTS // 2):
                os.pwrite(file.fileno(), b"x", i * 8192)
            os.truncate(image, EXTENTS * 4096)
        yield Row("map of a file with 1M extents, tmpfs", self.both(["-r", "-f", "raw", "-c", "map", image], to_pipe=True), ratio=3)
        image.unlink()

    def zoned(self, path, zone_size, size):
        """The arguments that open an emulated device, and the command that empties its file."""
        words = ["--image-opts", f"driver=zoned,filename={path},size={size},zone.size={zone_size}"]
        return words, lambda: path.write_bytes(b"")

    def zones(self):
        words = ["--image-opts", f"driver=zoned,size={ZONES * 4096},zone.size=4k"]
        yield Row("zrp of 1M zones into a pipe",
                  {"zoneio": Program([self.zoneio] + words + ["-c", f"zrp 0 {ZONES}"], to_pipe=True)},
                  rate=("lines", ZONES, 1.5e6))

        plain = self.memory / "plain"

        def new_plain():
            plain.write_bytes(b"")
            os.truncate(plain, 4 << 30)

        words, empty = self.zoned(self.memory / "zoned", "1G", "4G")
        sequential = self.memory / "sequential"
        sequential.write_text("".join(f"write {i * 4096} 4k\n" for i in range(COUNT)), encoding="ascii")
        zap = self.script("zap", "zap -p 0 4k")
        yield Row("100k zap 4k, emulated; write 4k to a plain file",
                  {"zoneio": Program([self.zoneio, "-t", "writeback"] + words, stdin=zap, prepare=empty),
                   "bare": Program([self.zoneio, "-f", "raw", "-t", "writeback", plain], stdin=sequential,
                                   prepare=new_plain)},
                  limit=1 / 1.3)

        steps = self.memory / "steps"
        steps.write_text("".join(f"write -q {i * 65536} 64k\n" for i in range(8192)), encoding="ascii")
        yield Row("sequential 64k writes, emulated; driver=file",
                  {"zoneio": Program([self.zoneio, "-t", "writeback"] + words, stdin=steps, prepare=empty),
                   "bare": Program([self.zoneio, "-t", "writeback", "--image-opts", f"driver=file,filename={plain}"],
                                   stdin=steps, prepare=new_plain)},
                  limit=0.9)
        count, depth = COUNT, 16
        appends = self.loop.parent / "appends"
        yield Row("100k random 4 KiB appends to 16 zones, depth 16; writes to a file",
                  {"zoneio": Program([appends, "zoned", self.memory / "zoned", count, depth], prepare=empty),
                   "bare": Program([appends, "file", plain, count, depth], prepare=new_plain)}, limit=0.7)
        yield from self.logs(words, empty, steps)
        for path in (plain, self.memory / "zoned"):
            path.unlink(missing_ok=True)

    def many_zones(self):
        """Commands on 16 million zones. The table of the device is mapped: 16 bytes a zone count as memory in use."""
        image = self.memory / "zones"
        subprocess.run([self.zoneio, "-c", f"create -f zoned -o zone.size=4k {image} {MANY_ZONES * 4096}"], check=True,
                       capture_output=True)
        for command, seconds in (("zone_list", MANY_ZONES / 2e6), ("zone_map", 0.3), ("zone_info", 0.3)):
            yield Row(f"{command} of 16M zones into a pipe",
                      {"zoneio": Program([self.zoneio, "-r", "-f", "zoned", "-c", command, image], to_pipe=True)},
                      rate=("zones", MANY_ZONES, MANY_ZONES / seconds), peak_mib=32 + MANY_ZONES * 16 // (1 << 20))
        image.unlink()

    def logs(self, words, empty, steps):
        """Writes with a write log compared with writes without one; a replay compared with a copy of the log."""
        log, copy, target = self.memory / "log", self.memory / "log.copy", self.memory / "replayed"
        zoned = f"file.driver=zoned,file.filename={self.memory / 'zoned'},file.size=4G,file.zone.size=1G"

        def empty_both():
            empty()
            log.write_bytes(b"")

        logging = Program([self.zoneio, "-t", "writeback", "--image-opts",
                           f"driver=blklogwrites,{zoned},log.driver=file,log.filename={log}"], stdin=steps, prepare=empty_both)
        yield Row("sequential 64k writes, emulated, logged; not logged",
                  {"zoneio": logging, "bare": Program([self.zoneio, "-t", "writeback"] + words, stdin=steps, prepare=empty)},
                  limit=1 / 2.2, peak_mib=16)

        def no_files():
            copy.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            subprocess.run([self.zoneio, "-c", f"create -f zoned -o zone.size=1G {target} 4G"], check=True, capture_output=True)

        # The row above has left a log of 512 MiB.
        yield Row("replay of 512 MiB, emulated, tmpfs; dd bs=1M of the log",
                  {"zoneio": Program([self.zoneio, "-t", "writeback", "-c", f"replay {log}", target], prepare=no_files),
                   "bare": Program(["dd", f"if={log}", f"of={copy}", "bs=1M", "status=none"], prepare=no_files)},
                  limit=0.8, peak_mib=16)
        for path in (log, copy, target):
            path.unlink(missing_ok=True)

    def session(self):
        """Ten million commands through a pipe, and 100,000."""
        script = self.script("read-q", "read -q {} 4k")
        arguments = [self.zoneio, "-f", "raw", self.memory_image]
        return [(count, Program(arguments, stdin=script, repeat=count // COUNT)) for count in (COUNT, 100 * COUNT)]

    def growing(self):
        """Rows that run a program with 1, 10 and 100 times the work: name, unit, [(amount, program)]."""
        quiet = [self.zoneio, "-f", "raw", "-t", "writeback"]
        yield "commands (read -q 4k)", [
            (n, Program(quiet + [self.memory_image], stdin=self.script("read-q", "read -q {} 4k", n)))
            for n in (10_000, 100_000, 1_000_000)]
        big = self.memory / "big"

        def new_big():
            big.write_bytes(b"")
            os.truncate(big, 1 << 30)

        yield "KiB (write 0 LEN)", [
            (n >> 10, Program(quiet + ["-c", f"write 0 {n}", big], prepare=new_big))
            for n in (10 << 20, 100 << 20, 1000 << 20)]
        big.unlink(missing_ok=True)
        yield "zones (zrp)", [
            (n, Program([self.zoneio, "--image-opts", f"driver=zoned,size={n * 4096},zone.size=4k", "-c", f"zrp 0 {n}"],
                        to_pipe=True)) for n in (10_000, 100_000, 1_000_000)]
        modes = (("threads", []), ("io_uring", ["-n", "-i", "io_uring"]), ("native", ["-n", "-i", "native"]))
        for mode, words in modes:
            yield f"aio_read in flight ({mode})", [
                (n, Program(quiet + words + [self.memory_image], times=20 if n < 1000 else 1,
                            stdin=self.script("aio-read", "aio_read -q {} 4k", n, end="aio_flush\n")))
                for n in (160, 1600, 16_000)]


def reference_command(root):
    """The command that runs qemu-io from a root folder without chroot: through the dynamic linker and libraries of the
    folder."""
    machine = os.uname().machine
    linkers = {"x86_64": "lib64/ld-linux-x86-64.so.2", "aarch64": "lib/ld-linux-aarch64.so.1"}
    program = os.path.join(root, "usr/bin/qemu-io")
    if not os.access(program, os.X_OK):
        raise OSError(f"there is no usr/bin/qemu-io in {root}")
    if machine not in linkers:
        raise OSError(f"--reference-root is not known for {machine}; use --reference")
    return [os.path.join(root, "usr", linkers[machine]), "--library-path",
            os.path.join(root, f"usr/lib/{machine}-linux-gnu"), program]
