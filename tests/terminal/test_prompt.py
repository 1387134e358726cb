"""Features of the interactive prompt: shell commands, pipes, help for misspelt commands, pasting, late results."""
import re


def test_did_you_mean(terminal):
    shell = terminal()
    shell.run("wirte 0 4k")
    assert shell.rows()[:3] == ["zoneio> wirte 0 4k", 'command "wirte" not found', "Did you mean 'write'?"]
    shell.run("zone_finsh")
    assert "Did you mean 'zone_finish'?" in shell.text()
    shell.run("qwertz")
    assert shell.rows()[-1] != "Did" and shell.text().count("Did you mean") == 2
    assert shell.end() == 1


def test_shell_command(terminal):
    shell = terminal()
    shell.run("!echo one; echo two | tr a-z A-Z")
    assert shell.rows()[:3] == ["zoneio> !echo one; echo two | tr a-z A-Z", "one", "TWO"]
    shell.run("!kill -PIPE $$; echo not reached")
    assert shell.rows()[4] == "zoneio>"
    shell.send("!echo ready; cat\r")
    shell.wait("\nready")
    shell.send("typed\r")
    shell.wait(lambda: shell.text().count("typed") == 2)
    shell.send("\x03")
    shell.wait("^C")
    shell.wait(lambda: shell.line() == "zoneio>")
    shell.run("help quit")
    assert "end the program" in shell.text()
    assert shell.end() == 0


def test_pipe(terminal, zoned):
    shell = terminal(*zoned)
    shell.run("write -q 4M 4k")
    shell.run("zrp 0 1000 | grep zcond:2")
    assert shell.rows()[2].startswith("start: 0x2000,") and shell.rows()[3] == "zoneio>"
    shell.run("zone_report 0 1000 | wc -l")
    assert shell.rows()[4] == "16"
    shell.run("zrp 0 1000 | head -n 1")
    assert shell.rows()[6].startswith("start: 0x0,")
    shell.run("length |")
    assert "needs a command on both sides" in shell.text()
    shell.run("length")
    assert "64 MiB" in shell.text()
    assert shell.end() == 1


def test_pipe_without_descriptors(terminal, zoned):
    shell = terminal(*zoned)
    shell.run("!prlimit --pid $PPID --nofile=$(($(ls /proc/$PPID/fd | sort -n | tail -n 1) + 3))")
    shell.run("length | cat")
    assert "Too many open files" in shell.text()
    shell.run("length")
    assert "64 MiB" in shell.text()
    assert shell.end() == 1


def test_results_do_not_tear_the_line(terminal):
    shell = terminal("--image-opts", "driver=null-co,size=1M,latency-ns=300000000")
    shell.run("aio_read 0 4k")
    shell.send("write 4k 8")
    shell.wait("ops/sec)")
    shell.wait(lambda: shell.line() == "zoneio> write 4k 8")
    rows = shell.rows()
    assert rows[0] == "zoneio> aio_read 0 4k"
    assert rows[1] == "read 4096/4096 bytes at offset 0"
    assert re.fullmatch(r"4 KiB, 1 ops; .* ops/sec\)", rows[2])
    assert rows[3] == "zoneio> write 4k 8"
    assert rows[4] == ""


def test_results_above_a_line_of_several_rows(terminal):
    shell = terminal("--image-opts", "driver=null-co,size=1M,latency-ns=300000000", columns=24)
    shell.run("aio_read -C 0 4k")
    shell.send("write -q -P 0x5a 0 4096 4096 4096 é")
    shell.wait(lambda: "é" in shell.text() and "4096,1," in shell.text())
    shell.wait(lambda: shell.line().endswith("é"))
    text = shell.text()
    assert text.count("write -q") == 1
    assert text.index("4096,1,") < text.index("write -q")


def test_paste_of_a_thousand_lines(terminal):
    shell = terminal("-f", "raw", "null-co://", lines=10, NO_COLOR="1")
    shell.paste("".join(f"read -C {number * 512} 512\r" for number in range(1000)) + "help q\r")
    shell.wait("end the program")
    lines = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", shell.raw).decode().replace("\r", "").split("\n")
    commands = [line for line in lines if "> read -C" in line]
    assert commands == [f"zoneio> read -C {number * 512} 512" for number in range(1000)]
    # One result after each command, and nothing else.
    assert len([line for line in lines if re.fullmatch(r"512,1,[^ ]*", line)]) == 1000


