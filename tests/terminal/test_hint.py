"""The hint after the cursor: the missing arguments."""
import pytest

WRITE = "[-bcCfnqruz] [-P pattern | -s source_file] off len"


def typed(shell, text):
    """Types a text, waits until the line shows it, and returns the text after the cursor."""
    shell.send(text)
    shell.wait(lambda: text.strip() in shell.line())
    return shell.line()


@pytest.mark.parametrize(("text", "hint"), [
    ("write", f" {WRITE}"),
    ("write ", WRITE),
    ("w ", WRITE),
    ("write 4k", " len"),
    ("write 4k ", "len"),
    ("write -P ", "pattern"),
    ("write -q 0 ", "len"),
    ("readv 0 4k ", "[len..]"),
    ("open -i ", "aio"),
    ("zone_list --state ", "states"),
    ("length", ""),
    ("nonsense ", ""),
])
def test_hint(terminal, text, hint):
    shell = terminal()
    shell.send(text)
    shell.wait(lambda: shell.line() == ("zoneio> " + text + hint).rstrip() and
               shell.screen.cursor.x == len("zoneio> " + text))


def test_hint_is_dim_and_removed_by_enter(terminal):
    shell = terminal()
    typed(shell, "write ")
    shell.wait(WRITE)
    assert f"\x1b[2m{WRITE}\x1b[0m".encode() in shell.raw
    shell.send("\r")
    shell.wait("no file open")
    assert shell.rows()[0] == "zoneio> write"


def test_hint_is_removed_when_the_cursor_moves(terminal):
    shell = terminal()
    typed(shell, "write 4k")
    shell.wait("4k len")
    shell.send("\x1b[D")
    shell.wait(lambda: "len" not in shell.line())
    assert shell.line() == "zoneio> write 4k"


def test_hint_never_wraps(terminal):
    shell = terminal(columns=30)
    shell.send("write ")
    shell.wait("...")
    assert shell.rows()[0] == "zoneio> write [-bcCfnqruz]..."
    assert shell.rows()[1] == ""
    # First there is no room for a hint, then there is room in a second row.
    shell.send("-q 0x1000000")
    shell.wait("0x1000000")
    shell.send("0")
    shell.wait("0x10000000")
    assert shell.rows()[:2] == ["zoneio> write -q 0x10000000", ""]
    shell.send("0000 ")
    shell.wait(lambda: shell.rows()[:2] == ["zoneio> write -q 0x10000000000", "0 len"] or "len" in shell.rows()[1])
    assert shell.rows()[1].endswith(" len")


def test_hint_after_wide_characters(terminal):
    shell = terminal()
    shell.send("write -s 漢字é ")
    shell.wait("off len")
    # pyte gives a wide character a second, empty cell.
    assert shell.screen.cursor.x == len("zoneio> write -s 漢字é ") + 2
    shell.send("\x7f\x7f\x7f")
    shell.wait(lambda: shell.screen.cursor.x == len("zoneio> write -s 漢") + 1)
    assert "字" not in shell.line()


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"ZONEIO_HINTS": "off"}])
def test_refused(terminal, environment):
    shell = terminal(**environment)
    shell.send("write ")
    shell.send("4k 8\r")
    shell.wait("no file open")
    assert b"len" not in shell.raw
    assert b"\x1b[2m" not in shell.raw


def test_hint_after_a_resize(terminal):
    shell = terminal(columns=80)
    typed(shell, "write ")
    shell.wait(WRITE)
    shell.resize(24, 24)
    shell.send("4k ")
    shell.wait(lambda: "4k len" in shell.text())
    shell.send("8k\r")
    shell.wait("no file open")
