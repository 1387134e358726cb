#!/usr/bin/python3
"""Makes the first corpus of fuzzing from the golden tests: make_corpus.py FOLDER.

Each target gets its own folder with a file for each input. The file name is a hash of the content.
"""

import hashlib
import os
import re
import shlex
import struct
import sys

TESTS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "iotests")
DEVICES = 10            # as in session_targets.cc


def main(top):
    corpus = Corpus(top)
    for path in sorted(os.path.join(folder, name) for folder, _, names in os.walk(TESTS) for name in names):
        if os.access(path, os.X_OK) and os.path.exists(path + ".out"):
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                add_test(corpus, file.read())
    add_formats(corpus)
    add_sysfs(corpus)
    add_zoned_files(corpus)
    add_blkdebug(corpus)
    add_vhost(corpus)


def add_vhost(corpus):
    """A valid session, and rings with one request each. Addresses are those in vhost_targets.cc."""
    guest, user, size = 1 << 20, 1 << 30, 64 << 10

    def message(request, payload=b"", descriptors=0, flags=1):
        return struct.pack("<BBBB", request, flags, descriptors, len(payload)) + payload

    def u64(value):
        return struct.pack("<Q", value)

    def state(index, value):
        return struct.pack("<II", index, value)

    features = 1 << 32 | 1 << 30 | 1 << 29 | 1 << 28 | 1 << 9
    begin = [message(1), message(16, u64(0x9209)), message(15), message(3)]
    start = [*begin, message(2, u64(features | 1 << 17)), message(17)]
    plain = [*begin, message(2, u64(features))]
    memory = [message(5, struct.pack("<IIQQQQ", 1, 0, guest, size, user, 0), 1)]
    slots = [message(36), message(37, struct.pack("<QQQQQ", 0, guest, size, user, 0), 1)]
    ring = [message(8, state(0, 8)), message(10, state(0, 0)),
            message(9, struct.pack("<IIQQQQ", 0, 0, user, user + 256, user + 128, 0)),
            message(13, u64(0), 1), message(12, u64(0), 1), message(18, state(0, 1))]
    inflight = [message(31, struct.pack("<QQHHI", 0, 0, 1, 8, 0)), message(32, struct.pack("<QQHHI", 4096, 0, 1, 8, 0), 1)]
    config = [message(24, struct.pack("<III", 0, 96, 0) + bytes(96)), message(25, struct.pack("<III", 32, 1, 0) + b"\0")]
    for parts in (start, start + memory + ring, start + slots + ring + config, start + inflight + memory + ring,
                  start + memory + ring + [message(11, state(0, 0))] + ring + [message(2, u64(0)), message(4)]):
        corpus.add("vhost_user", b"".join(parts))
    # Changes of a ring with requests in flight.
    requests = message(200)
    region = struct.pack("<QQQQ", guest, size, user, 0)
    larger = [message(8, state(0, 512)), message(9, struct.pack("<IIQQQQ", 0, 0, user, user + 32768, user + 16384, 0))]
    for change in ([message(5, state(0, 0))], [message(5, state(1, 0) + struct.pack("<QQQQ", 0, size, 0, 0), 1)],
                   [message(38, u64(0) + region)], [message(8, state(0, 3)), *memory], [*larger, *memory], inflight,
                   [message(2, u64(1 << 32))], [message(11, state(0, 0)), *inflight, *larger, requests], memory):
        for first, setup in (b"", [*start, *inflight]), (b"\xc9", [*plain, *inflight]), (b"\xc9", plain):
            corpus.add("vhost_user", first + b"".join([*setup, requests, *change, requests, requests]))

    def vring(descriptors, heads, request, indirect=()):
        table = b"".join(struct.pack("<QIHH", guest + a, n, f, x) for a, n, f, x in descriptors).ljust(128, b"\0")
        available = struct.pack("<HH8H", 0, len(heads), *heads, *[0] * (8 - len(heads))).ljust(128, b"\0")
        used = bytes(256)
        more = b"".join(struct.pack("<QIHH", guest + a, n, f, x) for a, n, f, x in indirect).ljust(256, b"\0")
        return table + available + used + more + request

    data = 768
    for kind in (0, 1, 4, 8, 11, 13, 15, 16, 18, 20, 22, 24, 26, 99):
        sector = 128 * 4 if kind >= 15 else 0
        request = struct.pack("<IIQ", kind, 0, sector)
        body = struct.pack("<QII", 0, 8, 0) if kind in (11, 13) else bytes(512) if kind in (1, 15) else b""
        answer = 512 if kind in (0, 8, 16) else 8 if kind == 15 else 0
        parts = [(data, 16 + len(body), 1, 1), (data + 1024, answer + 1, 2, 0)]
        corpus.add("vring", vring(parts, [0], request + body))
        corpus.add("vring", vring([(512, 32, 4, 0)], [0], request + body, parts))


