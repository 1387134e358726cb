"""The command line of the process."""

from case import Case
from commands import CACHES, EXTRA_FILES
from normalise import FOREIGN_DRIVERS

# -s (--snapshot) and -C (--copy-on-read) have their own group.
FLAGS = {"r": "read-only", "n": "nocache", "m": "misalign", "k": "native-aio", "U": "force-share"}
VALUES = {"c": "cmd", "f": "format", "i": "aio", "t": "cache", "d": "discard", "T": "trace"}
LONG_ONLY_FLAGS = ("image-opts",)
LONG_ONLY_VALUES = ("object",)
ACT_AT_ONCE = ("-h", "--help", "-V", "--version", "--hel", "--vers")
# The shortest unique prefix of a long option. A shorter prefix is ambiguous or means another option.
UNIQUE = {"read-only": 1, "nocache": 2, "misalign": 1, "native-aio": 2, "force-share": 3, "cmd": 2, "format": 3,
          "aio": 1, "cache": 2, "discard": 1, "trace": 1, "image-opts": 1, "object": 1}
AMBIGUOUS = ("--c", "--fo", "--f", "--n", "--", "--ver=x", "--help=x", "--h", "--v", "--read-only=on", "--nocache=")
UNKNOWN = ("-Z", "-x", "-1", "-?", "--x", "--no-such", "--form-at", "-rZ", "-nx", "--raw", "-:", "-W", "---", "-=",
           "--forma=raw=x", "--Format", "-\u00e9", "--\u00e9")
DRIVERS = ("raw", "raw", "raw", "raw", "file", "host_device", "null-co", "null-aio")
BAD_DRIVERS = ("nosuch", "", "RAW", "raw ", "qcow2x", "json", "r", "fil")
COMMANDS = ("length", "info", "map", "read -q 0 512", "read -P 0xab 0 1k", "write 0 512", "write -q 512 512", "quit",
            "nosuch", "", "help l", "read", "flush", "open a.img", "close", "truncate 1k", "discard 0 512", "reopen -r",
            "reopen -w", "alloc 0")
OBJECTS = (
    "secret,id=s,data=x", "secret,id=s", "secret", "secret,id=s,data=x,data=y", "secret,id=,data=x", "secret,id=s,data=x,foo=1",
    "secret,id=s,file=missing", "secret,id=s,file=pattern.bin", "secret,id=1,data=x", "secret,id=s,data=eA==,format=base64",
    "secret,id=s,data=x,format=base64", "secret,id=s,data=x,format=x", "secret,id=s,data=x,file=pattern.bin",
    "secret,id=s,data=,,", "secret,id=s.t-u_v,data=x", "secret,data=x,id=s", "qom-type=secret,id=s,data=x",
    "secret,qom-type=secret,id=s,data=x", "id=s,data=x", "", ",", "=", "x", "secret,", "secret,id",
    "secret,id=s,keyid=t,data=x", "secret,id=s,keyid=k,data=x",
    "secret,id=k,data=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,format=base64",
    "secret,id=s,keyid=k,iv=AAAAAAAAAAAAAAAAAAAAAA==,data=x", "secret,id=s,keyid=k,iv=AAAA,data=x",
    "secret,id=s,keyid=k,iv=!!,data=x", "secret,id=s,keyid=k,iv=AAAAAAAAAAAAAAAAAAAAAA==,data=,format=base64",
    "secret,id=s,keyid=k,iv=AAAAAAAAAAAAAAAAAAAAAA==,data=!!,format=base64",
    "secret,id=s,keyid=k,iv=AAAAAAAAAAAAAAAAAAAAAA==,data=AAAAAAAAAAAAAAAAAAAAAA==,format=base64",
    "secret,id=s,data=!!,format=base64", "secret_keyring,id=s,serial=0", "secret_keyring,id=s,serial=x", "secret_keyring,id=s",
    "pr-manager-helper,id=p,path=missing", "pr-manager-helper,id=p,path=a.img", "authz-simple,id=a,identity=x",
    "authz-list-file,id=a,filename=x", "authz-listfile,id=a", "help", "secret_keyring,help", "iothread,id=i,x=1",
    "tls-creds-x509,id=t,dir=dir,passwordid=s", "throttle-group,id=t", "throttle-group,id=t,x-bps-total=5",
    "throttle-group,id=t,limits.iops-total=10", "throttle-group,id=t,x=1", "throttle-group", "iothread,id=i", "iothread",
    "nosuch,id=s", "nosuch", "SECRET,id=s", "memory-backend-ram,id=m,size=1M", "authz-simple,id=a", "authz-list,id=a",
    "tls-creds-anon,id=t", "tls-creds-anon,id=t,endpoint=server", "main-loop,id=m", "{'qom-type':'secret','id':'s','data':'x'}",
    "{\"qom-type\":\"secret\",\"id\":\"s\",\"data\":\"x\"}", "{}", "{", "{\"qom-type\":\"secret\"}", "{\"qom-type\":1}",
    "{\"id\":\"s\"}", "secret,id=s,data=\u00e9")
