"""The history of typed lines."""
import stat


def history(tmp_path):
    return tmp_path / ".local/state/zoneio/history"


def test_from_session_to_session(terminal, tmp_path):
    first = terminal(NO_COLOR="1")
    first.run("help read")
    first.run("help write")
    assert first.end() == 0
    assert history(tmp_path).read_text() == "help read\nhelp write\nquit\n"
    assert stat.S_IMODE(history(tmp_path).stat().st_mode) == 0o600
    second = terminal(NO_COLOR="1")
    second.send("\x10\x10")  # back, twice
    second.wait(lambda: second.line() == "zoneio> help write")


def test_search(terminal):
    shell = terminal(NO_COLOR="1")
    for line in ("help info", "help length", "help close"):
        shell.run(line)
    shell.send("\x12len")
    shell.wait(lambda: "reverse-i-search" in shell.line() and shell.line().endswith("help length"))
    shell.send("\r")
    shell.wait(lambda: shell.line() == "zoneio>")
    assert shell.text().count("show the length of the image") == 2


def test_interrupt_ends_a_search(terminal):
    shell = terminal(NO_COLOR="1")
    shell.run("help length")
    shell.send("\x12len")
    shell.wait(lambda: "reverse-i-search" in shell.line())
    before = shell.raw.count(b"zoneio> ")
    shell.send("\x03")
    shell.wait(lambda: shell.line() == "zoneio>")
    shell.run("length")
    # The prompt after the search, and the prompt after `length`.
    assert shell.raw.count(b"zoneio> ") == before + 2
    assert [row for row in shell.rows() if row][-3:] == ["zoneio> length", "no file open, try 'help open'", "zoneio>"]


def test_each_line_once(terminal, tmp_path):
    history(tmp_path).parent.mkdir(parents=True)
    history(tmp_path).write_text("old\nhelp a\nold\n")
    history(tmp_path).chmod(0o644)
    shell = terminal(NO_COLOR="1")
    assert history(tmp_path).read_text() == "help a\nold\n"
    assert stat.S_IMODE(history(tmp_path).stat().st_mode) == 0o600
    for line in ("help a", "help a", " help hidden", "", "help b", "help a"):
        shell.run(line)
    shell.send("\x10")
    shell.wait(lambda: shell.line() == "zoneio> help a")
    shell.send("\x10")
    shell.wait(lambda: shell.line() == "zoneio> help b")
    shell.send("\x10")
    shell.wait(lambda: shell.line() == "zoneio> old")
    assert "hidden" not in history(tmp_path).read_text()


def test_length_is_limited(terminal, tmp_path):
    history(tmp_path).parent.mkdir(parents=True)
    history(tmp_path).write_text("".join(f"line {number}\n" for number in range(10500)))
    terminal()
    lines = history(tmp_path).read_text().splitlines()
    assert len(lines) == 10000 and lines[0] == "line 500"


def test_two_sessions(terminal, tmp_path):
    first, second = terminal(), terminal()
    first.run("help read")
    second.run("help write")
    first.run("help open")
    assert history(tmp_path).read_text() == "help read\nhelp write\nhelp open\n"


def test_a_link_is_not_written(terminal, tmp_path):
    history(tmp_path).parent.mkdir(parents=True)
    (tmp_path / "precious").write_text("precious\n")
    history(tmp_path).symlink_to(tmp_path / "precious")
    shell = terminal()
    shell.run("help read")
    assert (tmp_path / "precious").read_text() == "precious\n"


def test_the_home_of_another_user_is_not_written(terminal, tmp_path, foreign_home):
    shell = terminal(HOME=str(foreign_home))
    shell.run("help read")
    shell.send("\x10")
    shell.wait(lambda: "help read" in shell.line())
    assert list(foreign_home.iterdir()) == []


def test_after_a_partial_line(terminal, tmp_path):
    history(tmp_path).parent.mkdir(parents=True)
    history(tmp_path).write_text("help a\nhelp wri")
    shell = terminal(NO_COLOR="1")
    shell.run("help b")
    shell.run("help c")
    assert history(tmp_path).read_text() == "help a\nhelp wri\nhelp b\nhelp c\n"
