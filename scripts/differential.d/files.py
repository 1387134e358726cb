"""Names of images and kinds of files."""

from case import DIR, Case, Directory, Fifo, File, Symlink
from commands import CACHES, EXTRA_FILES, Sizes

ODD_NAMES = ("a b", " a", "a:b", ":a", "1:2", "a,b", "a=b", "a,,b", "a%sb", "\u00e9\u6f22.img", "\udcff\udcfe", "a'b",
             'a"b', "a\\b", "-a", "json:x", "json", "json:{}", "file:a", "nbd", "a\tb", "a\nb", "#a", "~", "*", "{",
             "a.qcow2", "x" * 255, "null-co:", "blkdebug", "driver=raw", "file.filename=a.img")
MISSING = ("missing", "missing/a", "a.img/b", "dir/missing", "", ".", "..", "/", "/missing", "dir", "dir/", "x" * 256,
           "x" * 5000, "dangling", "loop", "./missing", "file:missing", "file:dir", "file:", "file:///missing")
PROTOCOLS = ("file:a.img", "file:./a.img", f"file:{DIR}/a.img", f"file://{DIR}/a.img", f"file:///{DIR}/a.img",
             "host_device:a.img", "host_device:/dev/null", "host_device:/dev/zero", "host_device:missing",
             "host_device:", "null-co://", "null-co:", "null-co:/", "null-co://x", "null-co", "null-aio://",
             "null-aio:", "null-aio://x", "nosuch:a.img", "nosuch:", ":", "::", ":a.img", "./a:b", "a:b", "file:a:b",
             "raw:a.img", "File:a.img", "json:", "json:{", "json:x", "json:{}", "json:[]", "json:1",
             'json:{"driver":"raw"}', 'json:{"file.filename":"a.img"}', "nbd:x", "vvfat:dir",
             "fat:dir", "blkverify:a:b")
PLACES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/stdin", "/dev/fd/0", "/proc/self/status", "/proc/version",
          "/etc", "/dev", "/dev/missing", f"{DIR}/a.img", f"{DIR}//a.img", f"{DIR}", "./a.img", ".//a.img",
          "dir/../a.img", "link", "dir/link", f"file:{DIR}/link", "fifo", "file:fifo", "secret.img")
FIVE_GIB = 5 << 30


def setup(d, image, name):
    """The files to which the names of the pools may refer."""
    items = [image, Symlink("link", "a.img"), Symlink("dangling", "nowhere"), Symlink("loop", "loop"), Fifo("fifo"),
             File("secret.img", 512, fill=1, mode=0)]
    if name in ODD_NAMES and name != image.name:
        items.append(File(name, d.pick(0, 512, 1000), fill=7))
    if name in ("./a:b", "a:b", "file:a:b"):
        items.append(File("a:b", 512, fill=7))
    return tuple(items) + EXTRA_FILES


def drawn_name(d):
    pool = d.weighted({ODD_NAMES: 4, MISSING: 3, PROTOCOLS: 4, PLACES: 3, ("a.img",): 1})
    name = d.pick(pool)
    return d.pick("./", "file:", "") + name if pool is ODD_NAMES else name, name


def open_options(d):
    units = []
    if d.chance(0.5):
        units.append(("-f", d.pick("raw", "raw", "raw", "file", "host_device", "null-co", "nosuch")))
    if d.chance(0.3):
        units.append(("-r",))
    units += d.subset([("-n",), ("-U",), ("-t", d.pick(CACHES)), ("--image-opts",)], 0.06)
    return units


def make(d):
    if d.chance(0.1):
        return beyond_four_gib(d)
    spelled, name = drawn_name(d)
    image = d.image(sizes=(0, 1, 511, 512, 513, 1000, 4096, 65536))
    commands = d.choices(("length", "info", "map", "read 0 512", "write 0 512", "flush", "alloc 0", "truncate 512",
                          "write 0 1", "discard 0 512", "reopen -r", "close"), k=d.randint(1, 3))
    units = [("-c", text) for text in commands] + open_options(d)
    # Names with spaces cannot be operands of open, which splits words at spaces.
    if d.chance(0.2):
        units.append(("-c", f"open {d.pick('', '', '-r ', '-U ', '-n ')}{spelled}"))
    elif spelled.startswith("-"):
        units += [("--", spelled)]
    else:
        units.append((spelled,))
    return Case(tuple(units), setup(d, image, name))


def beyond_four_gib(d):
    """Offsets that do not fit into 32 bits."""
    size = FIVE_GIB + d.pick(0, 1, 511, 512)
    image = File("a.img", size, extents=((0, 512, 1), (4 << 30, 4096, 2), (size - 16, 16, 3)))
    commands = []
    for _ in range(d.randint(1, 5)):
        numbers = Sizes(d.pick(65536, FIVE_GIB, 4 << 30), odd=0.03)
        offset, length = numbers.number(d), str(d.pick(0, 1, 16, 512, 4096, 5000))
        commands.append(d.pick(f"read -v {offset} 16", f"read {offset} {length}", f"write {offset} {length}",
                               f"discard {offset} {length}", f"write -z {offset} {length}", f"alloc {offset} 1k",
                               f"read -P 2 4g {length}", "length", "map", f"truncate {offset}"))
    return Case((("-f", "raw"),) + tuple(("-c", text) for text in commands) + (("a.img",),), (image,))
