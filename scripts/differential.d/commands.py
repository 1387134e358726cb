"""Random commands and sessions of commands."""

from case import Case, Directory, File

# Per command: flag letters and letters with a value.  A letter is drawn with the probability below.
REQUESTS = {
    "read": ("bCpqrv", "Pls"), "readv": ("Cqrv", "P"), "write": ("bcCfnpqruz", "Ps"), "writev": ("Cfqr", "P"),
    "aio_read": ("Ciqv", "P"), "aio_write": ("Cfiquz", "P"), "discard": ("Cq", ""), "aio_discard": ("Cq", ""),
}
RARE = {"b": 0.03, "c": 0.03, "p": 0.04, "r": 0.07, "n": 0.05, "u": 0.05, "i": 0.06, "C": 0.08}
ZERO_WRITE = {"n": 0.25, "u": 0.35, "P": 0.05, "s": 0.05}    # changes if -z is given
USUAL = 0.15
VALUES = {"P": 0.4, "l": 0.12, "s": 0.12}
SHORT = {"read": "r", "write": "w", "discard": "d", "truncate": "t", "alloc": "a", "close": "c", "flush": "f",
         "info": "i", "length": "l", "open": "o", "help": "?", "quit": "q", "zone_append": "zap",
         "zone_close": "zc", "zone_finish": "zf", "zone_open": "zo", "zone_reset": "zrs", "zone_report": "zrp"}
NAMES = tuple(REQUESTS) + (
    "aio_flush", "alloc", "close", "flush", "help", "info", "length", "map", "open", "quit", "reopen",
    "sigraise", "sleep", "truncate", "zone_append", "zone_close", "zone_finish", "zone_open", "zone_report",
    "zone_reset", "abort", "break", "resume", "remove_break", "wait_break")
UNKNOWN = ("nosuch", "rea", "READ", "reads", "readx", "Length", "l;", "#", "!", "length\t", "length\r", "-q",
           "--help", "exit", "l\u00e9ngth", "'length'", "\"info\"", "zone", "aio", "R", "help?", "??", "\\")
OPEN_OPTIONS = ("driver=raw,file.filename=a.img", "driver=raw,file.filename=a.img,size=512",
                "driver=file,filename=a.img", "file.filename=a.img", "driver=null-co", "nosuch=1",
                "driver=nosuch", "read-only=on", "driver=raw,offset=512,file.filename=a.img", "discard=off")
REOPEN_OPTIONS = ("discard=unmap", "discard=off", "discard=x", "detect-zeroes=on", "detect-zeroes=off",
                  "read-only=on", "read-only=off", "cache.direct=on", "cache.no-flush=on", "size=512",
                  "offset=512", "size=0", "size=513", "driver=raw", "driver=file", "nosuch=1", "locking=off",
                  "file.locking=off", "force-share=on", "node-name=x", "read-only", "", "offset=x")
CACHES = ("none", "off", "directsync", "writeback", "unsafe", "writethrough")
# Files that a session may name: sources for `write -s`.
EXTRA_FILES = (File("pattern.bin", text="abcdefghijklmnop"), File("empty.bin"), Directory("dir"))
PATTERN_FILES = ("pattern.bin", "pattern.bin", "pattern.bin", "a.img", "empty.bin", "dir", "missing", "/dev/null")


class Sizes:
    """Numbers for a command: near the size of the image, or of any form that the grammar allows."""

    def __init__(self, size, odd=0.08, grammar=False):
        self.size, self.odd, self.grammar = size, odd, grammar

    def number(self, d):
        if self.grammar and d.chance(0.6):
            return d.small_number()
        return d.number(self.size, self.odd)


