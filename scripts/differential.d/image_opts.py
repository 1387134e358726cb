"""Option strings and json: names of block nodes.

A node is drawn as a list of (key, value) with dotted keys; it is then written as an option string, as
a json: object, or as the argument of open -o and reopen -o.
"""

import json

from case import Case
from commands import EXTRA_FILES

BOOLS = ("on", "off", "yes", "no", "true", "false")
BAD_BOOLS = ("x", "", "ON", "1", "0", "y")
# Common options of every node, with valid and invalid values.
COMMON = {
    "read-only": BOOLS, "auto-read-only": BOOLS, "force-share": ("on", "off", "off", "no"),
    "cache.direct": BOOLS, "cache.no-flush": BOOLS, "cache.writeback": ("on", "off"), "copy-on-read": ("on", "off"),
    "discard": ("unmap", "on", "ignore", "off", "x", "", "Unmap"),
    "detect-zeroes": ("off", "on", "unmap", "x", ""),
    "node-name": ("n0", "node", "a.b-c_d", "1x", "", "x" * 31, "x" * 32, "\u00e9", "#x", "a b", "*"),
    "id": ("x", "1", ""), "throttle-group": ("x",), "werror": ("report",), "snapshot": ("off",), "format": ("raw",),
}
FILE = {
    "locking": ("auto", "on", "off", "x", ""), "aio": ("threads", "native", "io_uring", "x", "", "Threads"),
    "aio-max-batch": ("0", "1", "32", "0x10", "-1", "x", "", "1k", "9223372036854775807", "9223372036854775808",
                      "18446744073709551616", "+1", " 1", "1.5"),
    "drop-cache": BOOLS + ("x",), "x-check-cache-dropped": ("on", "off"), "pr-manager": ("x",),
    "filename": ("a.img", "missing", "dir", "", "file:a.img", "/dev/null"), "fd": ("0",),
}
NUMBERS = ("0", "1", "511", "512", "513", "1k", "1K", "4096", "4k", "64k", "65536", "65024", "1M", "-1", "-512", "x",
           "", "0x200", "0x", "1.5k", ".5k", "1kB", "1e3", "7E", "8E", "16E", "9223372036854775807",
           "9223372036854775808", "18446744073709551615", "18446744073709551616", "99999999999999999999", " 512",
           "512 ", "+512", "0.5", "1.5", "0512", "inf", "nan", "1,5", "1T", "0.1k")
RAW = {"size": NUMBERS, "offset": NUMBERS}
# The reference aborts on values of null-co that it cannot parse.
NULL = {"size": ("0", "512", "1000", "1k", "64K", "1M", "1.5k", "0x1000", "1G", "7E", "1"),
        "latency-ns": ("0", "1000", "0x10", "-1"), "read-zeroes": BOOLS, "filename": ("null-co://", "null-co:", "x")}
UNKNOWN_KEYS = ("nosuch", "file.nosuch", "file", "backing", "driver.x", "file.file.filename", "filename", "size.x", ".",
                "file.", ".file", "cache", "cache.", "cache.x", "cache.direct.x", "Driver", "file.0", "0", "")
SHORT_FORMS = ("read-only", "noread-only", "force-share", "noforce-share", "cache.direct", "foo", "nofoo", "no",
               "readonly", "nodriver", "a.img", "driver", "file.drop-cache", "nofile.drop-cache", "", " ", "x y")
COMMANDS = ("length", "info", "map", "read -P 0xab 0 512", "read -v 0 16", "write 0 512", "discard 0 4k",
            "write -z 0 4k", "write -P 0 0 4k", "truncate 4k", "truncate 1M", "alloc 0 1M", "flush", "read 1000 24",
            "read -v 500 24", "aio_read 0 4k", "reopen -r", "reopen")
REOPENABLE = ("size", "offset", "read-only", "cache.direct", "cache.no-flush", "discard", "detect-zeroes", "driver",
              "file.filename", "file.locking", "file.aio", "node-name", "force-share", "nosuch")


