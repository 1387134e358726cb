#!/usr/bin/python3
"""Tests of check.py: each test breaks one rule in a small tree that otherwise keeps all of them."""

import tempfile
import unittest
from pathlib import Path

from check import check

SOUND = {
    "block/face.h": ['"block/low/low.h"'], "block/face.cc": ['"block/face.h"'], "block/other.h": [],
    "block/low/low.h": [], "block/low/low.cc": ['"block/low/low.h"'], "block/low/more.h": ['"block/low/low.h"'],
    "commands/a.h": ['"block/face.h"'], "commands/b.h": ['"commands/a.h"'], "commands/c.h": [],
    "shell/main.cc": ['"commands/b.h"'], "shell/a.h": [], "shell/b.h": [],
}


class StructureTest(unittest.TestCase):
    def complaints(self, changes, known="`low/` `tiny/` `crowd/`"):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "docs" / "architecture.md"
            page.parent.mkdir()
            page.write_text(known)
            for file, includes in {**SOUND, **changes}.items():
                path = Path(folder) / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("".join(f"#include {include}\n" for include in includes))
            return check(Path(folder))

    def test_nothing_is_wrong(self):
        self.assertEqual(self.complaints({}), [])

    def test_circle_of_files(self):
        self.assertEqual(self.complaints({"block/low/low.cc": ['"block/low/more.h"']}),
                         ["a circle of files: block/low/low -> block/low/more -> block/low/low"])

    def test_circle_of_rooms(self):
        self.assertEqual(self.complaints({"block/low/more.h": ['"block/other.h"']}),
                         ["a circle of rooms: block -> block/low -> block\n"
                          "    block/face.h includes block/low/low.h\n"
                          "    block/low/more.h includes block/other.h"])

    def test_layer_above(self):
        complaints = self.complaints({"block/other.h": ['"commands/c.h"']})
        self.assertIn("block/other.h includes commands/c.h, a layer above its own", complaints)

    def test_library_of_one_room(self):
        self.assertEqual(self.complaints({"commands/c.h": ["<readline/readline.h>"]}),
                         ["commands/c.h includes <readline/...>, which only shell/terminal may"])

    def test_file_that_is_not_there(self):
        self.assertEqual(self.complaints({"block/other.h": ['"block/low.h"']}),
                         ["block/other.h includes block/low.h, which is not there from the top of the source"])

    def test_long_file(self):
        self.assertEqual(self.complaints({"shell/a.h": ["<string>"] * 450}), ["shell/a.h has 450 lines, 450 or more"])

    def test_small_and_large_rooms(self):
        crowd = {f"commands/crowd/{number}.h": [] for number in range(16)}
        self.assertEqual(self.complaints({"block/tiny/a.h": [], "block/tiny/a.cc": [], **crowd}),
                         ["block/tiny has 1 files (3 to 15 are a room)",
                          "commands/crowd has 16 files (3 to 15 are a room)"])

    def test_room_without_documentation(self):
        self.assertEqual(self.complaints({}, known="low/"), ["block/low is not in docs/architecture.md"])


if __name__ == "__main__":
    unittest.main()
