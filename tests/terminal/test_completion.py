"""Completion with the Tab key."""
import pytest


@pytest.mark.parametrize(("typed", "completed"), [
    ("zone_rep", "zone_report "),
    ("  zone_rep", "  zone_report "),
    ("help wait", "help wait_break "),
    ("truncate -m fa", "truncate -m falloc "),
    ("open -t writet", "open -t writethrough "),
    ("open -twritet", "open -twritethrough "),
    ("open -d ig", "open -d ignore "),
    ("open -i io", "open -i io_uring "),
    ("reopen -c dir", "reopen -c directsync "),
    ("create -f zo", "create -f zoned "),
    ("create -f zoned -o zone.si", "create -f zoned -o zone.size="),
    ("open -o driver=zo", "open -o driver=zoned"),
    ("open -o driver=zoned,zone.si", "open -o driver=zoned,zone.size="),
    ("open -o driver=zoned,zone.size=4M,zone.cap", "open -o driver=zoned,zone.size=4M,zone.capacity="),
    ("open -o driver=raw,file.dri", "open -o driver=raw,file.driver="),
    ("open -o driver=raw,file.driver=host_d", "open -o driver=raw,file.driver=host_device"),
    ("open -o driver=raw,file.driver=null-co,file.lat", "open -o driver=raw,file.driver=null-co,file.latency-ns="),
    ("open -o driver=blkdebug,inj", "open -o driver=blkdebug,inject-error."),
    ("open -o driver=blkdebug,image.dri", "open -o driver=blkdebug,image.driver="),
    ("open -o driver=blkdebug,image.driver=raw,image.file.filen", "open -o driver=blkdebug,image.driver=raw,image.file.filename="),
    ("open -o driver=blkdebug,image.driver=null-co,image.lat", "open -o driver=blkdebug,image.driver=null-co,image.latency-ns="),
    ("open -o driver=blkdebug,inj", "open -o driver=blkdebug,inject-error."),
    ("open -o driver=blkdebug,inject-error.ev", "open -o driver=blkdebug,inject-error.event="),
    ("open -o driver=blkdebug,inject-error.0.iot", "open -o driver=blkdebug,inject-error.0.iotype="),
    ("open -o driver=blkdebug,inject-error.0.iotype=zone-m", "open -o driver=blkdebug,inject-error.0.iotype=zone-mgmt"),
    ("open -o driver=blkdebug,inject-error.event=zone_r", "open -o driver=blkdebug,inject-error.event=zone_re"),
    ("open -o driver=blkdebug,set-state.new", "open -o driver=blkdebug,set-state.new_state="),
    ("open -o driver=blkdebug,take-child-perms.0=res", "open -o driver=blkdebug,take-child-perms.0=resize"),
    ("open -o driver=throttle,thr", "open -o driver=throttle,throttle-group="),
    ("open -o driver=throttle,file.driver=copy-on-read,file.bot", "open -o driver=throttle,file.driver=copy-on-read,file.bottom="),
    ("break pwritev_d", "break pwritev_done "),
    ("open -o detect-zeroes=u", "open -o detect-zeroes=unmap"),
    ("open -o read-only=on,cache.d", "open -o read-only=on,cache.direct="),
    ("reopen -o disc", "reopen -o discard="),
    ("zone_list --st", "zone_list --state "),
    ("zone_list --state clo", "zone_list --state closed"),
    ("zone_list --state=full,exp", "zone_list --state=full,explicit"),
    ("zl -sclo", "zl -sclosed"),
    ("zone_apply res", "zone_apply reset "),
    ("zone_state 0 4M off", "zone_state 0 4M offline "),
    ("export vh", "export vhost-user "),
    ("export --on", "export --once "),
])
def test_completes(terminal, typed, completed):
    shell = terminal(NO_COLOR="1")
    shell.send(typed + "\t")
    shell.wait(lambda: shell.screen.cursor.x == len("zoneio> " + completed))
    assert shell.line() == ("zoneio> " + completed).rstrip()


@pytest.mark.parametrize(("typed", "offered"), [
    ("zrp 4", "4M 40M 44M 48M 4z"),
    ("zrp 5", "52M 56M 5z"),
    ("zrp 0x", "0x0 0x1000000 0x1400000 0x1800000 0x1c00000 0x2000000 0x2400000 0x2800000 0x2c00000 0x3000000 "
               "0x3400000 0x3800000 0x3c00000 0x400000 0x800000 0xc00000"),
    ("zone_finish 4M ", "4M 64M 1z 16z"),
    ("zone_open ", "0 4M 8M 12M 16M 20M 24M 28M 32M 36M 40M 44M 48M 52M 56M 60M"),
    ("open -t ", "none directsync writeback unsafe writethrough"),
    ("zone_state 0 1z ", "readonly offline empty"),
    ("zone_apply reset --state ",
     "empty implicit explicit closed full readonly offline conventional open active"),
    ("zone_clo", "zone_close"),
])
def test_offers(terminal, zoned, typed, offered):
    shell = terminal(*zoned, NO_COLOR="1")
    shell.send(typed + "\t\t")
    names = offered.split()
    if len(names) == 1:
        shell.wait(lambda: shell.line() == "zoneio> " + names[0])
        return
    # The list, and the line again below it.
    shell.wait(lambda: shell.screen.cursor.y > 1 and shell.line() == ("zoneio> " + typed).rstrip())
    assert sorted(" ".join(shell.rows()[1:shell.screen.cursor.y]).split()) == sorted(names)