def assemble(d, word, options, operands):
    """A command with its options in one cluster or several words, at any position that getopt accepts."""
    words = []
    for letter, value in d.shuffled(options):
        if value is None and words and words[-1][0] == "-" and " " not in words[-1] and d.chance(0.3):
            words[-1] += letter
        elif value is None:
            words.append("-" + letter)
        else:
            words.append(f"-{letter}{d.pick('', ' ', ' ')}{value}")
    if d.chance(0.03):
        operands = ["--"] + operands
    place = 0 if d.chance(0.75) else d.randint(0, len(operands))
    if "--" not in operands:
        words = operands[:place] + words + operands[place:]
    else:
        words += operands
    gap = " " if d.chance(0.95) else "  "
    return gap.join([spelling(d, word)] + words)


def spelling(d, name):
    return SHORT[name] if name in SHORT and d.chance(0.25) else name


def option_value(d, letter, sizes):
    if letter == "P":
        return d.pattern()
    return sizes.number(d)


def request(d, name, sizes):
    flags, values = REQUESTS[name]
    zero = "z" in flags and d.chance(0.25)
    odds = {**RARE, **(ZERO_WRITE if zero else {})}
    options = [(f, None) for f in flags if (zero if f == "z" else d.chance(odds.get(f, USUAL)))]
    for letter in values:
        if d.chance(odds.get(letter, VALUES[letter])):
            source = letter == "s" and name == "write"
            options.append((letter, d.pick(PATTERN_FILES) if source else option_value(d, letter, sizes)))
    if d.chance(0.02):
        options.append((d.pick("xaZh-?1:"), None))
    return assemble(d, name, options, operands_of(d, name, sizes))


def operands_of(d, name, sizes):
    count = 1
    if name in ("readv", "writev", "aio_read", "aio_write"):
        count = d.weighted({1: 6, 2: 3, 3: 2, 8: 1})
    if d.chance(0.04):
        count = d.randint(0, 3)
    operands = [sizes.number(d) for _ in range(count + 1)]
    return operands[1:] if d.chance(0.02) else operands


def truncate(d, sizes):
    options = []
    if d.chance(0.3):
        options.append(("m", d.pick("off", "falloc", "full", "metadata", "Full", "", "x")))
    operands = [sizes.number(d) for _ in range(d.weighted({1: 12, 2: 1, 3: 1, 0: 1}))]
    return assemble(d, "truncate", options, operands)


def alloc(d, sizes):
    count = d.weighted({1: 4, 2: 6, 0: 1, 3: 1})
    return assemble(d, "alloc", [], [sizes.number(d) for _ in range(count)])


def open_command(d, _sizes):
    options = [(f, None) for f in d.subset("snCrkU", 0.08) if f not in "sC"]
    if d.chance(0.3):
        options.append(("o", d.pick(OPEN_OPTIONS)))
    if d.chance(0.15):
        options.append(("t", d.pick(CACHES + ("x",))))
    if d.chance(0.15):
        options.append(("d", d.pick("unmap", "on", "ignore", "off", "x")))
    if d.chance(0.05):
        options.append(("i", d.pick("threads", "native", "io_uring", "x")))
    if d.chance(0.02):
        options.append((d.pick("xZ-"), None))
    operands = ["a.img"] if d.chance(0.7) else d.pick(
        [], ["b.img"], ["missing"], ["dir"], ["a.img", "a.img"], ["null-co://"], ["file:a.img"], ["nosuch:x"])
    return assemble(d, "open", options, operands)


def reopen(d, _sizes):
    options = [(f, None) for f in d.subset("rw", 0.25)]
    if d.chance(0.25):
        options.append(("c", d.pick(CACHES + ("x",))))
    for _ in range(d.weighted({0: 4, 1: 4, 2: 1})):
        options.append(("o", ",".join(d.choices(REOPEN_OPTIONS, k=d.weighted({1: 5, 2: 1})))))
    return assemble(d, "reopen", options, ["x"] if d.chance(0.03) else [])


def zone(d, sizes):
    name = d.pick("zone_append", "zone_close", "zone_finish", "zone_open", "zone_report", "zone_reset")
    count = 2 if d.chance(0.9) else d.randint(0, 5)
    words = [sizes.number(d) for _ in range(count)]
    if name == "zone_append":
        words = d.pick([], ["-p"], ["-p"], ["-x"]) + words + d.pick([], [sizes.number(d)])
    return " ".join([spelling(d, name)] + words)