def some_options(d, table, expected):
    """About `expected` pairs of a {key: values}; common values come first in each pool."""
    return [(key, d.pick(values)) for key, values in d.shuffled(list(table.items()))[:8]
            if d.chance(expected / min(8, len(table)))]


def file_node(d, name="a.img"):
    node = [("driver", "file")] if d.chance(0.6) else []
    if d.chance(0.95):
        node.append(("filename", name))
    node += some_options(d, FILE, 0.5) if d.chance(0.5) else []
    return node + (some_options(d, COMMON, 0.5) if d.chance(0.4) else [])


def null_node(d):
    return [("driver", d.pick("null-co", "null-co", "null-aio"))] + some_options(d, NULL, 1.2)


def leaf_node(d):
    kind = d.random()
    if kind < 0.75:
        return file_node(d)
    if kind < 0.93:
        return null_node(d)
    return d.pick([("driver", "host_device"), ("filename", d.pick("/dev/null", "a.img", "missing"))],
                  [("driver", "nosuch"), ("filename", "a.img")], [("filename", "null-co://")],
                  [("filename", "missing")], [("filename", "dir")], [("driver", "")], [])


def node(d):
    kind = d.random()
    if kind < 0.7:
        out = [("driver", "raw")] if d.chance(0.85) else []
        out += [("file." + key, value) for key, value in leaf_node(d)]
        out += some_options(d, RAW, 0.7) if d.chance(0.5) else []
        out += some_options(d, COMMON, 0.8) if d.chance(0.6) else []
    elif kind < 0.95:
        out = leaf_node(d)
    else:
        out = d.pick([("driver", "raw"), ("file", d.pick("x", "a.img", "", "n0"))], [("driver", "raw")], [],
                     [("driver", "raw"), ("file.driver", "raw"), ("file.file.driver", "file"),
                      ("file.file.filename", "a.img")])
    return spoil(d, out)


def spoil(d, pairs):
    """Rarely adds a duplicate, an unknown key or a wrong value, or changes the order."""
    if d.chance(0.1) and pairs:
        key, value = d.pick(pairs)
        pairs.append((key, d.pick(value, value, "x") if not is_null(pairs) else value))
    if d.chance(0.12):
        pairs.append((d.pick(UNKNOWN_KEYS), d.pick("on", "x", "1", "")))
    if d.chance(0.1):
        pairs.append((d.pick("read-only", "force-share", "cache.direct", "file.read-only"), d.pick(BAD_BOOLS)))
    return d.shuffled(pairs) if d.chance(0.4) else pairs


def is_null(pairs):
    return any(value in ("null-co", "null-aio") for _key, value in pairs)


# ------------------------------------------------------------------------------------------ writing

def as_options(d, pairs):
    pieces = [f"{key}={value.replace(',', ',,')}" for key, value in pairs]
    if d.chance(0.12):
        pieces.insert(d.randint(0, len(pieces)), d.pick(SHORT_FORMS))
    if d.chance(0.04) and pieces:
        pieces[0] = d.pick("raw", "file", "driver", "=", "a.img")
    if is_null(pairs):      # a comma would become part of the last value, see NULL
        return ",".join(pieces)
    if d.chance(0.05):
        pieces.insert(d.randint(0, len(pieces)), "")
    return d.weighted({",": 30, ", ": 1, ",,": 1}).join(pieces) + d.weighted({"": 15, ",": 1, ",,": 1})


def as_json(d, pairs):
    """A json: name with nested or dotted keys."""
    tree = {}
    for key, value in pairs:
        insert(d, tree, key, scalar(d, key, value, is_null(pairs)))
    text = json.dumps(tree, ensure_ascii=d.chance(0.5), separators=d.pick((",", ":"), (", ", ": ")))
    if d.chance(0.1):
        text = text.replace('"', "'")
    if d.chance(0.12):
        text = broken(d, text)
    return "json:" + text


def insert(d, tree, key, value):
    first, dot, rest = key.partition(".")
    inside = tree.get(first)
    if dot and rest and d.chance(0.6) and isinstance(tree.setdefault(first, {}), dict):
        insert(d, tree[first], rest, value)
    elif not isinstance(inside, dict) or not dot:
        tree[key] = value
    else:
        tree[key] = value


