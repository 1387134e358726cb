"""Temporary snapshots (-s) and copy-on-read (-C): sessions near cluster boundaries."""

import re

from case import Case, File
from commands import CACHES, EXTRA_FILES, Sizes, any_request, as_units, plain, request

CLUSTER = 65536
SIZES = (0, 512, 1000, 4096, CLUSTER - 512, CLUSTER, CLUSTER + 1, 100000, 2 * CLUSTER, 3 * CLUSTER + 700, 300000,
         8 * CLUSTER, (1 << 20) - 512, 1 << 20, (1 << 20) + 3)
COMPRESSED_LIMIT = 8 * CLUSTER      # with more clusters, the threads of the reference decide which ones follow a failure
VMSTATE = ("0", "512", "64k", "65024", "1M", "512M", "1G", "100G", "1P", "2P")
REOPEN = ("", "-w", "-r", "-c none", "-c writeback", "-c unsafe", "-o discard=off", "-o discard=unmap", "-o discard=x",
          "-o read-only=on", "-o read-only=off", "-o file.locking=off", "-o file.read-only=on", "-o file.x=1", "-o file=x",
          "-o backing=", "-o backing.driver=raw", "-o nosuch=1", "-o offset=512", "-o size=512", "-o driver=raw",
          "-o driver=qcow2", "-o filename=x", "-o detect-zeroes=on", "-o detect-zeroes=unmap", "-o copy-on-read=on")
OPTIONS = ("discard=off", "discard=unmap", "discard=x", "read-only=on", "read-only=off", "detect-zeroes=on",
           "detect-zeroes=unmap", "force-share=on", "cache.direct=on", "cache.no-flush=on", "offset=512", "offset=64k",
           "size=512", "size=64k", "node-name=n", "nosuch=1", "snapshot=on", "file.locking=off", "backing=", "file.x=1")


class Clusters(Sizes):
    """Offsets and lengths, many of them at a cluster boundary or the end of the image."""

    def number(self, d):
        if d.chance(0.3):
            return super().number(d)
        count = (self.size + CLUSTER - 1) // CLUSTER
        near = d.randint(0, max(1, count)) * CLUSTER + d.pick(0, 0, 0, 0, -4096, -512, -1, 1, 512, 4096, 32768)
        if d.chance(0.15):
            near = (self.size + 511) // 512 * 512 - d.pick(0, 0, 512, 4096)
        return str(max(0, near))


def around(d, sizes):
    """A range within the image."""
    size = (sizes.size + 511) // 512 * 512
    borders = sorted([min(size, int(d.pick(range(0, size + CLUSTER, CLUSTER))) + d.pick(0, 0, 0, 1, 512, 4096, 40000)),
                      min(size, int(d.pick(range(0, size + CLUSTER, CLUSTER))) + d.pick(0, 0, 0, 1, 512, 4096, 40000))])
    return f"{borders[0]} {borders[1] - borders[0]}"


def data(d, sizes):
    return d.weighted({f"write -P {d.pick('1', '2', '0')} {around(d, sizes)}": 8, f"write {around(d, sizes)}": 2,
                       f"writev -P 3 {around(d, sizes)} 512": 1, f"aio_write -P 4 {around(d, sizes)}": 2,
                       f"write -s pattern.bin {around(d, sizes)}": 1})


def zeroes(d, sizes):
    return d.weighted({f"write -z {around(d, sizes)}": 3, f"write -zu {around(d, sizes)}": 2,
                       f"write -zn {around(d, sizes)}": 3, f"write -zun {around(d, sizes)}": 2,
                       f"aio_write -z{d.pick('', 'u')} {around(d, sizes)}": 1, f"discard {around(d, sizes)}": 5,
                       f"aio_discard {around(d, sizes)}": 1})


def look(d, sizes):
    return d.weighted({"map": 5, f"alloc {around(d, sizes)}": 2, f"read -P {d.pick('0', '1', '0xab')} {around(d, sizes)}": 4,
                       f"read -v {d.randint(0, sizes.size)} {d.pick(1, 16, 300)}": 2, f"aio_read -q {around(d, sizes)}": 1,
                       "info": 1, "length": 1, "flush": 1})


