"""The driver throttle and its groups: invalid limits, missing groups, filters above every driver.

No limit makes a request wait, because times are not compared and waiting takes long."""

import json

import blkdebug
from case import Case
from commands import CACHES, EXTRA_FILES, Sizes, alloc, any_request, as_units, session, truncate
from image_opts import as_options
from layers import filter_chain, filter_node, lower, written

IDS = ("g", "g", "g", "h", "t.u-v_w")
NAMES = tuple(f"{unit}-{kind}" for unit in ("iops", "bps") for kind in ("total", "read", "write"))
KEYS = tuple(name + suffix for name in NAMES for suffix in ("", "-max", "-max-length")) + ("iops-size",)
HIGH = ("1000000000", "1000000000000", "1000000000000000", "0x3b9aca00", "0", "010000000000000")
BURSTS = ("1000000000", "2000000000000", "1000000000000000", "0", "1", "1000000001")
LENGTHS = ("1", "2", "60", "0", "1000000", "4294967295", "4294967296", "0x10")
SIZES = ("0", "1", "512", "4096", "1000000000000000", "1k")
BAD = ("-1", "x", "", "1k", "1.5", "1000000000000001", "9223372036854775807", "9223372036854775808", "18446744073709551615",
       "-9223372036854775809", " 5000000000", "5000000000 ", "+5000000000", "0x", "1e12", "on", "nan")
ODD_KEYS = ("x", "limits", "limits.x", "x-iops", "limits.iops", "x-iops-total.x", "limits.iops-total.x", "limits.", "x-", "id",
            "throttle-group", "x-limits", "limits.limits", "iops-total", "limits.x-iops-total", "x-iops-size-max", "qom-type", "", ".")
ODD_NODE_KEYS = ("x", "limits.iops-total", "throttle-group.x", "backing", "file.x", "limits", "bps")
OTHER_OBJECTS = ("secret,id=g,data=x", "iothread,id=g", "throttle-group", "throttle-group,id=", "throttle-group,id=1", "nosuch,id=g",
                 "throttle-group,id=g,id=h", "id=g", "throttle-group,throttle-group", "throttle-group,id", "qom-type=throttle-group",
                 "{'qom-type':'throttle-group'}", "{'qom-type':'throttle-group','id':1}", "{'id':'g'}", "{", "throttle-group,id=g,limits")
GROUPS = ("g", "g", "g", "h", "x", "", "t.u-v_w", "G")


def value(d, key, bad):
    if d.chance(bad):
        return d.pick(BAD)
    if key.endswith("length"):
        return d.pick(LENGTHS)
    return d.pick(SIZES if key == "iops-size" else BURSTS if key.endswith("max") else HIGH)


def properties(d):
    """Limits of a group: valid together, or random."""
    bad = d.pick(0, 0, 0, 0.1)
    if d.chance(0.4):
        keys = d.subset(NAMES, 0.2)
        keys += [key + "-max" for key in keys if d.chance(0.5)]
        keys += [key + "-length" for key in keys if key.endswith("-max") and d.chance(0.5)]
    else:
        keys = d.subset(KEYS, d.pick(0.02, 0.1, 0.25))
    out = [(d.pick("x-", "limits.") + key, value(d, key, bad)) for key in d.shuffled(keys)]
    if d.chance(0.1):
        out.append((d.pick(ODD_KEYS), d.pick("1", "5000000000", "x", "")))
    if out and d.chance(0.06):
        key, _value = d.pick(out)
        out.append((d.pick(key, key.replace("limits.", "x-"), key.replace("x-", "limits.")), d.pick(HIGH)))
    return d.shuffled(out) if d.chance(0.5) else out


def spelled(d, ident, pairs):
    """The argument of --object."""
    if d.chance(0.25):
        tree = {"qom-type": "throttle-group", "id": ident}
        for key, text in pairs:
            part = int(text) if text.isdigit() and text[0] != "0" and d.chance(0.85) else \
                d.pick(True, None, 1.5, [], {}, -1, 5e9, 2**63, 2**64) if d.chance(0.05) else text
            first, dot, rest = key.partition(".")
            if dot and isinstance(tree.get(first, {}), dict) and d.chance(0.9):
                tree.setdefault(first, {})[rest] = part
            else:
                tree[key] = part
        return json.dumps(dict(d.shuffled(list(tree.items()))))
    words = [d.pick("throttle-group", "throttle-group", "qom-type=throttle-group"), f"id={ident}"]
    words += [f"{key}={text.replace(',', ',,')}" for key, text in pairs]
    if d.chance(0.03):
        words.append(d.pick("x-iops-total", "nolimits", "", "limits.bps-total", "x"))
    return ",".join(words if d.chance(0.9) else words[:1] + d.shuffled(words[1:]))