def scalar(d, key, value, null):
    """The value as its JSON type, or rarely as another type."""
    if value in ("on", "off", "true", "false", "yes", "no") and d.chance(0.5):
        return value in ("on", "true", "yes")
    if value.isdigit() and d.chance(0.6):
        return int(value)
    if d.chance(0.06) and not null:
        return d.pick(None, True, False, 0, 1, -1, 512, 1.5, 1e3, 512.0, [], {}, [1], {"x": 1}, 2**63, 2**64, 10**30,
                      "", "\u00e9", "a\u0000b", "\U0001f600", ["a.img"])
    return value


def broken(d, text):
    """The text with one syntax error, or with one change that only looks like an error."""
    place = d.randint(0, len(text))
    return d.pick(text[:place], text[:place] + text[place + 1:], text + "x", text + "}", text + " ", " " + text,
                  text.replace("}", ",}", 1), text.replace(":", "=", 1), text[:place] + "\\" + text[place:],
                  text[:place] + "\t" + text[place:], text.replace('"', "", 2), "[" + text + "]", "{}", "", "1",
                  '"x"', "null", "[]", '{"driver":"raw","driver":"file"}', '{"a":01}', '{"a":1.}', '{"a":.5}',
                  '{"a":1e5}', '{"a":-0}', '{"a":0x10}', '{"driver":"r\\u0061w","file.filename":"a.img"}',
                  '{"driver":"raw\\u0000","file.filename":"a.img"}', '{"driver":"\\ud800"}', '{"a":"\\x"}', "{'a':1}",
                  '{"driver":"raw","file":{"filename":"a\\u002eimg"}}', '{"driver":"%s"}', '{"a":+1}', '{"a":nul}',
                  '{"a":True}', "{" * 30, "[" * 1100, '{"a" 1}', '{1:2}', '{"a":1 "b":2}', "{,}", '{"a":"b\tc"}')


def reopen_options(d):
    pools = {**RAW, **COMMON, "driver": ("raw", "file", "x")}
    pairs = [(key, d.pick(pools.get(key, ("a.img", "on", "off", "native", "threads"))))
             for key in d.choices(REOPENABLE, k=d.pick(1, 1, 2, 3))]
    return as_options(d, pairs).replace(" ", "")


# -------------------------------------------------------------------------------------------- cases

def make(d):
    image = d.image(sizes=(0, 512, 1000, 4096, 65536, 65536, 65536))
    pairs = node(d)
    units = [("-c", text) for text in with_flush(d.choices(COMMANDS, k=d.randint(1, 3)))]
    units += d.subset([("-r",), ("-n",), ("-U",), ("-t", d.pick("none", "writeback", "unsafe")), ("-d", "off"),
                       ("-i", d.pick("native", "io_uring"))], 0.05)
    way = d.weighted({"--image-opts": 8, "json": 5, "json -f": 1, "open": 2, "open -o": 2, "reopen": 3})
    if way == "reopen":
        units.append(("-c", f"reopen -o {reopen_options(d)}"))
        units += [("-c", d.pick(COMMANDS[:8])), ("-f", "raw"), ("a.img",)]
    elif way == "open -o":
        units.insert(0, ("-c", f"open -o {as_options(d, pairs).replace(' ', '')} {d.pick('', '', 'a.img')}"))
    elif way == "open":
        units.insert(0, ("-c", f"open {as_json(d, pairs).replace(' ', '')}"))
    elif way == "--image-opts":
        units += [("--image-opts",), (as_options(d, pairs),)]
    else:
        units += [("-f", d.pick("raw", "raw", "file"))] if way == "json -f" else []
        units.append((as_json(d, pairs),))
    units = [unit for unit in units if unit != ("",)] if d.chance(0.9) else units
    return Case(tuple(units), (image,) + EXTRA_FILES)


def with_flush(commands):
    for text in commands:
        yield text
        if text.startswith("aio_"):
            yield "aio_flush"