class Corpus:
    def __init__(self, top):
        self.top = top

    def add(self, target, data):
        if isinstance(data, str):
            data = data.encode(errors="surrogateescape")
        folder = os.path.join(self.top, target)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, hashlib.sha1(data).hexdigest()[:16]), "wb") as file:
            file.write(data)


def add_test(corpus, script):
    """The command lines and sessions of one golden test."""
    sessions = re.findall(r"<<'?END'?[^\n]*\n(.*?)\nEND\n", script, re.S)
    for line in script.splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        for function in ("zio", "_session", "_program"):
            if function in words[:1]:
                corpus.add("arguments", "\0".join(words[1:]))
        commands = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "-c"]
        if commands:
            sessions.append("\n".join(commands))
        for word in words:
            add_word(corpus, word)
    for i, text in enumerate(sessions):
        for device in {i % DEVICES, (len(text) * 7) % DEVICES}:
            corpus.add("session", bytes([device]) + text.encode(errors="surrogateescape"))
        for word in text.split():
            add_word(corpus, word)


def add_word(corpus, word):
    if re.fullmatch(r"[-+]?[0-9.][0-9a-zA-Z.]{0,30}", word):
        corpus.add("numbers", word)
    if word.startswith("json:"):
        corpus.add("json", word[5:])
        corpus.add("image_name", b"\0" + word.encode(errors="surrogateescape"))
    elif "://" in word:
        corpus.add("image_name", b"\0" + word.encode(errors="surrogateescape"))
    elif re.match(r"[a-z-]+[a-z.]*=", word):
        corpus.add("options", word)
        corpus.add("image_name", b"\1" + word.encode(errors="surrogateescape"))


def add_formats(corpus):
    for head in (b"QFI\xfb\0\0\0\3", b"QFI\xfb\0\0\0\1", b"QED\0", b"vhdxfile", b"conectix", b"\0" * 64 + b"\x7f\x10\xda\xbe",
                 b"LUKS\xba\xbe\0\1", b"WithoutFreeSpace\2\0\0\0", b"Bochs Virtual HD Image\0", b"COWD", b"KDMV",
                 b"# Disk DescriptorFile\nversion=1\n", b"zoneio-zoned\r\n\x1a\n"):
        corpus.add("probe", head)


def add_sysfs(corpus):
    corpus.add("sysfs", "none\n")
    corpus.add("sysfs", "host-managed\n8192\n16\n512\n4096\n0\n0\n131072\n512\n")
    corpus.add("sysfs", "host-aware\n524288\n1000000\n4096\n4096\n128\n128\n1048576\n4096\n")


def word_bits(state, pointer):
    """A word of the zone table. The target corrects the checksum."""
    return pointer >> 9 | (state ^ 1) << 44


def add_zoned_files(corpus):
    magic = b"zoneio-zoned\r\n\x1a\n"
    small = (512, 1 << 20, 1 << 16, 1 << 16, 0, 0, 0, 0)
    shapes = {
        "small": small,
        "limits": (4096, 1 << 20, 1 << 17, 1 << 16, 1, 2, 3, 8192),
        "uneven": (512, 1000 << 10, 96 << 10, 64 << 10, 2, 2, 2, 0),
        "huge": (512, 1 << 62, 1 << 53, 1 << 53, 0, 0, 0, 0),
        "many": (512, 1 << 45, 1 << 20, 1 << 20, 0, 1, 1, 0),
    }
    for block, size, *rest in shapes.values():
        header = magic + struct.pack("<IIQ6Q", 1, block, size, *rest)
        header = header.ljust(80, b"\0")
        for flags in (1, 3, 15, 31):
            for words in ([], [word_bits(2, 512)] * 2, [word_bits(4, 4096)] * 8, [word_bits(14, 0), word_bits(13, 65536)],
                          [0xffffffffffffffff] * 4):
                copy = b"" if flags & 4 else header
                body = header + copy + b"\0" * 48 + struct.pack(f"<{len(words)}Q", *words)
                corpus.add("zoned_file", bytes([flags]) + struct.pack("<H", 600) + body)


def add_blkdebug(corpus):
    rules = ['[inject-error]\nevent = "read_aio"\nerrno = "5"\nonce = "on"\n',
             '[inject-error]\nevent = "pwritev"\nsector = "1"\niotype = "write"\nimmediately = "off"\n',
             '[set-state]\nevent = "write_aio"\nstate = "1"\nnew_state = "2"\n',
             '# comment\n\n[inject-error "name"]\nevent = "flush_to_disk"\nstate = "2"\nerrno = "28"\n']
    for rule in rules + ["".join(rules)]:
        corpus.add("blkdebug", rule)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