def help_command(d, _sizes):
    words = d.subset([d.pick(NAMES + tuple(SHORT.values()) + UNKNOWN)], 0.8)
    return " ".join([spelling(d, "help")] + words + (["x"] if d.chance(0.03) else []))


def plain(d, _sizes):
    """Commands without operands."""
    name = d.weighted({"length": 5, "info": 4, "map": 4, "flush": 4, "aio_flush": 2, "close": 2})
    return spelling(d, name) + (d.pick(" x", " -x", " 0 1") if d.chance(0.04) else "")


def sigraise(d, sizes):
    pool = ("0", "0", "13", "17", "65", "66", "0x0", "0x41", "1k", "18")
    number = d.pick(pool) if d.chance(0.8) else d.pick("9", "15", "10", "6", "65.0", "x", sizes.number(d))
    return "sigraise" + (" " + number if d.chance(0.97) else "")


def sleep(d, _sizes):
    return "sleep " + d.pick("0", "1", "2", "0x1", "010", "+1", "-1", "x", "1k", "1.0", "08", "", "1 2", " ")


def wrong(d, sizes):
    """Unknown commands, and known ones with any number of words."""
    if d.chance(0.5):
        return d.pick(UNKNOWN) + d.pick("", "", " 0 512", " x")
    name = spelling(d, d.pick(NAMES))
    return " ".join([name] + [d.pick("x", "-x", "-q", "0", sizes.number(d)) for _ in range(d.randint(0, 6))])


def end(d, _sizes):
    return d.pick("quit", "q", "quit x y", "abort", "abort x", "quit")


def any_request(d, sizes):
    name = d.weighted({"read": 8, "readv": 3, "write": 8, "writev": 3, "aio_read": 2, "aio_write": 3,
                       "discard": 3, "aio_discard": 1})
    return request(d, name, sizes)


COMMANDS = {any_request: 60, plain: 14, truncate: 4, alloc: 5, open_command: 4, reopen: 4, zone: 3,
            help_command: 2, sigraise: 2, sleep: 1, wrong: 4, end: 1}
# Commands with numbers, for sessions that test the grammar of numbers.
NUMERIC = {any_request: 50, truncate: 12, alloc: 15, zone: 10, sigraise: 4, sleep: 2}


def session(d, sizes, table=None, longest=12):
    """Several commands. An aio_flush follows each asynchronous command, see hazards.unordered."""
    out = []
    for _ in range(d.pick(1, 2, 3, d.randint(1, longest))):
        text = d.weighted(table or COMMANDS)(d, sizes)
        out.append(text)
        if text.startswith("aio_") and not text.startswith("aio_flush"):
            out.append("aio_flush")
        if text.startswith(("close", "c ")) and d.chance(0.7):
            out.append(open_command(d, sizes))
    return out


def as_units(commands):
    return tuple(("-c", text) for text in commands)


def process_options(d):
    """Options that change how the image is opened, and that the case does not test."""
    units = [("-f", "raw")] if d.chance(0.85) else []
    units += d.subset([("-n",), ("-r",), ("-m",), ("-t", d.pick(CACHES)), ("-d", d.pick("unmap", "off"))], 0.1)
    return tuple(d.shuffled(units))


def make(d):
    image = d.image()
    commands = session(d, Sizes(image.size))
    operand = (("a.img",),) if d.chance(0.96) else ()
    return Case(process_options(d) + as_units(commands) + operand, (image,) + EXTRA_FILES)


def make_numbers(d):
    image = d.image(sizes=(65536, 1 << 20))
    commands = session(d, Sizes(image.size, odd=0.5, grammar=True), NUMERIC, longest=6)
    return Case((("-f", "raw"),) + as_units(commands) + (("a.img",),), (image,) + EXTRA_FILES)
