"""Images on NBD servers: nbdkit with its filters, and qemu-nbd."""

import json

from case import DIR, Case, File, Server
from commands import EXTRA_FILES, Sizes, process_options, session
from image_opts import some_options

SIZES = (0, 512, 1000, 4096, 5000, 65536, 65636, 262144, 1 << 20, (1 << 20) + 511)
EXPORTS = ("", "", "", "disk", "a b", "/x", "\u00e9")
OPTIONS = {
    "reconnect-delay": ("0", "1", "x", "-1", "4294967296"), "open-timeout": ("0", "1", "x"), "x-dirty-bitmap": ("none", ""),
    "tls-creds": ("nosuch",), "tls-hostname": ("host",), "export": ("", "disk", "x" * 4096, "x" * 4097),
    "server.type": ("inet", "x", ""), "server.port": ("10809",), "server.host": ("127.0.0.1",), "server.nosuch": ("1",), "nosuch": ("1",),
    "host": ("127.0.0.1",), "port": ("1",), "path": ("nbd.sock", "missing"),
}
COMMON = {
    "read-only": ("on", "off"), "auto-read-only": ("on", "off"), "force-share": ("on",), "cache.direct": ("on", "off"),
    "cache.no-flush": ("on",), "discard": ("unmap", "on", "ignore"), "detect-zeroes": ("off", "on", "unmap"), "node-name": ("n0",),
}


def filters(d, size):
    """Filters of nbdkit with their parameters. Failures are certain, because random ones would differ from run to run."""
    minimum = d.pick(1, 512, 4096)
    pool = [
        (("nozero",), (f"zeromode={d.pick('none', 'notrim', 'emulate')}",)),
        (("fua",), (f"fuamode={d.pick('emulate', 'native', 'force', 'discard', 'pass')}",)),
        (("nocache",), (f"cachemode={d.pick('none', 'emulate', 'nop')}",)),
        (("noextents",), ()),
        (("multi-conn",), (f"multi-conn-mode={d.pick('auto', 'emulate', 'plugin', 'disable')}",)),
        (("blocksize-policy",), (f"blocksize-minimum={minimum}", f"blocksize-preferred={max(minimum, d.pick(512, 4096, 65536))}",
                                 f"blocksize-maximum={d.pick(65536, 262144, 33554432)}",
                                 f"blocksize-error-policy={d.pick('allow', 'error')}")),
        (("error",), (f"error={d.pick('EIO', 'ENOSPC', 'EINVAL', 'EPERM', 'ESHUTDOWN', 'ENOMEM')}",
                      f"error-{d.pick('pread', 'pwrite', 'trim', 'zero', 'extents')}-rate=100%")),
        (("delay",), (f"delay-{d.pick('read', 'write', 'zero', 'trim', 'extents')}=1ms",)),
        (("cow",), ()),
        (("truncate",), (f"truncate={d.pick(size + 1, size + 100, 4096, 1 << 20)}",)),
        (("offset",), (f"offset={d.pick(0, 512)}",)),
        (("swab",), ("swab-bits=8",)),
    ]
    return d.subset(pool, 0.12)


def nbdkit(d, size):
    chosen = filters(d, size)
    words = d.subset(["--read-only", f"--exportname={d.pick(EXPORTS)}", "--no-sr", f"--mask-handshake={d.pick('0', '1', '3')}"], 0.05)
    words += [f"--filter={name}" for names, _ in chosen for name in names]
    # `split` knows no trim, no flush and no FUA; writes to `full` fail.
    kind = d.weighted({"file": 6, "memory": 2, "split": 2, "full": 1, "pattern": 1, "null": 1, "zero": 1})
    words += {"file": ["file", "a.img"], "memory": ["memory", str(size)], "split": ["split", "a.img"], "full": ["full", str(size)], "pattern": ["pattern", str(size)],
              "null": ["null", str(size)], "zero": ["zero"]}[kind]
    return Server("nbdkit", tuple(words + [word for _, parameters in chosen for word in parameters]))


def qemu_nbd(d):
    words = ["--format=raw"] + d.subset(["--read-only", f"--export-name={d.pick('', 'disk')}", f"--discard={d.pick('unmap', 'ignore')}",
                                         f"--detect-zeroes={d.pick('off', 'on')}", "--shared=0",
                                         f"--cache={d.pick('writeback', 'writethrough', 'unsafe')}"], 0.2)
    return Server("qemu-nbd", tuple(words + ["a.img"]))


