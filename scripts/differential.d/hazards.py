"""Cases that must not run, because they hang, fill the memory or the disk, race, or crash the reference. Generated and
minimised cases are checked."""

import getopt
import json
import re

from case import Fifo, File, Server

MIB = 1 << 20
BUFFER_LIMIT = 64 * MIB         # requests that need a buffer of their length, twice per case
DUMP_LIMIT = 64 << 10
ALLOCATE_LIMIT = 64 * MIB       # disk space
SPARSE_LIMIT = 16 << 30
TOO_BIG_FOR_EXT4 = 1 << 44      # fails at once
SLEEP_LIMIT = 50                # milliseconds
ZONES_LIMIT = 1 << 20
PIECE = 1023                    # the reference reads at most this many bytes of a line at a time
STOP_SIGNALS = range(19, 23)    # these stop the program until SIGCONT

# Options of the checked commands, in the form of getopt.
OPTIONS = {"read": "bCl:pP:qrs:v", "readv": "CP:qrv", "write": "bcCfnpP:qrs:uz", "writev": "CfP:qr",
           "aio_read": "CiP:qrv", "aio_write": "CfiP:qruz", "discard": "Cq", "aio_discard": "Cq",
           "truncate": "m:"}
SHORT = {"r": "read", "w": "write", "d": "discard", "t": "truncate", "zrp": "zone_report"}

_NUMBER = re.compile(r"\+?(?:0[xX]([0-9a-fA-F]+)|([0-9]*)(?:\.[0-9]*)?([bkmgtpe]?))\Z", re.I)
_SCALE = {letter: 1 << 10 * power for power, letter in enumerate("bkmgtpe")} | {"": 1}


def magnitude(text):
    """The approximate value of a number, rounded up; 0 for other words."""
    match = _NUMBER.match(text)
    if not match:
        return 0
    if match[1]:
        return int(match[1], 16)
    return (int(match[2] or "0") + ("." in text)) * _SCALE[match[3].lower()]


def forbidden(case):
    """Why a case must not run, or None."""
    sessions = [command_arguments(case)]
    if case.stdin is not None:
        sessions.append(list(input_lines(case.stdin)))
    fifos = {item.name for item in case.setup if isinstance(item, Fifo)}
    if fifos and any(mentions_fifo(case, name) for name in fifos):
        return "opening a fifo for reading waits for a writer"
    biggest = max([item.size for item in case.setup if isinstance(item, File)] + [0])
    for session in sessions:
        commands = [split(text) for text in session]
        biggest = max([biggest] + [truncated_size(words) for words in commands])
        reason = held(commands) if uses_breakpoints(case, commands) else unordered(commands)
        reason = reason or next(filter(None, (bad_command(w, biggest) for w in commands)), None)
        reason = reason or bad_blkdebug(case, commands) or unreadable_block(case, commands)
        if reason:
            return reason
    if any(map(shows_help, sessions)) and any(map(ends_by_signal, sessions)):
        return "help texts differ in length, so a signal loses different parts of the output"
    if any("throttle-group" in unit[-1] and unknown_properties(unit[-1]) > 1 for unit in case.units if unit[0].startswith("--object")):
        return "which of several unknown properties of an object is named is up to a hash table of a library"
    if any(named_twice(word[5:]) for unit in case.units for word in unit if word.startswith("json:")):
        return "which of two spellings of one key in a json: name counts is up to the reference's dictionary"
    if re.search(r'json:.*"driver": ?[^" ]', all_words(case)) and any(words[:1] == ["reopen"] for words in commands):
        return "what upstream makes at a reopen of a driver that was no string"
    if copies_garbage(case):
        return "null-co leaves the memory as it is that copy-on-read reads into, and the reference does not clear it"
    if any(reopens_direct(text) for session in sessions for text in session):
        return "a reopen for O_DIRECT makes the reference look for the block size on the old descriptor, and crash later"
    if misaligned(case) and any("-s" in dict(parse(words)[0]) for words in commands if words[:1] == ["write"]):
        return "-m with write -s crashes the reference where the file is of no use"
    return None


_PROPERTY = re.compile(r"(?:(?:x-|limits\.)(?:(?:iops|bps)-(?:total|read|write)(?:-max(?:-length)?)?|iops-size)|qom-type|id)(?:\.|\Z)")


