"""Region commands at a terminal: the question before a wipe, and Ctrl-C during a command."""
import re

import pytest

QUESTION = "Its data is lost. Wipe it? [y/N]"
SLOW = "driver=null-co,size=1T,latency-ns=20000000"


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "disk.img"
    path.write_bytes(b"\7" * 65536)
    return path


@pytest.mark.parametrize(("answer", "wiped"), [("y\r", True), ("n\r", False), ("\r", False), ("\x04", False), ("\x03", False)])
def test_wipe_asks(terminal, image, answer, wiped):
    shell = terminal("-f", "raw", image.name)
    shell.send("wipe 4k 8k\r")
    shell.wait(QUESTION)
    assert shell.rows()[1:3] == ["disk.img: 64 KiB", "  8192 bytes (8 KiB) at offset 4096 will be overwritten with zeros"]
    shell.send(answer)
    shell.wait(lambda: shell.line() == "zoneio>")
    assert ("nothing was wiped, because you did not answer yes" in shell.text()) != wiped
    assert shell.end() == (0 if wiped else 1)
    assert image.read_bytes() == (b"\7" * 4096 + b"\0" * 8192 + b"\7" * 53248 if wiped else b"\7" * 65536)


@pytest.mark.parametrize("options", ["-y", "-n"])
def test_wipe_does_not_ask(terminal, image, options):
    shell = terminal("-f", "raw", image.name)
    shell.run(f"wipe {options} all")
    assert QUESTION not in shell.text()
    assert shell.end() == 0


@pytest.mark.parametrize(("command", "ends"), [
    ("find -t nothing", "find interrupted: "), ("compare all zeros", "compare interrupted: "), ("save all copy", "save interrupted: "),
    ("wipe -y --random all", "wipe interrupted: "), ("load zeros 0", "load interrupted: ")])
def test_interrupt(terminal, tmp_path, command, ends):
    with open(tmp_path / "zeros", "wb") as file:
        file.truncate(1 << 40)
    shell = terminal("--image-opts", SLOW)
    shell.send(command + "\r")
    shell.wait(lambda: re.search(r"\w+: [0-9.]+ [KM]iB of [12] TiB", shell.text()))
    shell.send("\x03")
    shell.wait(lambda: shell.line() == "zoneio>")
    assert re.search(ends + r"[0-9]+/[0-9]+ bytes at offset 0", shell.text())
    assert not list(tmp_path.glob("copy*"))
    shell.run("length")
    assert "1 TiB" in shell.text()
    assert shell.end() == 1


def test_dump_can_be_interrupted(terminal):
    shell = terminal("--image-opts", SLOW)
    shell.send("dump 0 1T\r")
    shell.wait("*")
    shell.send("\x03")
    shell.wait(lambda: shell.line() == "zoneio>")
    assert "dump interrupted: " in shell.text()
    assert shell.end() == 1
