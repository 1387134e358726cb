"""Discards, zero writes and truncates, and the holes that they leave."""

from case import Case
from commands import CACHES, EXTRA_FILES, Sizes, any_request, process_options, session


def zeroing(d, sizes):
    """Zero writes, discards and truncates more often than anything else."""
    offset, length = sizes.number(d), sizes.number(d)
    return d.weighted({
        f"write -z {offset} {length}": 4, f"write -zu {offset} {length}": 3, f"write -zn {offset} {length}": 2,
        f"write -zun {offset} {length}": 1, f"discard {offset} {length}": 5, f"truncate {sizes.number(d)}": 2,
        f"truncate -m {d.pick('falloc', 'full', 'off')} {sizes.number(d)}": 1, f"write {offset} {length}": 3,
        f"write -P 0 {offset} {length}": 1, f"aio_write -z{d.pick('', 'u')} {offset} {length}": 1,
        f"aio_discard {offset} {length}": 1, f"read -P 0 {offset} {length}": 1, "flush": 1, "map": 1})


def make(d):
    image = d.image(sizes=(512, 1000, 4096, 5000, 10000, 65536, 65536 + 100, 262144, 1 << 20))
    commands = session(d, Sizes(image.size, odd=0.02), {zeroing: 9, any_request: 1}, longest=8)
    units = [("-f", "raw")] if d.chance(0.9) else []
    if d.chance(0.5):
        units.append(("-t", d.pick(CACHES)) if d.chance(0.6) else ("-n",))
    units += d.subset([("-d", d.pick("off", "ignore", "on", "unmap"))], 0.25)
    if d.chance(0.05):
        units = list(process_options(d))
    # zoneio forces writes out at other times than QEMU, which skips the first sync. Whether an unwritten extent counts as
    # data depends on what was dirty when it was made.
    unforced = [("-n",)] + [("-t", mode) for mode in ("none", "off", "writeback", "unsafe")]
    forced = not any(unit in unforced for unit in units) or \
        any(option in text for text in commands for option in (" -f", "zf", "reopen", "open", "flush"))
    return Case(tuple(units) + tuple(("-c", text) for text in commands) + (("a.img",),), (image,) + EXTRA_FILES,
                layout=not forced)
