"""The groups of cases.  A new one is a function that draws a case, and a row here."""

import blkdebug
import cli
import commands
import copy_on_read
import files
import image_opts
import nbd
import snapshot
import sparse
import stdin
import throttle
from draw import Draw
from hazards import forbidden

# name: (weight in a mixed run, function); weight 0: only with --group.
GROUPS = {
    "commands": (30, commands.make),
    "numbers": (15, commands.make_numbers),
    "stdin": (12, stdin.make),
    "cli": (12, cli.make),
    "image_opts": (14, image_opts.make),
    "files": (7, files.make),
    "sparse": (10, sparse.make),
    "snapshot": (12, snapshot.make),
    "blkdebug": (14, blkdebug.make),
    "throttle": (8, throttle.make),
    "copy_on_read": (8, copy_on_read.make),
    "nbd": (0, nbd.make),           # requires nbdkit and qemu-nbd
}


def pick_group(seed, index, names):
    weights = [GROUPS[name][0] or 1 for name in names]
    return Draw(f"{seed}:{index}").choices(names, weights)[0]


def generate(seed, index, group):
    """Generates a case. It depends only on these three arguments, not on the other groups."""
    d = Draw(f"{seed}:{index}:{group}")
    make = GROUPS[group][1]
    while True:
        case = make(d)
        if not forbidden(case):
            return case
