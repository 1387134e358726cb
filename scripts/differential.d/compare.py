"""Describes how two results differ, and computes the shape by which differences are grouped."""

import difflib
import itertools
import re

MAX_DIFF_LINES = 40
MAX_SHAPE_LINE = 90


def describe(ref, new):
    """A list of readable differences."""
    out = []
    if ref.rc != new.rc:
        out.append(f"exit status: reference {ref.rc}, binary {new.rc}")
    for stream in ("stdout", "stderr"):
        want, got = getattr(ref, stream), getattr(new, stream)
        if want != got:
            out.append(unified(stream, want, got))
    for name, want, got in file_differences(ref, new):
        out.append(f"file {name}: reference {want}, binary {got}")
    return out


def shape(ref, new):
    """The first differing line of both sides with its variable parts masked."""
    for stream in ("stderr", "stdout"):
        want, got = getattr(ref, stream), getattr(new, stream)
        if want != got:
            return f"{stream}: " + " | ".join(mask(side) for side in first_difference(want, got))
    if ref.rc != new.rc:
        return f"exit status {ref.rc} | {new.rc}"
    _name, want, got = next(file_differences(ref, new))
    return f"file: {file_aspects(str(want), str(got))}"


def first_difference(want, got):
    pairs = itertools.zip_longest(want.split("\n"), got.split("\n"), fillvalue="(nothing)")
    return next(pair for pair in pairs if pair[0] != pair[1])


def mask(line):
    line = line.replace("qemu-io> ", "")
    line = re.sub(r"^[0-9a-f]{8,16}:  .*", "DUMP", line)
    line = re.sub(r"(can't open device )(?:json:.*[]}\"]|\S+): ", r"\1W: ", line)
    line = re.sub(r"\b0x[0-9a-fA-F]+", "N", line)
    line = re.sub(r"'[^']*'", "'S'", line)
    line = re.sub(r": \S+$", ": W", line)
    line = re.sub(r"[0-9]+(?:\.[0-9]+)?", "N", line)
    line = re.sub(r"( -- |to )[^ \"]*", r"\1W", line)
    return line[:MAX_SHAPE_LINE]


def file_differences(ref, new):
    for name in sorted(set(ref.files) | set(new.files)):
        want, got = ref.files.get(name), new.files.get(name)
        if want != got:
            yield name, want, got


def file_aspects(want, got):
    """The aspects in which two descriptions of a file differ."""
    if "sha256" not in want or "sha256" not in got:
        return " | ".join(mask(side) for side in (want, got))
    aspects = {"size": r"[0-9]+ bytes", "contents": "sha256 [0-9a-f]+", "mode": "mode [0-7]+", "holes": r"data \[.*\]"}
    return ", ".join(name for name, pattern in aspects.items()
                     if re.findall(pattern, want) != re.findall(pattern, got))


def unified(stream, want, got):
    diff = list(difflib.unified_diff(visible(want), visible(got), f"{stream} of the reference",
                                     f"{stream} of the binary", lineterm="", n=2))
    if len(diff) > MAX_DIFF_LINES:
        diff[MAX_DIFF_LINES:] = [f"... {len(diff) - MAX_DIFF_LINES} more lines"]
    return "\n".join(diff)


def visible(text):
    """The lines, with control characters made visible."""
    rows = ["".join(c if c.isprintable() else repr(c)[1:-1] for c in row) for row in text.split("\n")]
    if rows[-1]:
        rows[-1] += " (no newline at the end)"
    else:
        rows.pop()
    return rows