# Only events that do not exist, because each program has its own events.
TRACES = ("nosuch", "enable=nosuch", "events=missing", "", "nosuch,enable=nosuch2", "foo=1", "nosuch,foo=1",
          "events=empty.bin", "events=pattern.bin", "events=dir", "-nosuch", "enable=", "nosuch,", "nosuch,,x",
          "file=trace.log", "events=", "file=")
TRACE_WORDS = ("nosuch", "enable=nosuch", "events=missing", "file=trace.log", "id=a", "id=1", "id=", "id", "noid", "no-id", "foo=1",
               "foo", "nofoo", "help=on", "nohelp", "", "=1", ",x")
OPERANDS = {("a.img",): 70, (): 10, ("a.img", "a.img"): 4, ("missing",): 4, ("dir",): 2, ("",): 2, ("--", "a.img"): 4,
            ("--", "-r"): 1, ("-",): 1, ("driver=raw,file.filename=a.img",): 5, ("a.img", "x", "y"): 1,
            ("null-co://",): 3, ("--", "a.img", "-r"): 1}


def trace(d):
    if d.chance(0.5):
        return d.pick(TRACES)
    # `help` as the value of `enable` lists the events.
    rest = [d.pick(TRACE_WORDS + ("help", "?")) for _ in range(d.randint(1, 3))]
    return ",".join([d.pick(TRACE_WORDS), *rest])


def value(d, letter):
    if letter == "T":
        return trace(d)
    pools = {"c": COMMANDS, "i": ("threads", "threads", "native", "io_uring", "x", "", "Threads"),
             "t": CACHES + ("x", "", "None", "write"), "d": ("unmap", "on", "ignore", "off", "x", "", "Unmap"),
             "f": d.weighted({DRIVERS: 20, BAD_DRIVERS: 3, FOREIGN_DRIVERS: 2})}
    return d.pick(pools[letter])


def option(d):
    """One option with its value, in one of the spellings getopt_long knows."""
    kind = d.weighted({"flag": 35, "value": 50, "object": 6, "image-opts": 3, "unknown": 4, "ambiguous": 2,
                       "at once": 1})
    if kind == "flag":
        letter = d.pick(list(FLAGS))
        return ("-" + letter,) if d.chance(0.6) else (long_name(d, FLAGS[letter]),)
    if kind == "value":
        letter = d.weighted({"c": 8, "f": 6, "i": 2, "t": 3, "d": 3, "T": 2})
        return with_value(d, letter, VALUES[letter], value(d, letter))
    if kind == "object":
        return with_value(d, None, "object", d.pick(OBJECTS))
    if kind == "image-opts":
        return (long_name(d, "image-opts"),)
    return (d.pick({"unknown": UNKNOWN, "ambiguous": AMBIGUOUS, "at once": ACT_AT_ONCE}[kind]),)


def long_name(d, name):
    if d.chance(0.7):
        return "--" + name
    return "--" + name[:d.randint(UNIQUE[name], len(name))]


def with_value(d, letter, name, text):
    """-t X, -tX, --cache X or --cache=X; rarely the value is missing."""
    if letter and d.chance(0.6):
        return ("-" + letter, text) if d.chance(0.7) else ("-" + letter + text,)
    spelled = long_name(d, name)
    if d.chance(0.02):
        return (spelled,)
    return (spelled, text) if d.chance(0.6) else (spelled + "=" + text,)


def cluster(d):
    """Several flags in one word, the last may be an option with a value."""
    letters = "".join(d.choices(list(FLAGS), k=d.randint(1, 3)))
    if d.chance(0.5):
        return ("-" + letters,)
    letter = d.pick("f", "t", "d", "c")
    return (f"-{letters}{letter}", value(d, letter))


def make(d):
    image = d.image(sizes=(0, 512, 1000, 4096, 65536))
    units = [option(d) if d.chance(0.9) else cluster(d) for _ in range(d.pick(0, 1, 2, 3, 4, 6))]
    if d.chance(0.6):
        units += [("-c", d.pick(COMMANDS)) for _ in range(d.randint(1, 2))]
    if d.chance(0.4):
        units.append(("-f", "raw"))
    operand = d.weighted(OPERANDS)
    units = d.shuffled(units)
    # Options may follow the operand; "--" ends them, so it comes last.
    place = len(units) if "--" in operand else d.randint(0, len(units))
    units[place:place] = [operand] if operand else []
    if d.chance(0.02):
        units.append((d.pick("-c", "-f", "-t", "--cmd", "--object", "-T", "--trace"),))
    stdin = d.pick("length\n", "info\nquit\nlength\n", "", "read 0 512\n").encode() if d.chance(0.3) else None
    return Case(tuple(units), (image,) + EXTRA_FILES, stdin)
