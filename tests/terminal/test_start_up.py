"""The start of a prompt: the greeting, which names help and why, and the start-up file."""
import pytest

GREETING = "'help' lists the commands; 'why' explains the last failure"


@pytest.fixture
def start_up_file(tmp_path):
    path = tmp_path / ".config" / "zoneio" / "rc"
    path.parent.mkdir(parents=True)
    path.write_text("# mine\nopen -o driver=null-co,size=3M\n")
    return path


def test_greeting(terminal):
    shell = terminal(starts_up=True)
    assert shell.rows()[:2] == [GREETING, "zoneio>"]
    assert shell.end() == 0


def test_file(terminal, start_up_file):
    shell = terminal(starts_up=True)
    shell.run("length")
    assert "3 MiB" in shell.text()
    assert shell.end() == 0


def test_folder_of_the_environment(terminal, tmp_path):
    (tmp_path / "zoneio").mkdir()
    (tmp_path / "zoneio" / "rc").write_text("raed\n")
    shell = terminal(starts_up=True, XDG_CONFIG_HOME=str(tmp_path), columns=200)
    assert f"zoneio: {tmp_path}/zoneio/rc:1: command failed: raed" in shell.text()
    assert shell.end() == 1


@pytest.mark.parametrize(("arguments", "first"), [(["--no-rc"], "zoneio>"), (["-c", "length"], "no file open"),
                                                  (["--output", "json"], "zoneio>")])
def test_without(terminal, start_up_file, arguments, first):
    shell = terminal(*arguments, starts_up=True, first=first)
    assert GREETING not in shell.text()
    if arguments != ["-c", "length"]:
        shell.run("length")
    assert "3 MiB" not in shell.text() and "3145728" not in shell.text()


def test_file_of_another_user(terminal, foreign_home):
    import os
    path = foreign_home / ".config" / "zoneio" / "rc"
    path.parent.mkdir(parents=True)
    path.write_text("open -o driver=null-co,size=3M\n")
    os.chown(path, 65534, 65534)
    shell = terminal(starts_up=True, HOME=str(foreign_home))
    shell.run("length")
    assert "no file open" in shell.text()


def test_playground(terminal):
    shell = terminal("--playground")
    shell.run("zone_info")
    assert "16 of 4 MiB" in shell.text()
    assert shell.end() == 0


@pytest.mark.parametrize(("command", "hint"), [
    ("read 1M 4k", "the range ends"), ("read 0", "read [-abCqrv]"), ("open -t wrong x", "writethrough"), ("open disk.igm", "did you mean 'disk.img'?")])
def test_hint_on_every_device(terminal, tmp_path, command, hint):
    (tmp_path / "disk.img").write_bytes(bytes(65536))
    shell = terminal(*([] if command.startswith("open") else ["-f", "raw", "disk.img"]), columns=160)
    shell.run(command)
    assert hint in shell.text(), shell.text()


@pytest.mark.parametrize(("word", "title"), [("", "Ranges of any length:"), (" zone", "Zones:"), (" zap", "-p")])
def test_help(terminal, word, title):
    shell = terminal(lines=90)
    shell.run("help" + word)
    assert title in shell.text()


def test_quotes(terminal, tmp_path):
    (tmp_path / "my disk.img").write_bytes(b"two words".ljust(65536))
    shell = terminal()
    shell.run("open -o driver=raw 'my disk.img'")
    shell.run('find -t "two words"')
    assert "offset 0 (0x0)" in shell.text()
    assert shell.end() == 0


def test_create_says_what_it_made(terminal):
    shell = terminal()
    shell.run("create a.img 1M")
    assert "made 'a.img': a raw image of 1 MiB" in shell.text()
    assert shell.end() == 0
