"""Messages at a terminal if the program cannot start."""
import json

import pytest


def test_did_you_mean(terminal):
    shell = terminal("--read-onyl", "disk.img", first="Did you mean", lines=60)
    shell.end("")
    assert shell.rows()[0].endswith("unrecognized option '--read-onyl'")
    assert "Did you mean '--read-only'?" in shell.text()


def test_no_suggestion_if_nothing_is_near(terminal):
    for word in ("--qwertz", "--c", "--cache"):
        shell = terminal(word, first="lists commands", lines=60)
        shell.end("")
        assert "Did you mean" not in shell.text()


@pytest.mark.parametrize(("arguments", "explained"), [
    (["-t", "non", "x"], "--cache takes writethrough, writeback, none, directsync, unsafe; did you mean 'none'?"),
    (["-i", "uring", "x"], "--aio takes threads, native, io_uring"),
    (["-d", "of", "x"], "--discard takes unmap, ignore"),
    (["--output", "jsn"], "--output takes text, json; did you mean 'json'?"),
    (["--guard=wran"], "--guard takes warn, refuse, off; did you mean 'warn'?"),
    (["my", "disk.img"], "zoneio opens one image; these are 2: my, disk.img"),
    (["a", "b\x1b[2J"], "zoneio opens one image; these are 2: a, b\\x1b[2J")])
def test_choices(terminal, arguments, explained):
    shell = terminal(*arguments, first=explained[:20], columns=160, lines=60)
    assert shell.end("") == 1
    assert shell.raw.decode().splitlines()[-1].startswith(explained)


def test_why_the_image_cannot_be_opened(terminal):
    shell = terminal("nowhere.img", first="working directory", columns=120)
    assert shell.end("") == 1
    assert shell.rows()[1:3] == ["the file 'nowhere.img' does not exist",
                                 "  A name without a slash is a file in the working directory."]
    assert b"\x1b[2mthe file 'nowhere.img' does not exist" in shell.raw


def test_no_colour(terminal):
    shell = terminal("nowhere.img", first="working directory", NO_COLOR="1")
    shell.end("")
    assert b"\x1b[" not in shell.raw


def test_batches_do_not_change(terminal):
    shell = terminal("-c", "length", "nowhere.img", first="can't open")
    assert shell.end("") == 1
    assert shell.raw.decode().splitlines() == [
        "zoneio: can't open device nowhere.img: Could not open 'nowhere.img': No such file or directory"]


def test_records(terminal):
    shell = terminal("--output", "json", "nowhere.img", first="ENOENT", columns=400)
    assert shell.end("") == 1
    lines = shell.raw.decode().splitlines()
    assert len(lines) == 1 and json.loads(lines[0])["error"]["explanation"] == "the file 'nowhere.img' does not exist"
