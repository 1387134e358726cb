"""Removes varying text from outputs before they are compared, and lists the accepted differences.

Everything else is compared byte for byte.
"""

import json
import re

_UNIT = r"(?:bytes|KiB|MiB|GiB|TiB|PiB|EiB)"
_PROMPTS = r"((?:qemu-io> )*)"
_SIZE = r"[0-9]+(?:\.[0-9]+)?(?:e\+[0-9]+)? " + _UNIT
_CLOCK = r"[0-9]+:[0-9]{2}:[0-9]{2}\.[0-9]{2}"
_RATE = r"(?:[0-9]+(?:\.[0-9]+)?|-?inf|-?nan)"
_RATE3 = r"(?:[0-9]+\.[0-9]{3}|-?inf|-?nan)"

# (why, pattern, replacement), applied in this order to the output of both programs.
MASKS = (
    # The patterns match only the right format, so a line in another format still differs.
    # This also hides a bug of the reference: its `aio_write -z` shows the uptime.
    ("measured times of a request",
     _PROMPTS + "(" + _SIZE + r", [0-9]+ ops; )(?:[0-9]{2}\.[0-9]{2} sec|" + _CLOCK + r") "
     r"\(" + _RATE + " " + _UNIT + "/sec and " + _RATE + r" ops/sec\)$",
     r"\1\2TIME (RATE and OPS)"),
    ("measured times of a request, -C",
     _PROMPTS + "([0-9]+,[0-9]+,)" + _CLOCK + "," + _RATE3 + "," + _RATE3 + "$",
     r"\1\2TIME,RATE,OPS"),
    ("the banner of -V", r"qemu-io version .+$", "qemu-io version VERSION"),
    ("the banner of -V", r"Copyright \(c\) .+$", "COPYRIGHT"),
    # A node without a name gets a random one, which `reopen -o read-only=on` shows.
    ("random names of temporary files", r"(.*/)vl\.[A-Za-z0-9]{6}'", r"\1vl.XXXXXX'"),
    ("random node names", r"(.*)#block[0-9]+", r"\1#blockN"),
)
_MASKS = tuple((re.compile("^" + pattern, re.M), text) for _why, pattern, text in MASKS)

_USAGE_LINE = re.compile(r"^((?:qemu-io> )*[a-z_?]+(?: [^\n]*?)?) -- [^\n]+$")
_PROCESS_USAGE = re.compile(r"^Usage: qemu-io .*\Z", re.M | re.S)
_SHOWN_NAME = re.compile(r"(?<=for 'json:)\{.*\}(?=' during close|' and probing guessed)")
_PROGRAM_PATH = re.compile(r"^/\S*/qemu-io: ", re.M)


def normalise(text, directory):
    text = without_help_prose(text).replace(directory, "TEST_DIR")
    # A wrapper cannot set argv[0] of the reference, so getopt shows its full path.
    text = _PROGRAM_PATH.sub("qemu-io: ", text)
    text = _SHOWN_NAME.sub(lambda match: in_one_order(match[0]), text)
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


def in_one_order(name):
    """The name of a node as `{...}`, with keys in one order. The reference shows keys that share a bucket of its
    dictionary in an order that depends on how often the dictionary was copied."""
    try:
        pairs = json.loads(name, object_pairs_hook=list)
    except ValueError:
        return name
    return json.dumps(ordered(pairs))


def ordered(value):
    if not isinstance(value, list):
        return value
    return {key: ordered(inner) for key, inner in sorted(value, key=lambda pair: (dictionary_bucket(pair[0]), pair[0]))}


def dictionary_bucket(key):
    """The bucket of a key in the dictionary of the reference: the hash of Samba's tdb."""
    value = 0x238F13AF * len(key)
    for position, byte in enumerate(key.encode()):
        value += byte << (position * 5 % 24)
    return (1103515243 * (value & 0xFFFFFFFF) + 12345 & 0xFFFFFFFF) % 512


def without_help_prose(text):
    """Removes help texts, which differ by design: keeps only name and arguments of usage lines, and drops the text of
    `help NAME` and the usage text of the process."""
    out, in_help = [], False
    for line in _PROCESS_USAGE.sub("USAGE\n", text).splitlines(keepends=True):
        usage = _USAGE_LINE.match(line.rstrip("\n"))
        if usage:
            in_help = True
            out.append(usage.group(1) + " -- HELP\n")
        elif in_help and (line[0] in " \n" or line.startswith("Use 'help")):
            continue
        else:
            in_help = False
            out.append(line)
    return "".join(out)


# Drivers of the reference that zoneio does not have.
FOREIGN_DRIVERS = (
    "blklogwrites", "blkreplay", "blkverify", "bochs", "cloop", "compress", "copy-before-write",
    "dmg", "host_cdrom", "luks", "nbd", "nvme", "parallels", "preallocate", "qcow",
    "qcow2", "qed", "quorum", "replication", "snapshot-access", "vdi", "vhdx", "vmdk",
    "vpc", "vvfat", "fat")      # the last one is only a protocol
_UNKNOWN_DRIVER = re.compile("Unknown (?:driver|protocol) '(?:" + "|".join(FOREIGN_DRIVERS) + ")'")

# (reason, predicate over both results): intended differences.
ACCEPTED = (
    ("a driver this program does not have",
     lambda ref, new: new.rc == 1 and _UNKNOWN_DRIVER.search(new.stderr)),
    ("upstream finds a JSON number or flag that it was opened with different from itself at a reopen",
     lambda ref, new: ref.rc == 1 and "Cannot change the option" in ref.stderr and
     "Cannot change the option" not in new.stderr and new.stderr in ref.stderr),
    ("whether there is room to preallocate at the end of upstream's temporary file depends on what it has freed there",
     lambda ref, new: "Failed to resize underlying file: Cannot use preallocation" in ref.stderr),
    ("help of a group of commands, where qemu-io knows no such command",
     lambda ref, new: "command zone not found\n" in ref.stdout and "Zones:\n" in new.stdout),
    ("host_cdrom is a host_device here: nobody asks whether there is a medium",
     lambda ref, new: "No medium" in ref.stderr + ref.stdout),
)


ACCEPTED += (
    ("a complaint of a library about a URL without a query",
     lambda ref, new: ref.rc == new.rc and ref.files == new.files and ref.stdout == new.stdout and
     re.sub(r"^qemu-io: GLib: .*\n", "", ref.stderr, flags=re.M) == new.stderr),
)


_AIO_RESULT = re.compile(r"^(?:read|wrote|discarded|readv failed|aio_\w+ failed)", re.M)


def _lines(result):
    """The lines of stdout without prompts, sorted."""
    return sorted(result.stdout.replace("qemu-io> ", "").splitlines())


ACCEPTED += (
    ("when an asynchronous request that nobody waits for is reported is up to the event loop upstream",
     lambda ref, new: _AIO_RESULT.search(ref.stdout.replace("qemu-io> ", "")) and ref.rc == new.rc and ref.stderr == new.stderr and
     ref.files == new.files and _lines(ref) == _lines(new)),
)


def accepted(ref, new):
    """The reason why this difference is intended, or None."""
    return next((why for why, applies in ACCEPTED if applies(ref, new)), None)
