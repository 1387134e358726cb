"""Fault injection: rules, limits, and breakpoints with several requests held at once."""

import json

from case import Case, File
from commands import CACHES, EXTRA_FILES, Sizes, any_request, as_units

EVENTS = ("none", "read_aio", "write_aio", "pwritev", "pwritev_zero", "pwritev_done", "flush_to_os", "flush_to_disk",
          "pwritev_rmw_head", "pwritev_rmw_after_head", "pwritev_rmw_tail", "pwritev_rmw_after_tail", "l2_load")
IO_TYPES = ("read", "write", "write-zeroes", "discard", "flush", "block-status")
# Valid values of rules, then invalid ones.
VALUES = {
    "state": ("0", "1", "2", "3"), "new_state": ("0", "1", "2", "3"),
    "errno": ("5", "28", "22", "95", "1", "0x1c", "0", "4095"), "sector": ("0", "1", "7", "8", "127", "-1", "1000"),
    "once": ("on", "off", "yes", "no", "true"), "immediately": ("on", "off"),
}
BAD_VALUES = ("x", "", "-5x", "1k", "99999999999999999999", "ON", "none", "0x")
ODD_KEYS = ("nosuch", "0", "0.event", "00.event", "5.event", "id", "x.event", "event.x")
LIMITS = {
    "align": ("512", "4096", "4k", "1", "1k", "64k", "0", "2k"),
    "max-transfer": ("512", "4k", "8k", "64k", "1M", "0"),
    "opt-write-zero": ("512", "4k", "16k", "0"), "max-write-zero": ("512", "8k", "16k", "64k", "0"),
    "opt-discard": ("4k", "16k", "0"), "max-discard": ("8k", "16k", "64k", "0"),
}
BAD_LIMITS = ("3", "1000", "2G", "2147483647", "x", "", "-1", "1.5k", "16E", "100")
CONFIG_LINES = ("[inject-error]", "[set-state]", "[inject-error \"a\"]", "[inject-error", "[]", "[nosuch]", "[", "",
                "   ", "# text", " # text", "event = \"none\"", "event = \"read_aio\"", "event = \"pwritev\"",
                "event=\"none\"", "event = none", "event", "event = \"\"", "errno = \"28\"", "errno = \"x\"", "state = \"2\"",
                "new_state = \"2\"", "once = \"on\"", "iotype = \"write\"", "sector = \"1\"", "nosuch = \"1\"", "= \"x\"",
                "id = \"x\"", "[inject-error \"1\"]", "[set-state \"a\"] x", "event = \"write_aio\" x", "event =\"none\"\r")


def rule(d, kind, prefix, bad):
    keys = ["event"] if d.chance(0.97) else []
    if kind == "inject-error":
        keys += d.subset(("errno", "sector", "once", "immediately", "state"), 0.3)
        keys += d.subset(("iotype",), 0.35)
    else:
        keys += d.subset(("state",), 0.4) + d.subset(("new_state",), 0.9)
    pairs = []
    for key in keys:
        pool = {"event": EVENTS, "iotype": IO_TYPES}.get(key) or VALUES[key]
        pairs.append((f"{prefix}{key}", d.pick(BAD_VALUES) if d.chance(bad) else d.pick(pool)))
    if d.chance(bad):
        pairs.append((prefix + d.pick(ODD_KEYS), d.pick("1", "none", "x")))
    return pairs


def rules(d, bad):
    pairs = []
    for kind, most in (("inject-error", 3), ("set-state", 2)):
        count = d.randint(0, most) if kind == "set-state" else d.randint(1, most)
        if count == 1 and d.chance(0.2):
            pairs += rule(d, kind, f"{kind}.", bad)
        else:
            for number in range(count):
                pairs += rule(d, kind, f"{kind}.{number if not d.chance(bad) else number + 1}.", bad)
    return pairs


def limits(d, bad):
    return [(key, d.pick(BAD_LIMITS) if d.chance(bad) else d.pick(LIMITS[key]))
            for key in d.subset(tuple(LIMITS), 0.35)]


def permissions(d):
    if not d.chance(0.08):
        return []
    words = ("consistent-read", "write", "write-unchanged", "resize", "x", "")
    return [(f"{d.pick('take', 'unshare')}-child-perms.{d.pick('0', '0', '0', '1', 'x', '0.x')}", d.pick(words))]


def chain(d, pairs):
    """The arguments that open a.img below blkdebug with these options; blkdebug is at the top or below raw."""
    image = d.weighted({"image.filename=a.img": 8, "image.driver=file,image.filename=a.img": 3, "x-image=a.img": 2,
                        "image.driver=raw,image.file.filename=a.img": 1, "image.filename=missing": 0.2, "": 0.1})
    pairs = [tuple(text.split("=")) for text in image.split(",") if text] + pairs
    d.shuffle(pairs)
    below = d.chance(0.5)
    if d.chance(0.1) and not any(key.startswith("x-image") for key, _ in pairs):
        node = {"driver": "blkdebug", **dict(pairs)}
        name = {"driver": "raw", "file": node} if below else node
        return (("json:" + json.dumps(name),),)
    words = [("driver", "blkdebug")] + pairs
    if below:
        words = [("driver", "raw")] * d.chance(0.95) + [("file." + key, value) for key, value in words]
    return (("--image-opts",), (",".join(f"{key}={value}" for key, value in words),))