def offered_with_notes(shell, typed):
    shell.send(typed + "\t\t")
    shell.wait(lambda: shell.screen.cursor.y > 1 and shell.line() == "zoneio> " + typed)
    return [row.split("  ", 1) for row in shell.rows()[1:shell.screen.cursor.y]]


def test_offers_options_with_their_help(terminal):
    offered = offered_with_notes(terminal(NO_COLOR="1"), "readv -")
    assert [words[0] for words in offered] == ["-P", "-v", "-C", "-q", "-r"]
    assert dict(offered)["-P"].strip() == "compare the data with this byte (0 to 255); fail if it differs"


def test_offers_commands_with_their_summary(terminal):
    shell = terminal(columns=40)
    offered = offered_with_notes(shell, "zone_re")
    assert [[word.strip() for word in words] for words in offered] == [["zone_report", "list zones with their w..."],
                                                                      ["zone_reset", "reset the zones of a ra..."]]
    assert b"zone_reset   \x1b[2m" in shell.raw


def test_long_lists_use_columns(terminal):
    shell = terminal(NO_COLOR="1", lines=6)
    shell.send("zone_\t\t")
    shell.wait(lambda: shell.screen.cursor.y > 1 and shell.line() == "zoneio> zone_")
    assert shell.rows()[1].split() == ["zone_append", "zone_close", "zone_info", "zone_map", "zone_report", "zone_state"]


def test_write_pointers(terminal, zoned):
    shell = terminal(*zoned, NO_COLOR="1")
    shell.send("write 5z+\t")
    shell.wait("write 5z+wp")


def test_throttle_groups(terminal):
    shell = terminal("--object", "throttle-group,id=slow,limits.iops-total=1", NO_COLOR="1")
    shell.send("open -o driver=throttle,throttle-group=\t")
    shell.wait("throttle-group=slow")


def test_exports(terminal, tmp_path):
    shell = terminal("-f", "raw", "null-co://")
    shell.run(f"export --name guest vhost-user {tmp_path}/s")
    shell.send("unexport g\t")
    shell.wait(lambda: shell.line() == "zoneio> unexport guest")


def test_breakpoints(terminal):
    shell = terminal("--image-opts", "driver=blkdebug,image.driver=null-co", NO_COLOR="1", columns=60)
    shell.send("remove_break \t\t")
    shell.send("\x15")
    shell.run("break pwritev first")
    shell.run("break pwritev_done second")
    shell.run("aio_write 0 4k")
    # The request is held at the first breakpoint; the second one is only set.
    shell.send("resume \t")
    shell.wait(lambda: shell.line() == "zoneio> resume first")
    shell.send("\x15wait_break s\t")
    shell.wait(lambda: shell.line() == "zoneio> wait_break second")
    shell.send("\x15remove_break \t\t")
    shell.wait("second  first")
    shell.send("\x15")
    shell.run("resume first")
    shell.send("resume \t")
    shell.wait(lambda: shell.line() == "zoneio> resume second")


def test_no_zones_without_a_zoned_device(terminal):
    shell = terminal("-f", "raw", "null-co://", NO_COLOR="1")
    shell.send("read \t\tq\b0 4k\r")
    shell.wait("read 4096/4096 bytes at offset 0")
    assert shell.rows()[0] == "zoneio> read 0 4k"


def test_file_names(terminal, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "äpfel.img").write_bytes(b"\0" * 512)
    (tmp_path / "images" / "with space.img").write_bytes(b"")
    shell = terminal(NO_COLOR="1")
    shell.send("open -r ima\t")
    shell.wait("images/")
    shell.send("\t")
    shell.wait("images/äpfel.img")
    shell.run("")
    shell.run("close")
    shell.send("open -o driver=file,filename=images/\t")
    shell.wait("driver=file,filename=images/äpfel.img")


def test_image_opts(terminal, zoned):
    shell = terminal(*zoned, NO_COLOR="1")
    shell.run("close")
    shell.send("open driver=zoned,zone.max_o\t")
    shell.wait("zone.max_open_zones=")
