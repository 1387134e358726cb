"""Minimises a differing case: drops everything that is not needed for the shape of the difference."""

from dataclasses import replace

from case import File

MAX_RUNS = 250
PLAIN_NUMBERS = ("0", "1", "512", "4096")


def minimise(case, still_differs):
    """The smallest case found for which still_differs() is true. REQUIRES: still_differs(case)."""
    runs, improved = 0, True
    while improved:
        improved = False
        for smaller in smaller_cases(case):
            if runs == MAX_RUNS:
                return case
            runs += 1
            if still_differs(smaller):
                case, improved = smaller, True
                break
    return case


def smaller_cases(case):
    """Cases without some part, large parts first."""
    for units in shorter(case.units):
        yield replace(case, units=units)
    if case.stdin is not None:
        for lines in shorter(tuple(case.stdin.splitlines(keepends=True))):
            yield replace(case, stdin=b"".join(lines))
        yield replace(case, stdin=None)
    for setup in shorter(case.setup):
        yield replace(case, setup=setup)
    yield from (replace(case, units=units) for units in simpler_units(case.units))
    if case.stdin is not None:
        yield from (replace(case, stdin=data) for data in simpler_lines(case.stdin))
    yield from (replace(case, setup=setup) for setup in simpler_setups(case.setup))


def shorter(items):
    """The tuple without one half, one quarter, ... one item; parts at the end first."""
    size = (len(items) + 1) // 2
    while size and items:
        for start in reversed(range(0, len(items), size)):
            yield items[:start] + items[start + size:]
        if size == 1:
            return
        size = (size + 1) // 2


def simpler_units(units):
    """Cases without a word of a command or a part of an option string, or with a simpler number."""
    for index, unit in enumerate(units):
        for text in simpler_texts(unit[-1]):
            yield units[:index] + (unit[:-1] + (text,),) + units[index + 1:]


def simpler_texts(text):
    for separator in (" ", ","):
        yield from without_pieces(text, separator)
    words = text.split(" ")
    for index, word in enumerate(words):
        if len(words) > 1 and word[0:1].isdigit():
            # Only towards the start of the tuple, so that minimisation ends.
            for plainer in PLAIN_NUMBERS[:PLAIN_NUMBERS.index(word) if word in PLAIN_NUMBERS else None]:
                yield " ".join(words[:index] + [plainer] + words[index + 1:])


def simpler_lines(data):
    lines = data.split(b"\n")
    for index, line in enumerate(lines):
        for text in simpler_texts(line.decode("utf-8", "surrogateescape")):
            yield b"\n".join(lines[:index] + [text.encode("utf-8", "surrogateescape")] + lines[index + 1:])


def without_pieces(text, separator):
    pieces = tuple(text.split(separator))
    if len(pieces) > 1:
        for fewer in shorter(pieces):
            yield separator.join(fewer)


def simpler_setups(setup):
    """Cases with simpler files: without extents, without content, of a round size."""
    for index, item in enumerate(setup):
        if isinstance(item, File):
            plainer = [replace(item, extents=()), replace(item, fill=None, text=None, extents=()),
                       replace(item, mode=0o644)]
            if item.size > 65536:
                plainer.append(replace(item, size=65536, extents=()))
            for file in plainer:
                if file != item:
                    yield setup[:index] + (file,) + setup[index + 1:]
