#!/usr/bin/python3
"""Makes the corpus that fuzzing begins with, from the golden tests: make_corpus.py FOLDER.

Each target gets a folder of its own with a file for each input, named after its content.
"""

import hashlib
import os
import re
import shlex
import struct
import sys

TESTS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "iotests")
DEVICES = 10            # as session_targets.cc has them


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
    """A word of the zone table; the check sum is made right by the target."""
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
