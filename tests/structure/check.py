#!/usr/bin/python3
"""Checks the structure of the source: check.py [ROOT]. docs/architecture.md has the rules. Prints every violation.

Layers point down, files and rooms form no circles, rooms have 3 to 15 files, and a file has fewer than 450 lines. A
header and its source count as one file. A room is a folder; the files directly in a layer, its face, are a room too. The
documentation lists each room.
"""

import re
import sys
from pathlib import Path

LAYERS = ("block", "commands", "shell")         # each may use those before it
PRIVATE = {"readline": "shell/terminal", "libnbd": "block/nbd"}  # libraries that only one room may use
SOURCES = (".cc", ".h", ".def")
LONGEST_FILE = 450                              # lines
SMALLEST_ROOM, LARGEST_ROOM = 3, 15             # files


def main(root):
    complaints = check(root)
    for complaint in complaints:
        print(complaint)
    if not complaints:
        print("the structure is sound")
    return 1 if complaints else 0


def check(root):
    files = sorted(path.relative_to(root) for layer in LAYERS for path in (root / layer).rglob("*")
                   if path.suffix in SOURCES)
    texts = {file: (root / file).read_text() for file in files}
    includes = [(file, include) for file in files for include in includes_of(texts[file])]
    units = graph((unit(file), unit(Path(include))) for file, include in includes)
    rooms = graph((str(file.parent), str(Path(include).parent)) for file, include in includes)
    return [
        *missing(root, includes),
        *wrong_layers(includes),
        *wrong_libraries(files, texts),
        *(f"a circle of files: {path}" for path in circles(units)),
        *(f"a circle of rooms: {path}{reasons(path, includes)}" for path in circles(rooms)),
        *wrong_sizes(files),
        *unlisted(root, files),
        *(f"{file} has {lines} lines, {LONGEST_FILE} or more" for file in files
          if (lines := texts[file].count("\n")) >= LONGEST_FILE),
    ]


def unlisted(root, files):
    """Rooms that docs/architecture.md does not list."""
    page = root / "docs" / "architecture.md"
    known = page.read_text() if page.exists() else ""
    return [f"{room} is not in docs/architecture.md" for room in sorted({file.parent for file in files})
            if len(room.parts) > 1 and f"`{room.name}/`" not in known]


def includes_of(text):
    return re.findall(r'^#include "([^"]+)"', text, re.MULTILINE)


def unit(file):
    return str(file.with_suffix(""))


def graph(edges):
    """{node: nodes that it uses}, without itself."""
    found = {}
    for user, used in edges:
        found.setdefault(user, set())
        if user != used:
            found[user].add(used)
    return found


def missing(root, includes):
    return [f"{file} includes {include}, which is not there from the top of the source" for file, include in includes
            if not (root / include).exists()]


def wrong_layers(includes):
    above = [(file, include) for file, include in includes
             if include.split("/")[0] in LAYERS[LAYERS.index(file.parts[0]) + 1:]]
    return [f"{file} includes {include}, a layer above its own" for file, include in above]


def wrong_libraries(files, texts):
    return [f"{file} includes <{library}/...>, which only {room} may" for library, room in PRIVATE.items()
            for file in files
            if str(file.parent) != room and re.search(rf"^#include <{library}[/.]", texts[file], re.MULTILINE)]


def circles(graph):
    """One circle for each group of nodes that can all reach each other: `a -> b -> a`."""
    reached = {node: reachable(graph, node) for node in graph}
    seen = set()
    for node in sorted(graph):
        if node in seen or node not in reached[node]:
            continue
        group = {other for other in reached[node] if node in reached.get(other, ())}
        seen |= group
        yield " -> ".join(way_round(graph, node, group))


def reachable(graph, start):
    found, waiting = set(), [start]
    while waiting:
        for node in graph.get(waiting.pop(), ()):
            if node not in found:
                found.add(node)
                waiting.append(node)
    return found


def way_round(graph, start, group):
    """The shortest circle through a node."""
    ways = [[start]]
    for way in ways:
        for node in sorted(graph[way[-1]] & group):
            if node == start:
                return [*way, start]
            if all(node not in other for other in ways):
                ways.append([*way, node])
    raise AssertionError(f"{start} is on no circle")


def reasons(path, includes):
    """For each dependency between rooms, one of the files that cause it."""
    rooms = path.split(" -> ")
    told = []
    for here, there in zip(rooms, rooms[1:]):
        file, include = next((file, include) for file, include in includes
                             if str(file.parent) == here and str(Path(include).parent) == there)
        told.append(f"\n    {file} includes {include}")
    return "".join(told)


def wrong_sizes(files):
    rooms = {}
    for file in files:
        rooms.setdefault(str(file.parent), []).append(file)
    for room, members in sorted(rooms.items()):
        count = len({unit(file) for file in members})
        if len(members) < SMALLEST_ROOM or count > LARGEST_ROOM:
            yield f"{room} has {count} files ({SMALLEST_ROOM} to {LARGEST_ROOM} are a room)"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]))
