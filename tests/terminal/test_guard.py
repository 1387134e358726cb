"""The question before a device that is in use is opened for writing."""
import json
import re

import pytest

QUESTION = "Open it for writing? [y]es, [r]ead-only, [N]o"


def is_writable(shell):
    shell.run("write -q 0 512")
    return "Block node is read-only" not in shell.text() and "no file open" not in shell.text()


@pytest.mark.parametrize("answer", ["y\r", "Y\r", "yes\r"])
def test_yes(terminal, device_in_use, answer):
    shell = terminal("-f", "raw", device_in_use, first=QUESTION)
    assert shell.rows()[0] == f"zoneio: writing to '{device_in_use}' may destroy data:"
    # The file's name may be longer than the line.
    assert shell.rows()[1].startswith(f"  {device_in_use}: 1 MiB, loop device of /")
    assert "  the kernel or another program has it exclusively" in shell.rows()
    assert shell.line() == QUESTION
    shell.send(answer)
    shell.wait(lambda: shell.line() == "zoneio>")
    assert is_writable(shell)
    assert shell.end() == 0


@pytest.mark.parametrize("answer", ["n\r", "\r", "yess\r", "ready\r", "\x04"])
def test_no_leaves_the_prompt(terminal, device_in_use, answer):
    shell = terminal("-f", "raw", device_in_use, first=QUESTION, columns=200)
    shell.send(answer)
    shell.wait(lambda: shell.line() == "zoneio>")
    assert f"can't open device {device_in_use}: '{device_in_use}' was not opened for writing, because you did not answer yes; use -r to open it read-only" \
        in shell.text()
    assert not is_writable(shell)
    assert shell.end() == 1


@pytest.mark.parametrize("answer", ["r\r", "R\r", "read-only\r"])
def test_read_only(terminal, device_in_use, answer):
    shell = terminal("-f", "raw", device_in_use, first=QUESTION)
    shell.send(answer)
    shell.wait(lambda: shell.line() == "zoneio>")
    shell.run("length")
    assert "1 MiB" in shell.text()
    assert not is_writable(shell)
    assert shell.end() == 1


def test_ctrl_c_ends_the_program(terminal, device_in_use):
    shell = terminal("-f", "raw", device_in_use, first=QUESTION)
    assert shell.end("\x03") is None


@pytest.mark.parametrize(("answer", "opens"), [("y\r", True), ("n\r", False), ("\x04", False), ("\x03", False)])
def test_open_at_the_prompt(terminal, device_in_use, answer, opens):
    shell = terminal()
    shell.send(f"open -o driver=raw {device_in_use}\r")
    shell.wait(QUESTION)
    shell.send(answer)
    shell.wait(lambda: shell.line() == "zoneio>")
    assert is_writable(shell) == opens
    assert ("was not opened for writing" in shell.text()) != opens
    # Line editing has the terminal again.
    shell.send("leng\t")
    shell.wait(lambda: shell.line() == "zoneio> length")
    assert shell.end("\r\x04") == (0 if opens else 1)


def test_reopen(terminal, device_in_use):
    shell = terminal("-f", "raw", "-r", device_in_use)
    shell.send("reopen -w\r")
    shell.wait(QUESTION)
    shell.send("n\r")
    shell.wait(lambda: shell.line() == "zoneio>")
    assert not is_writable(shell)
    shell.run("!clear")
    shell.send("reopen -w\r")
    shell.wait(QUESTION)
    shell.send("y\r")
    shell.wait(lambda: shell.line() == "zoneio>")
    shell.run("!clear")
    assert is_writable(shell)
    shell.run("reopen -c none")
    assert QUESTION not in shell.text()


def test_typed_ahead_text_is_no_answer(terminal, device_in_use):
    shell = terminal()
    shell.send(f"open -o driver=raw {device_in_use}\ry\r")
    shell.wait(QUESTION)
    shell.send("n\r")
    shell.wait(lambda: shell.line() == "zoneio>")
    assert not is_writable(shell)


def test_partition_table(terminal, loop_device, tmp_path):
    table = bytearray(512)
    table[446:462] = bytes([0x80, 0x20, 0x21, 0, 0x83, 0xdd, 0x1e, 0x3f, 0, 8, 0, 0, 0, 0x40, 6, 0])
    table[510:512] = b"\x55\xaa"
    with (tmp_path / "disk").open("r+b") as disk:
        disk.write(table)
    shell = terminal("-f", "raw", loop_device, first=QUESTION)
    assert "  it has a partition table" in shell.rows()
    shell.send("n\r")
    shell.wait(lambda: shell.line() == "zoneio>")
    assert shell.end() == 1


def test_no_question_without_need(terminal, loop_device):
    shell = terminal("-f", "raw", loop_device)
    assert shell.rows() == ["zoneio>"] + [""] * 23


@pytest.mark.parametrize(("arguments", "first", "end"), [(["-r"], "zoneio>", "\x04"), (["-s"], "zoneio>", "\x04"),
                                                         (["-c", "length"], "1 MiB", "")])
def test_no_question(terminal, device_in_use, arguments, first, end):
    shell = terminal("-f", "raw", *arguments, device_in_use, first=first)
    assert shell.end(end) == 0
    assert b"zoneio: " not in shell.raw


def test_records(terminal, device_in_use):
    shell = terminal("--output", "json", "-f", "raw", device_in_use, first=QUESTION, columns=1200)
    shell.send("n\r")
    shell.wait("status")
    record = json.loads(re.search(r"\{.*\}", shell.text())[0])
    assert (record["command"], record["error"]["errno"]) == ("open", "ECANCELED")


def test_why(terminal, device_in_use):
    shell = terminal()
    shell.send(f"open -o driver=raw {device_in_use}\r")
    shell.wait(QUESTION)
    shell.send("n\r")
    shell.wait(lambda: shell.line() == "zoneio>")
    shell.run("!clear")
    shell.run("why")
    assert shell.rows()[1:6] == [f"you declined to open '{device_in_use}' for writing",
                                "  Writing to it may destroy data: the kernel or another program has it",
                                "    exclusively.",
                                "  Opening it read-only asks no question.",
                                f"  Try: open -r {device_in_use}"]