def unknown_properties(text):
    """The number of unknown properties of a throttle group."""
    text = text.removeprefix("--object=")
    if not text.startswith("{"):
        words = [word.split("=")[0] for word in text.split(",")]
        return len({word for word in words if not _PROPERTY.match(word)} - {"throttle-group"})
    try:
        tree = json.loads(text)
    except ValueError:
        return 0
    dotted = {key for key in tree if "." in key}        # a name of its own here
    return len({word for word in leaves(tree) if not _PROPERTY.match(word)} | dotted)


def leaves(value, prefix=""):
    """The dotted keys of the values in nested objects, with repetitions."""
    if not isinstance(value, dict) or not value:
        return [prefix[:-1]]
    return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{prefix}{key}.")]


def named_twice(text):
    try:
        keys = leaves(json.loads(text))
    except (ValueError, RecursionError):
        return False
    return len(keys) != len(set(keys))


def all_words(case):
    return " ".join(word for unit in case.units for word in unit)


def shows_help(session):
    return any(split(text)[:1] in (["help"], ["?"]) for text in session)


def ends_by_signal(session):
    return any(split(text)[:1] in (["abort"], ["sigraise"]) for text in session)


def copies_garbage(case):
    text = all_words(case)
    copies = "copy-on-read" in text or "--copy" in text or any(re.match(r"-\w*C", unit[0]) for unit in case.units) or " -C" in text
    return copies and "null-" in text and not re.search(r"read-zeroes(=|\":\s*\"?)(on|true|yes)", text)


def reopens_direct(text):
    return re.match(r" *reopen .*(?:-\w*c *(?:none|off|directsync)|cache\.direct)", text) is not None


def misaligned(case):
    return any(re.match(r"-\w*m|--m", unit[0]) for unit in case.units)


def command_arguments(case):
    """The arguments of -c. Arguments of other clusters that end in c are included, which does no harm."""
    return [re.sub(r"^(?:-\w*c|--cmd?=)", "", unit[-1]) for unit in case.units
            if re.match(r"-\w*c|--cm", unit[0])]


def input_lines(data):
    """The commands read from standard input: lines, cut where the reference's buffer ends."""
    for line in re.findall(rb"[^\n]*\n|[^\n]+", data):
        for start in range(0, len(line), PIECE):
            yield line[start:start + PIECE].rstrip(b"\n").decode("utf-8", "surrogateescape")


def split(text):
    """The words of a command: short names made long, cut at spaces and at a NUL."""
    words = text.split("\0")[0].strip("\r").split(" ")
    words = [word for word in words if word]
    if words:
        words[0] = SHORT.get(words[0], words[0])
    return words


def parse(words):
    """Options and operands; both empty for a command whose options are wrong."""
    try:
        return getopt.gnu_getopt(words[1:], OPTIONS[words[0]])
    except getopt.GetoptError:
        return [], []


def truncated_size(words):
    if not words or words[0] != "truncate":
        return 0
    operands = parse(words)[1]
    size = magnitude(operands[0]) if operands else 0
    return size if size < TOO_BIG_FOR_EXT4 else 0


def mentions_fifo(case, name):
    """Read-write opens of a fifo fail at once; everything else may block."""
    text = " ".join(word for unit in case.units for word in unit)
    text += (case.stdin or b"").decode("utf-8", "replace")
    return name in text and re.search(r"(^|\s)-\w*r|read-only|open|reopen|write|rea|-U", text) is not None


def unordered(commands):
    """Requests in flight complete in no fixed order, also relative to later commands. An empty line is enough, because
    the prompt's loop polls."""
    for words, following in zip(commands, commands[1:]):
        if words and words[0].startswith("aio_") and words[0] != "aio_flush" and following != ["aio_flush"]:
            return "what follows an aio request must be aio_flush"
    return None