def objects(d):
    """Usually one group, which most chains name. An error in any other object ends the program."""
    out = []
    for ident in d.pick(("g",), ("g",), ("g", "h"), ("g", "h"), ("g", "g"), (), (d.pick(IDS),)):
        text = spelled(d, ident, properties(d) if d.chance(0.6) else [])
        out.append(("--object", text) if d.chance(0.8) else (f"--object={text}",))
    if d.chance(0.06):
        out.append(("--object", d.pick(OTHER_OBJECTS)))
    return out


def node(d, child=None):
    own = [("driver", "throttle")]
    if d.chance(0.97):
        own.append(("throttle-group", d.pick(GROUPS) if d.chance(0.3) else "g"))
    return filter_node(d, own, child or lower(d), ODD_NODE_KEYS)


def reopen(d, _sizes):
    options = d.weighted({f"throttle-group={d.pick(GROUPS)}": 8, f"file.throttle-group={d.pick(GROUPS)}": 2, "x=1": 1,
                          "throttle-group=g,x=1": 1, "file.x=1": 1, "driver=throttle": 1, "throttle-group": 1, "throttle-group.x=1": 1,
                          "read-only=on": 1, "read-only=on,throttle-group=g": 1, "cache.no-flush=on,throttle-group=h": 1, "file=x": 1,
                          "discard=off,throttle-group=g": 1, "detect-zeroes=on,throttle-group=h": 1, "node-name=x,throttle-group=g": 1,
                          "throttle-group=h,force-share=on": 1, "file.filename=x,throttle-group=h": 1})
    return d.weighted({f"reopen -o {options}": 6, "reopen": 1, "reopen -r": 1, "reopen -w": 1, f"reopen -r -o {options}": 1,
                       f"reopen -c {d.pick('writeback', 'unsafe', 'writethrough')}": 1})


def open_again(d, _sizes):
    options = as_options(d, filter_chain(d, node)).replace(" ", "")
    return f"open {d.pick('', '', '-r ', '-n ', '-U ')}-o {options}"


def commands(d, more):
    table = {any_request: 12, truncate: 2, alloc: 1, lambda d, s: "close": 1, open_again: 1,
             lambda d, s: d.pick("info", "map", "length", "flush"): 4}
    return session(d, Sizes(65536, odd=0.03), table | more, longest=8)


def make_groups(d):
    """Cases about groups without an image."""
    units = d.shuffled(objects(d) + objects(d)) if d.chance(0.3) else objects(d)
    operand = d.weighted({(("a.img",),): 3, (("--image-opts",), ("driver=throttle,throttle-group=g,file.filename=a.img",)): 5,
                          (("-f", "throttle"), ("a.img",)): 0.5, (("throttle:a.img",),): 0.3, (("null-co://",),): 1})
    return Case(tuple(units) + as_units(d.choices(("length", "info", "read -P 90 0 4k", "write -P 1 0 512"), k=d.randint(1, 2))) + operand,
                (blkdebug.image(d),) + EXTRA_FILES)


def make_chains(d):
    units = objects(d) + d.subset([("-r",), ("-n",), ("-U",), ("-s",), ("-C",), ("-t", d.pick(CACHES)), ("-d", d.pick("off", "unmap")),
                                   ("-i", d.pick("native", "io_uring", "threads"))], 0.06)
    # After a reopen, the reference would have to open the file of its overlay, which has no name any more.
    words = as_units(commands(d, {reopen: 4} if ("-s",) not in units else {}))
    operand = written(d, filter_chain(d, node)) if d.chance(0.85) else ()
    if not operand:
        words = as_units([open_again(d, None)]) + words
    return Case(tuple(d.shuffled(units)) + words + operand, (blkdebug.image(d),) + EXTRA_FILES)


def make_held(d):
    """Breakpoints of blkdebug above or below the filter."""
    case = blkdebug.make_breakpoints(d)
    words = case.units[-1][0]
    if d.chance(0.6):
        words = "driver=throttle,throttle-group=g," + ",".join("file." + word for word in words.split(","))
    else:
        words = words.replace("image.filename=a.img", "image.driver=throttle,IMAGEthrottle-group=g,IMAGEfile.filename=a.img") \
            .replace("IMAGE", "file.image." if words.startswith("driver=raw") else "image.")
    return Case((("--object", "throttle-group,id=g"),) + case.units[:-1] + ((words,),), case.setup)


def make(d):
    return d.weighted({make_groups: 4, make_chains: 7, make_held: 1})(d)