def name_of(d):
    export = d.pick(EXPORTS)
    quoted = export.replace(" ", "%20")
    return d.weighted({
        f"nbd+unix:///{quoted}?socket={DIR}/nbd.sock": 8, "nbd+unix://?socket=nbd.sock": 4, "nbd+unix:///?socket=nbd.sock": 6,
        "nbd:unix:nbd.sock": 5, f"nbd:unix:nbd.sock:exportname={export}": 3, "nbd:unix:missing": 1,
        f"nbd+unix:///{export}": 1, "nbd+unix:///?socket=": 1, "nbd+unix:///?socket=nbd.sock&x=1": 1, "nbd:nbd.sock": 1,
        "nbd:unix:": 1, "nbd:": 1, "nbd+unix:///?path=nbd.sock": 1})


def node(d):
    """The keys of an nbd node, sometimes with wrong ones."""
    pairs = [("driver", "nbd")] if d.chance(0.97) else []
    pairs += d.pick([("server.type", "unix"), ("server.path", "nbd.sock")], [("server.type", "unix"), ("server.path", "nbd.sock")],
                    [("path", "nbd.sock")], [("filename", "nbd:unix:nbd.sock")])
    if d.chance(0.2):
        pairs.append(("export", d.pick(EXPORTS)))
    pairs += some_options(d, OPTIONS, 0.6) if d.chance(0.25) else []
    return pairs + (some_options(d, COMMON, 0.7) if d.chance(0.3) else [])


def open_again(d):
    """Opening the export in the session, by name or by the keys of its node."""
    options = d.subset(["-r", "-n", f"-t {d.pick('none', 'writeback', 'writethrough', 'unsafe')}", "-d unmap", "-U", "-k"], 0.15)
    if d.chance(0.6):
        name = name_of(d)
        return " ".join(["open", *options] + ([f"-o driver={d.pick('raw', 'raw', 'nbd')}"] if d.chance(0.5) else []) + [name.replace(" ", "%20")])
    pairs = [("driver", "raw")] + [("file." + key, value) for key, value in node(d)] if d.chance(0.7) else node(d)
    return " ".join(["open", *options, "-o", ",".join(f"{key}={value}" for key, value in pairs if " " not in value)])


def reopen_again(d):
    """Reopening, with keys of the node or of those below it."""
    prefix = d.pick("", "file.", "file.", "image.")
    key, value = d.pick(some_options(d, OPTIONS, 0.3) or [("export", "")])
    changes = d.subset(["-r", "-w", f"-c {d.pick('none', 'writeback', 'unsafe')}", f"-o {prefix}{key}={value}",
                        f"-o {d.pick('discard=unmap', 'detect-zeroes=on', 'read-only=on', 'driver=nbd', 'offset=512')}"], 0.35)
    return " ".join(["reopen"] + [change for change in changes if change.count(" ") < 2])


def commands_of(d, size):
    """A session, with the export opened or reopened in between now and then."""
    commands = session(d, Sizes(max(size, 512)))
    if d.chance(0.2):
        place = d.randint(0, len(commands))
        # Not between an asynchronous request and the wait for it.
        while commands[place:place + 1] == ["aio_flush"]:
            place += 1
        commands[place:place] = ["close", open_again(d)] if d.chance(0.5) else [reopen_again(d)]
    return tuple(("-c", text) for text in commands)


def image_units(d):
    """Arguments that name the image."""
    if d.chance(0.55):
        return (), (name_of(d),)
    pairs = node(d)
    if d.chance(0.6):
        below = [("driver", "raw")] if d.chance(0.6) else [("driver", "blkdebug")] if d.chance(0.2) else []
        prefix = "image." if below == [("driver", "blkdebug")] else "file."
        pairs = below + [(prefix + key, value) for key, value in pairs]
    if d.chance(0.3) and len({key for key, _ in pairs}) == len(pairs):
        return (), ("json:" + json.dumps(dict(pairs)),)
    return ("--image-opts",), (",".join(f"{key}={value}" for key, value in pairs),)


def make(d):
    size = d.pick(SIZES)
    image = d.image(sizes=(size,)) if size else File("a.img")
    server = nbdkit(d, size) if d.chance(0.8) else qemu_nbd(d)
    option, name = image_units(d)
    options = [unit for unit in process_options(d) if not (option and unit[:1] == ("-f",))]
    options += d.subset([("-i", d.pick("threads", "native", "io_uring")), ("-U",), ("-C",), ("-s",)], 0.06)
    return Case(tuple(options) + ((option,) if option else ()) + commands_of(d, size) + (name,), (image,) + EXTRA_FILES + (server,))