def bad_blkdebug(case, sessions):
    """Requests for parts of a block above blkdebug on which the programs differ."""
    text = " ".join(word for unit in case.units for word in unit)
    if "blkdebug" not in text:
        return None
    aligns = [magnitude(value) for value in re.findall(r'\balign(?:=|": ")([^,"]*)', text)]
    block = max([align for align in aligns if align < MIB] + [1 if re.search(r'driver(=|": ")raw|-f raw', text) else 512])
    partial = [words[0] for words in sessions if words and words[0] in OPTIONS and
               any(magnitude(operand) % block for operand in parse(words)[1])]
    if block > 1 and any("discard" in name for name in partial):
        return "a discard of a part of a block crashes the reference"
    rules = re.findall(r'inject-error\.(?:(\d+)\.)?event', text)
    typed = re.findall(r'inject-error\.(?:(\d+)\.)?iotype(?:=|": ")(?!read\b)', text)
    fails_reads = len(rules) > len(typed) or "blkdebug:cfg" in text
    if block > 1 and fails_reads and any("write" in name for name in partial):
        return "a part of a block is written though the block could not be read: the reference destroys the rest of it"
    return None


def unreadable_block(case, commands):
    """What an NBD server makes of writes for parts of a block if no read succeeds."""
    servers = [item for item in case.setup if isinstance(item, Server)]
    if not any("error-pread-rate=100%" in server.words for server in servers):
        return None
    if any("write" in words[0] and any(magnitude(operand) % 4096 for operand in parse(words)[1])
           for words in commands if words and words[0] in OPTIONS):
        return "a part of a block is written though the block could not be read: the reference destroys the rest of it"
    return None


def uses_breakpoints(case, commands):
    return case.stdin is None and any(words[:1] == ["break"] for words in commands)


def held(commands):
    """The reference waits for ever for a request that is held at a breakpoint: in aio_flush, at its end, and in every
    command that does I/O. None of these may occur before all breakpoints are removed, which resumes their requests."""
    tags = set()
    begun = False
    for words in commands:
        name = words[0] if words else ""
        if name == "break" and len(words) == 3:
            tags.add(words[2])
        elif name == "remove_break" and len(words) == 2:
            tags.discard(words[1])
        elif name == "aio_flush":
            begun = False
        elif name.startswith("aio_"):
            begun = True
        elif name not in ("resume", "length") and begun:
            return "what ends before or after it depends on the threads"
        if tags and name not in ("break", "remove_break", "resume", "length", "aio_read", "aio_write", "aio_discard"):
            return "waits for a request that is held"
    return "leaves with a request that is held" if tags else None


def bad_command(words, biggest):
    if not words:
        return None
    if words[0] in OPTIONS:
        options, operands = parse(words)
        return bad_request(words[0], dict(options), [magnitude(text) for text in operands], biggest)
    if words[0] == "sleep" and len(words) == 2 and integer(words[1]) > SLEEP_LIMIT:
        return "a long sleep"
    if words[0] == "zone_report" and len(words) == 3 and ZONES_LIMIT < magnitude(words[2]) < 2**32:
        return "memory for many zones, up to 160 GiB"
    if words[0] == "wait_break" and len(words) == 2:
        return "waits for ever"
    if words[0] == "sigraise" and len(words) == 2 and magnitude(words[1]) in STOP_SIGNALS:
        return "a signal that stops the program"
    return None


def integer(text):
    """As strtol with base 0 reads it."""
    match = re.match(r"\s*\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)\Z", text)
    if not match:
        return 0
    return int(match[1], 8 if re.match("0[0-7]", match[1]) else 0)


def bad_request(name, options, operands, biggest):
    if name in ("aio_read", "aio_write") and "-r" in options:
        return "aio requests with -r crash the reference"
    if name == "truncate":
        size = operands[0] if operands else 0
        limit = ALLOCATE_LIMIT if options.get("-m", "off") != "off" else SPARSE_LIMIT
        return "a big truncate" if limit < size < TOO_BIG_FOR_EXT4 or (limit < size and "-m" in options) else None
    total = sum(operands[1:])
    if name in ("discard", "aio_discard") or "-z" in options:
        return "zeros that take disk space" if total > ALLOCATE_LIMIT < biggest else None
    if name != "read" and 0 in operands[1:] and total % 4096 + operands[0] % 4096:
        return "padding a vector with an empty part crashes the reference"
    if "-s" in options and magnitude(options["-s"]) + magnitude(options.get("-l", "")) >= 2**63:
        return "the sum of read -s and -l overflows in the reference, which then compares memory that is not its own"
    if BUFFER_LIMIT < total <= 2**31:
        return "a big buffer"
    if "-v" in options and DUMP_LIMIT < total <= 2**31:
        return "a long dump"
    return None