def compressed(d, sizes):
    count = d.pick(1, 1, 1, 2, 3, 8)
    begin = d.randint(0, max(0, sizes.size // CLUSTER)) * CLUSTER
    end = (sizes.size + 511) // 512 * 512
    length = d.pick(min(count * CLUSTER, COMPRESSED_LIMIT), min(max(0, end - begin), COMPRESSED_LIMIT))
    if d.chance(0.15):
        begin, length = begin + d.pick(512, 4096), max(0, length - d.pick(0, 512, 4096))
    return f"write -c{d.pick('', '', 'z', ' -P 0', ' -P 7', ' -s pattern.bin')} {begin} {length}"


def vmstate(d, _sizes):
    offset, length = d.pick(VMSTATE), d.pick("0", "512", "1k", "64k", "65024", "200k", "100")
    return d.pick(f"write -b -P {d.pick('1', '2')} {offset} {length}", f"read -b -P {d.pick('0', '1')} {offset} {length}",
                  f"read -bC {offset} {length}")


def truncate(d, sizes):
    size = d.pick(sizes.number(d), sizes.number(d), str(sizes.size), "0", "2M", "3M", "513M")
    mode = d.weighted({"": 6, "-m off ": 1, "-m metadata ": 1, "-m falloc ": 1, "-m full ": 1})
    return f"truncate {mode if size != '513M' else ''}{size}"


def anything(d, sizes):
    name = d.pick("read", "readv", "write", "writev", "aio_read", "aio_write", "discard")
    text = request(d, name, sizes)
    return text if "c" not in text.split(" -", 1)[-1].split(" ")[0] else any_request(d, Clusters(sizes.size, odd=0))


COMMANDS = {data: 12, zeroes: 9, look: 14, compressed: 3, vmstate: 2, truncate: 3, anything: 4, plain: 2}


def session(d, sizes, longest=14):
    out = []
    for _ in range(d.randint(2, longest)):
        text = d.weighted(COMMANDS)(d, sizes)
        out.append(text)
        if text.startswith("aio_") and not text.startswith("aio_flush"):
            out.append("aio_flush")
    # Only one, and no truncate after it: the reference would have to open its file, which has no name any more.
    if d.chance(0.12):
        last = max([0] + [i + 1 for i, text in enumerate(out) if text.startswith("truncate")])
        place = d.pick([i for i in range(last, len(out) + 1) if i == len(out) or out[i] != "aio_flush"])
        out.insert(place, f"reopen {d.pick(REOPEN)}")
    return out + ["map"]


def image(d):
    size = d.pick(SIZES)
    kind = d.random()
    if kind < 0.3:
        return File("a.img", size, fill=d.pick(1, 0xab, 0))
    extents = []
    for _ in range(d.pick(0, 1, 2, 3)):
        start = d.randrange(0, size + 1, 4096)
        extents.append((start, min(size - start, d.pick(4096, 8192, 65536, 200000)), d.pick(0, 1, 0xab)))
    return File("a.img", size, extents=tuple(extent for extent in extents if extent[1]))


def make(d):
    file = image(d)
    commands = session(d, Clusters(file.size, odd=0.03))
    copying = [("-C",)] * d.chance(0.25)
    if copying:     # an empty read copies nothing, and the reference crashes
        commands = [text for text in commands if not re.match(r"(?:r|read|readv|aio_read)\b.* 0[kKmMgGbB.x0]*\Z", text)]
    units = [("-s",)] * d.chance(0.95) + copying + d.subset([("-r",), ("-n",), ("-U",), ("-t", d.pick(CACHES)), ("-d", d.pick("off", "ignore", "on")),
                                  ("-i", d.pick("threads", "native", "io_uring"))], 0.05)
    way = d.weighted({"-f raw": 12, "probed": 1, "-f file": 1, "--image-opts": 3, "json": 2, "open": 3, "stdin": 3})
    setup, stdin, operand = (file,) + EXTRA_FILES, None, [("a.img",)]
    if way == "--image-opts":
        options = d.subset(OPTIONS, 0.06)
        operand = [("--image-opts",), (",".join(["driver=raw", "file.filename=a.img"] + options),)]
    elif way == "json":
        extra = d.pick("", "", ',"read-only":true', ',"discard":"off"', ',"offset":512')
        operand = [('json:{"driver":"raw","file":{"driver":"file","filename":"a.img"}%s}' % extra,)]
    elif way == "open":
        flags = "".join(letter for letter, chance in (("s", 0.95), ("C", 1.0 * bool(copying)), ("r", 0.05), ("n", 0.05), ("U", 0.05))
                        if d.chance(chance))
        units, operand = [], []
        name = d.pick("a.img", "a.img", "a.img", "missing")
        commands.insert(0, f"open {'-' + flags if flags else ''} -o {','.join(['driver=raw'] + d.subset(OPTIONS, 0.04))} {name}")
        if d.chance(0.3):
            commands += ["close", "open -s -o driver=raw a.img", "map", "read -q 0 512"]
    elif way != "probed":
        units.append(("-f", "file" if way == "-f file" else "raw"))
    if way == "stdin":
        stdin, commands = "".join(text + "\n" for text in commands).encode(), []
    return Case(tuple(d.shuffled(units)) + as_units(commands) + tuple(operand), setup, stdin)
