"""Sessions on piped standard input: how lines are read, cut and ended."""

from case import Case
from commands import EXTRA_FILES, Sizes, process_options, session
from hazards import PIECE

BLANKS = ("", " ", "   ", "\t", "\r", "\0", "\0length", " \r", "#")


def padded(d, line):
    """A line that ends at a boundary between reads, or whose words are cut by one."""
    target = PIECE * d.pick(1, 1, 2) + d.pick(-8, -2, -1, 0, 1, 2, 5)
    gap = " " * max(1, target - len(line.encode()))
    place = d.pick(0, len(line), line.find(" ") + 1)
    return line[:place] + gap + line[place:]


def long_vector(d):
    """One command of several thousand characters."""
    return d.pick("readv", "writev") + " " + " ".join(["0"] + [d.pick("1", "16", "512")] * d.randint(300, 1400))


def decorated(d, line):
    """The line with one character that is special to a shell or a terminal."""
    place = d.pick(0, len(line), d.randint(0, len(line)))
    return line[:place] + d.pick("\t", "\r", "\0", "\u00e9", "\u6f22", " ", "  ", "\x7f", "\x1b[A", ";", "\"",
                                 "\udcff", "\v", "\f", "\x04") + line[place:]


def make(d):
    image = d.image()
    lines = session(d, Sizes(image.size), longest=10)
    for index, line in enumerate(lines):
        change = d.weighted({None: 12, decorated: 3, padded: 1})
        if change:
            lines[index] = change(d, line)
    for _ in range(d.pick(0, 0, 1, 2)):
        extra = d.weighted({d.pick(BLANKS): 6, long_vector(d): 1, "quit": 1, "length": 2})
        # Not between an aio request and the aio_flush that waits for it.
        places = [i for i in range(len(lines) + 1) if i == len(lines) or lines[i] != "aio_flush"]
        lines.insert(d.pick(places), extra)
    text = d.weighted({"\n": 12, "\r\n": 1}).join(lines) + ("\n" if d.chance(0.85) else "")
    operand = (("a.img",),) if d.chance(0.9) else ()
    # With -c, standard input is not read.
    ignored = (("-c", "length"),) if d.chance(0.04) else ()
    data = text.encode("utf-8", "surrogateescape")
    return Case(process_options(d) + ignored + operand, (image,) + EXTRA_FILES, data)
