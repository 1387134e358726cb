"""Control characters in names and other outside texts are shown on a terminal as `\\xHH`."""
import pytest

ESCAPE = "\x1b]0;title\x07"
SHOWN = "\\x1b]0;title\\x07"


@pytest.mark.parametrize("line, shown", [
    (f"read {ESCAPE} 4k", f"non-numeric argument, or extraneous/unrecognized suffix -- {SHOWN}"),
    (f"write -P {ESCAPE} 0 4k", f"{SHOWN} is not a valid pattern byte"),
    (f"help {ESCAPE}", f"command {SHOWN} not found"),
    (f"{ESCAPE} 4k", f'command "{SHOWN}" not found'),
    (f"sleep {ESCAPE}", f"{SHOWN} is not a valid number"),
    (f"wait_break {ESCAPE}", f"Could not wait for breakpoint {SHOWN}"),
    (f"remove_break {ESCAPE}", f"Could not remove breakpoint {SHOWN}"),
    ("read -\x1b 0 4k", "read: invalid option -- '\\x1b'"),
    (f"break pwritev {ESCAPE}", "Could not set breakpoint"),
    (f"truncate -m {ESCAPE} 1", f"Invalid preallocation mode '{SHOWN}'"),
])
def test_words_of_a_command(terminal, line, shown):
    shell = terminal("--image-opts", "-c", line, "driver=null-co,size=1M", first=lambda: True)
    assert shell.end("") == 1
    assert shown in shell.raw.decode()
    assert "\x1b" not in shell.raw.decode()


@pytest.mark.parametrize("words, shown", [
    ([f"--{ESCAPE}"], f"unrecognized option '--{SHOWN}'"),
    (["-\x1b"], "invalid option -- '\\x1b'"),
    (["-t", ESCAPE], f"Invalid cache option: {SHOWN}"),
    ([ESCAPE], f"can't open device {SHOWN}: Could not open '{SHOWN}'"),
])
def test_words_of_the_program(terminal, words, shown):
    shell = terminal(*words, first=lambda: True, NO_COLOR="1")
    assert shell.end("") == 1
    assert shown in shell.raw.decode()
    assert "\x1b" not in shell.raw.decode()


def test_tags_of_breakpoints(terminal, tmp_path):
    (tmp_path / "a.img").write_bytes(bytes(1 << 20))
    shell = terminal("--image-opts", "-c", f"break read_aio {ESCAPE}", "-c", "aio_read 0 4k", "-c", f"resume {ESCAPE}",
                     "-c", "aio_flush", "driver=raw,file.driver=blkdebug,file.image.filename=a.img", first=lambda: True)
    assert shell.end("") == 0
    assert f"blkdebug: Suspended request '{SHOWN}'" in shell.raw.decode()
    assert f"blkdebug: Resuming request '{SHOWN}'" in shell.raw.decode()
    assert "\x1b" not in shell.raw.decode()
