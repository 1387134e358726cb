"""Chains of nodes with filters among them, as lists of (key, value) with dotted keys."""

import blkdebug
from image_opts import COMMON, FILE, as_json, as_options, some_options

# Values in place of a child or of its name.
NO_CHILD = ([], [("file", "x")], [("file", "")], [("file", "a.img")], [("file.filename", "missing")], [("file.driver", "nosuch")],
            [("file.driver", "")], [("file.filename", "dir")], [("file.driver", "raw")], [("file.x", "1")], [("filename", "a.img")],
            [("file", "n0"), ("file.driver", "file"), ("file.filename", "a.img")])
# Not on null-co: a comma in its values makes the reference abort.
NULL = ([("driver", "null-co")], [("driver", "null-co"), ("size", "64k")], [("driver", "null-aio"), ("size", "1M")],
        [("driver", "null-co"), ("read-zeroes", "on")], [("filename", "null-co://")])


def below(pairs, key="file"):
    """The options of a node as a child of another node."""
    return [(f"{key}.{name}", value) for name, value in pairs]


def common(d, chance):
    return some_options(d, COMMON, 1) if d.chance(chance) else []


def leaf(d):
    kind = d.random()
    if kind < 0.12:
        return list(d.pick(NULL))
    return [("driver", "file")] * d.chance(0.5) + [("filename", "a.img")] + \
        (some_options(d, FILE, 0.7) if d.chance(0.06) else []) + common(d, 0.06)


def faulty(d, child):
    """blkdebug above a node: usually with rules, otherwise with limits or nothing."""
    kind = d.random()
    pairs = blkdebug.rules(d, 0) if kind < 0.6 else blkdebug.limits(d, 0) if kind < 0.85 else []
    return [("driver", "blkdebug")] + below(child, "image") + pairs


def filter_node(d, own, child, odd_keys):
    """A filter above a child. `own`: its driver and options. Sometimes something is missing or wrong."""
    pairs = own + (list(d.pick(NO_CHILD)) if d.chance(0.06) else below(child)) + common(d, 0.14)
    if d.chance(0.04):
        pairs.append((d.pick(odd_keys), d.pick("1", "x", "on", "")))
    return d.shuffled(pairs) if d.chance(0.3) else pairs


def filter_chain(d, node):
    """A chain with a filter at the top, in the middle, or twice. `node(d, child)` makes a filter above a child, or above
    any child."""
    kind = d.random()
    if kind < 0.45:
        return node(d)
    if kind < 0.6:
        return [("driver", "raw")] + below(node(d)) + common(d, 0.1)
    if kind < 0.7:
        return node(d, node(d))
    if kind < 0.8:
        return faulty(d, node(d))
    if kind < 0.9:
        return node(d, faulty(d, lower(d)))
    return [("driver", "raw")] + below(faulty(d, node(d)))


def lower(d, depth=0):
    """A file, or at most `depth` nodes above a file."""
    kind = d.random()
    if kind < 0.55 or depth == 2:
        return leaf(d)
    child = lower(d, depth + 1)
    if kind < 0.75:
        return [("driver", "raw")] + below(child) + common(d, 0.06)
    if kind < 0.9 and not any(key.endswith("driver") and value == "blkdebug" for key, value in child):
        return faulty(d, child)
    return [("driver", "raw")] + below(child) + d.subset([("size", "32k"), ("offset", "4k")], 0.4)


def written(d, pairs):
    """The arguments that name a node on the command line."""
    if d.chance(0.3):
        return ((as_json(d, pairs),),)
    return (("--image-opts",), (as_options(d, pairs),))