def image(d):
    size = d.pick(65536, 65536, 65536, 1 << 20, 131072, 4096, 65024, 1000)
    return File("a.img", size, fill=d.pick(90, 90, 0, 1))


def requests(d, size, longest=8):
    out = []
    for _ in range(d.randint(1, longest)):
        text = d.weighted({any_request: 12, lambda d, s: "flush": 3, lambda d, s: d.pick("length", "info", "map"): 1,
                           lambda d, s: f"alloc {d.pick('0', '4k')} {d.pick('512', '64k')}": 1,
                           lambda d, s: f"truncate {d.pick('32k', '64k', '128k')}": 0.4})(d, Sizes(size, odd=0.02))
        out.append(text)
        if text.startswith("aio_"):
            out.append("aio_flush")
    return out


def modes(d):
    return tuple(d.subset([("-t", d.pick(CACHES)), ("-r",), ("-d", "off")], 0.15))


def make_rules(d):
    file = image(d)
    bad = d.pick(0, 0, 0, 0.06)
    return Case(modes(d) + as_units(requests(d, file.size)) + chain(d, rules(d, bad) + limits(d, 0) * d.chance(0.3)),
                (file,) + EXTRA_FILES)


def make_limits(d):
    file = image(d)
    pairs = limits(d, d.pick(0, 0, 0, 0.2)) + permissions(d)
    if d.chance(0.4):
        pairs += [("inject-error.0.event", "none"), ("inject-error.0.iotype", d.pick(IO_TYPES[:5])),
                  ("inject-error.0.sector", d.pick(VALUES["sector"])), ("inject-error.0.errno", d.pick("28", "95", "5"))]
    return Case(modes(d) + as_units(requests(d, file.size)) + chain(d, pairs), (file,) + EXTRA_FILES)


def make_config(d):
    text = "".join(d.pick(CONFIG_LINES) + "\n" for _ in range(d.randint(0, 6)))
    if d.chance(0.6):
        text = "[inject-error]\n" + text
    name = d.weighted({"blkdebug:cfg:a.img": 12, "blkdebug::a.img": 1, "blkdebug:a.img": 0.3, "blkdebug:cfg:missing": 0.3,
                       "blkdebug:missing:a.img": 0.3, "blkdebug:cfg:null-co://": 1, "blkdebug:dir:a.img": 0.3,
                       "blkdebug:cfg:blkdebug::a.img": 1})
    return Case((("-f", "raw"),) * d.chance(0.9) + as_units(requests(d, 65536, 4)) + ((name,),),
                (File("a.img", 65536, fill=90), File("cfg", text=text[:-1] if d.chance(0.1) else text)) + EXTRA_FILES)


# ------------------------------------------------------------------------------------ breakpoints

# Events that a request reaches before it first waits for the file; see hazards.held for the others.
AT_ONCE = {"aio_read": ("read_aio",), "aio_write": ("write_aio", "pwritev"), "aio_write -z": ("pwritev_zero",)}
PARTIAL = ("pwritev_rmw_head", "pwritev_rmw_tail", "pwritev")


def make_breakpoints(d):
    """Requests start, are held and are resumed in any order. At the end, all breakpoints are removed, which resumes their
    requests, and the session waits for all requests. Nothing polls in between, so only one order is possible."""
    below = d.chance(0.5)
    align = d.pick(0, 0, 512, 4096)
    tags, commands = [], []
    for number in range(d.randint(2, 9)):
        action = d.random()
        if action < 0.4:
            tag = d.pick("A", "B", "C", f"T{number}")
            event = d.pick(AT_ONCE["aio_write"] + ("read_aio", "pwritev_zero", "pwritev_done", "flush_to_os", "flush_to_disk")
                           + PARTIAL * (2 if align else 1))
            commands.append(f"break {event} {tag}")
            tags.append(tag)
        elif action < 0.85:
            commands.append(held_request(d))
        elif action < 0.95 and tags:
            commands.append(f"resume {d.pick(tags)}")
        else:
            commands.append(d.pick("length", f"remove_break {d.pick(tags)}" if tags else "resume X"))
    d.shuffle(tags)
    commands += [f"remove_break {tag}" for tag in dict.fromkeys(tags)] + ["aio_flush", "read -v 0 8k"]
    options = "driver=raw,file.driver=blkdebug,file.image.filename=a.img" if below else \
        "driver=blkdebug,image.filename=a.img"
    if align:
        options += f",{'file.' if below else ''}align={align}"
    return Case((("-t", d.pick("writeback", "writethrough", "writeback")),) + as_units(commands) +
                (("--image-opts",), (options,)), (File("a.img", 65536, fill=90),))


def held_request(d):
    # All of them with -q: the order in which requests end that are not held depends on the threads of the reference.
    begin = d.pick(0, 512, 1000, 4096, 4000, 8192)
    length = d.pick(512, 1, 100, 4096, 512, 5000)
    kind = d.random()
    if kind < 0.25:
        return f"aio_read -q {begin} {length}"
    if kind < 0.75:
        return f"aio_write -q -P {d.randint(1, 9)} {begin} {length}"
    if kind < 0.9:
        return f"aio_write -qz {begin} {length}"
    return f"aio_discard -q {begin // 4096 * 4096} 4096"


def make(d):
    return d.weighted({make_rules: 4, make_limits: 3, make_config: 1, make_breakpoints: 4})(d)
