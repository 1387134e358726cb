"""Copy-on-read, by driver and by -C, above images without a backing image and above temporary snapshots."""

import re

import blkdebug
import snapshot
from case import Case
from commands import CACHES, EXTRA_FILES, Sizes, alloc, any_request, as_units, session, truncate
from image_opts import as_options
from layers import below, filter_chain, filter_node, lower, written

BOTTOMS = ("n", "n", "n", "x", "", "b")
ODD_KEYS = ("x", "bottom.x", "backing", "backing.driver", "file.x", "copy-on-read", "top")
# Options of copying: of the filter and of its child.
EVENTS = ("cor_write", "read_aio", "write_aio", "pwritev", "flush_to_os", "l2_load", "cow_read", "cow_write", "none")


def node(d, child=None):
    child = child or lower(d)
    own = [("driver", "copy-on-read")]
    if d.chance(0.3):
        own.append(("bottom", d.pick(BOTTOMS)))
        if not any(key == "node-name" for key, _value in child) and not re.match("null|json", child[0][1]):
            child = child + [("node-name", "n")]
    return filter_node(d, own, child, ODD_KEYS)


def reopen(d, _sizes):
    return "reopen " + d.pick("", "-r", "-w", "-o bottom=n", "-o bottom=x", "-o x=1", "-o read-only=on", "-o file.x=1", "-c unsafe",
                              "-o copy-on-read=on", "-o copy-on-read=off", "-o detect-zeroes=on", "-o discard=off")


def open_again(d, _sizes):
    flags = "".join(d.subset("Crnk", 0.15))
    return f"open {'-' + flags + ' ' if flags else ''}-o {as_options(d, filter_chain(d, node)).replace(' ', '')}"


def commands(d):
    table = {any_request: 14, truncate: 2, alloc: 1, reopen: 1, lambda d, s: "close": 1, open_again: 1,
             lambda d, s: d.pick("info", "map", "length", "flush"): 4}
    return session(d, Sizes(65536, odd=0.03), table, longest=8)


def make_driver(d):
    """The driver, and -C if there is nothing to copy."""
    units = d.subset([("-r",), ("-n",), ("-U",), ("-C",), ("-t", d.pick(CACHES)), ("-d", d.pick("off", "unmap")),
                      ("-i", d.pick("native", "io_uring", "threads"))], 0.08)
    kind = d.random()
    words = as_units(commands(d))
    if kind < 0.7:
        operand = written(d, filter_chain(d, node))
    elif kind < 0.8:
        operand = written(d, lower(d))
        units += [("-C",)] * (("-C",) not in units)
    elif kind < 0.9:
        operand = (("-f", d.pick("copy-on-read", "raw", "file")), (d.pick("a.img", "a.img", "copy-on-read:a.img", "missing"),))
    else:
        operand = ()
        words = as_units([open_again(d, None)]) + words
    return Case(tuple(d.shuffled(units)) + words + operand, (blkdebug.image(d),) + EXTRA_FILES)


def make_snapshot(d):
    """Reads below a temporary snapshot go through blkdebug. Some of them fail or reach a breakpoint."""
    file = snapshot.image(d)
    sizes = snapshot.Clusters(file.size, odd=0)
    words = [text for text in snapshot.session(d, sizes, 8) if not re.match(r"reopen|truncate", text) and not reads_nothing(text)]
    pairs = []
    for number in range(d.randint(0, 2)):
        pairs += [(f"inject-error.{number}.event", d.pick(EVENTS))]
        pairs += [(f"inject-error.{number}.{key}", value) for key, value in d.subset(
            (("iotype", d.pick("read", "write")), ("once", "on"), ("errno", d.pick("5", "28")), ("sector", d.pick("0", "127", "128"))), 0.5)]
    options = [("driver", "blkdebug"), ("image.filename", "a.img")] + pairs
    if d.chance(0.6):
        options = [("driver", "raw")] + below(options)
    units = [("-s",)] + [("-C",)] * d.chance(0.8) + d.subset([("-r",), ("-n",), ("-t", d.pick(CACHES))], 0.05)
    return Case(tuple(d.shuffled(units)) + as_units(words) + written_plainly(options), (file,) + EXTRA_FILES)


def reads_nothing(text):
    """An empty read copies nothing, and the reference crashes."""
    return re.match(r"(?:r|read|readv|aio_read)\b.* 0[kKmMgGbB.x0]*\Z", text) is not None


def written_plainly(pairs):
    return (("--image-opts",), (",".join(f"{key}={value}" for key, value in pairs),))


def make_held(d):
    """Breakpoints below the filter. Above the filter, the order of requests depends on how far the device is."""
    case = blkdebug.make_breakpoints(d)
    words = "driver=copy-on-read," + ",".join("file." + word for word in case.units[-1][0].split(","))
    return Case(case.units[:-1] + ((words,),), case.setup)


def make(d):
    return d.weighted({make_driver: 6, make_snapshot: 4, make_held: 1})(d)
