"""What a person is told when the program cannot begin."""


def test_did_you_mean(terminal):
    shell = terminal("--read-onyl", "disk.img", first="Did you mean", lines=60)
    shell.end("")
    assert shell.rows()[0].endswith("unrecognized option '--read-onyl'")
    assert "Did you mean '--read-only'?" in shell.text()


def test_no_guess_without_need(terminal):
    for word in ("--qwertz", "--c", "--cache"):
        shell = terminal(word, first="lists the commands", lines=60)
        shell.end("")
        assert "Did you mean" not in shell.text()


def test_why_the_image_cannot_be_opened(terminal):
    shell = terminal("nowhere.img", first="looked for", columns=120)
    assert shell.end("") == 1
    assert shell.rows()[1:3] == ["there is no file 'nowhere.img'",
                                 "  A name without a slash is looked for in the current folder."]
    assert b"\x1b[2mthere is no file" in shell.raw


def test_no_colour(terminal):
    shell = terminal("nowhere.img", first="looked for", NO_COLOR="1")
    shell.end("")
    assert b"\x1b[" not in shell.raw


def test_batches_are_as_they_were(terminal):
    shell = terminal("-c", "length", "nowhere.img", first="can't open")
    assert shell.end("") == 1
    assert "there is no file" not in shell.text()


def test_records(terminal):
    shell = terminal("--output", "json", "nowhere.img", first="ENOENT", columns=400)
    assert shell.end("") == 1
    assert "there is no file" not in shell.text()