def test_line_without_end(terminal):
    shell = terminal()
    shell.wait("zoneio>")
    shell.paste("a" * 200000 + "\rhelp quit\r")
    shell.wait("end the program")
    assert "the line is longer than 65536 bytes: it was not run" in shell.text()
    assert "not found" not in shell.text()


def test_bracketed_paste(terminal, tmp_path):
    (tmp_path / "inputrc").write_text("set enable-bracketed-paste on\n")
    shell = terminal("-f", "raw", "null-co://", INPUTRC=str(tmp_path / "inputrc"))
    shell.send("\x1b[200~length\rinfo\x1b[201~")
    shell.wait("info")
    assert "format name" not in shell.text()
    shell.send("\r")
    shell.wait("format name: raw")
    assert "1 GiB" in shell.text()


def test_narrow_window(terminal):
    shell = terminal("-f", "raw", "null-co://", columns=12)
    shell.send("read -C 0 4096")
    shell.wait(lambda: shell.rows()[:2] == ["zoneio> read", " -C 0 4096"])
    shell.send("\x01\x04\x04\x04\x04length #\x7f\x7f\x05\x15length\r")
    shell.wait("1 GiB")


def test_resize(terminal):
    shell = terminal("-f", "raw", "null-co://", columns=60)
    shell.send("readv -q 0 65536 ")
    shell.wait("65536 [len..]")
    shell.resize(30, 24)
    shell.wait(lambda: shell.raw.count(b"readv") == 2)  # drawn again
    shell.send("4096 512")
    shell.wait(lambda: shell.rows()[:2] == ["zoneio> readv -q 0 65536 4096", "512 [len..]"])
    shell.run("")
    shell.run("length")
    assert "1 GiB" in shell.text()


def test_utf8(terminal, tmp_path):
    (tmp_path / "größe.img").write_bytes(b"\0" * 4096)
    shell = terminal()
    shell.run("open größx\x7fe.img")
    shell.run("length")
    assert "4 KiB" in shell.text()


def test_watching_a_map(terminal, zoned):
    shell = terminal(*zoned, columns=40, NO_COLOR="1")
    shell.send("zone_map --watch 3600\r")
    shell.wait("empty 16")
    drawn = shell.rows()
    assert drawn[0] == "host-managed, 16 zones of 4 MiB" and drawn[1].startswith("written 0 bytes")
    shell.resize(30, 24)
    shell.wait(lambda: shell.rows()[:3] == ["host-managed, 16 zones of 4", "MiB", "written 0 bytes of 64 MiB (0"])
    shell.send("q")
    shell.wait(lambda: shell.line() == "zoneio>")
    # The terminal is as it was before.
    shell.run("length")
    assert shell.rows()[-1] == "" and "\n64 MiB\nzoneio>" in shell.text()


def test_interrupt_clears_the_line(terminal):
    shell = terminal()
    shell.send("write 0 4")
    shell.wait("write 0 4")
    shell.send("\x03")
    shell.wait(lambda: shell.line() == "zoneio>")
    assert shell.rows()[0] == "zoneio> write 0 4^C"
    assert shell.end("\x04") == 0


def test_signals_leave_no_scratch_files(terminal, tmp_path):
    for name in ("a.img", "before.img"):
        (tmp_path / name).write_bytes(bytes(65536))
    (tmp_path / "log").touch()
    first = terminal("--image-opts", "driver=blklogwrites,file.driver=file,file.filename=a.img,log.driver=file,log.filename=log")
    first.run("write 0 4k")
    assert first.end() == 0
    for signal in ("TERM", "HUP", "QUIT"):
        shell = terminal("-r", "-f", "raw", "before.img", TMPDIR=str(tmp_path))
        shell.end(f"crash --at end log -- ls -d $TMPDIR/zoneio-crash.* >seen; kill -{signal} $PPID\r")
        assert "zoneio-crash" in (tmp_path / "seen").read_text()
        assert not list(tmp_path.glob("zoneio-crash.*"))
