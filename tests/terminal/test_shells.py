"""Completion of zoneio's command line at prompts of bash and zsh, with the files that the build makes."""
import shutil
import subprocess

import pytest

from conftest import Terminal, program_under_test

REFERENCE = program_under_test().parent / "reference"
BASH_SETTINGS = """
PS1='$ '
unset PROMPT_COMMAND
bind 'set bell-style none'
bind 'set enable-bracketed-paste off'
. "$REFERENCE/zoneio.bash"
"""
ZSH_SETTINGS = """
PS1='$ '
unsetopt prompt_sp prompt_cr beep
setopt no_always_last_prompt no_auto_menu
fpath=($REFERENCE $fpath)
autoload -Uz compinit
compinit -D -u
"""


@pytest.fixture(params=["bash", "zsh"])
def shell(request, tmp_path):
    if not REFERENCE.exists():
        pytest.skip("needs a build of ours")
    if not shutil.which(request.param):
        pytest.skip(f"needs {request.param}")
    (tmp_path / "bashrc").write_text(BASH_SETTINGS)
    (tmp_path / ".zshrc").write_text(ZSH_SETTINGS)
    work = tmp_path / "work"
    (work / "images").mkdir(parents=True)
    for name in ("disk.img", "with space.img", "check.zio", "images/other.img", "inner.img"):
        (work / name).touch()
    words = {"bash": ["--noprofile", "--rcfile", str(tmp_path / "bashrc"), "-i"], "zsh": ["-d", "-i"]}[request.param]
    started = Terminal(work, *words, program=shutil.which(request.param), columns=200, lines=50, ZDOTDIR=str(tmp_path),
                       REFERENCE=str(REFERENCE))
    started.name = request.param
    started.wait(lambda: started.line() == "$")
    yield started
    started.kill()


def typed_line(shell):
    """The text between the prompt and the cursor."""
    return shell.screen.display[shell.screen.cursor.y][2:shell.screen.cursor.x]


@pytest.mark.parametrize(("typed", "completed"), [
    ("--image-o", "--image-opts "),
    ("--force-s", "--force-share "),
    ("-f zo", "-f zoned "),
    ("--format=null-c", "--format=null-co "),
    ("-t dir", "-t directsync "),
    ("--cache uns", "--cache unsafe "),
    ("-i io", "-i io_uring "),
    ("-d ig", "-d ignore "),
    ("--output js", "--output json "),
    ("--output=js", "--output=json "),
    ("-c zone_rep", "-c zone_report "),
    ("-c 'zone_rep", "-c 'zone_report' "),
    ("-c 'read 0 4k' -c wait", "-c 'read 0 4k' -c wait_break "),
    ("-c 'zone_list --st", "-c 'zone_list --state' "),
    ("-c 'zl --bytes --ra", "-c 'zl --bytes --range' "),
    ("-c 'source che", "-c 'source check.zio' "),
    ('-c "write -s inn', '-c "write -s inner.img" '),
    ("--file che", "--file check.zio "),
    ("-T zbd_zone_m", "-T zbd_zone_mgmt "),
    ("--object thro", "--object throttle-group,id="),
    ("-f raw di", "-f raw disk.img "),
    ("-f raw im", "-f raw images/"),
    ("-f raw with", "-f raw with\\ space.img "),
    ("--image-opts driver=zo", "--image-opts driver=zoned"),
    ("--image-opts driver=zoned,zone.si", "--image-opts driver=zoned,zone.size="),
    ("--image-opts driver=zoned,zone.size=4M,zone.cap", "--image-opts driver=zoned,zone.size=4M,zone.capacity="),
    ("--image-opts driver=raw,file.dri", "--image-opts driver=raw,file.driver="),
    ("--image-opts driver=raw,file.driver=host_d", "--image-opts driver=raw,file.driver=host_device"),
    ("--image-opts driver=raw,file.driver=null-co,file.lat", "--image-opts driver=raw,file.driver=null-co,file.latency-ns="),
    ("--image-opts driver=blkdebug,image.filename=di", "--image-opts driver=blkdebug,image.filename=disk.img"),
    ("--image-opts driver=blkdebug,inj", "--image-opts driver=blkdebug,inject-error."),
    ("--image-opts detect-zeroes=u", "--image-opts detect-zeroes=unmap"),
    ("--image-opts driver=file,filename=images/o", "--image-opts driver=file,filename=images/other.img"),
])
def test_completes(shell, typed, completed):
    shell.send("zoneio " + typed + "\t")
    shell.wait(lambda: typed_line(shell).rstrip() == ("zoneio " + completed).rstrip())


@pytest.mark.parametrize(("typed", "offered"), [
    ("-t ", "writethrough writeback none directsync unsafe"),
    ("--output=", "text json"),
    ("-f null-", "null-aio null-co"),
    ("-c zone_re", "zone_report zone_reset"),
    ("-f raw i", "images/ inner.img"),
    ("--image-opts driver=null-co,", "node-name read-only auto-read-only cache.direct cache.no-flush detect-zeroes "
                                     "discard force-share size latency-ns read-zeroes"),
    ("--image-opts read-only=on,file.driver=zoned,file.zone.max_", "file.zone.max_open_zones file.zone.max_active_zones "
                                                                   "file.zone.max_append_bytes"),
    ("--image-opts locking=", "auto on off"),
])
def test_offers(shell, typed, offered):
    shell.send("zoneio " + typed + "\t\t")
    # The list, and below it the line again.
    shell.wait(lambda: shell.screen.cursor.y > 1 and typed_line(shell).rstrip() == ("zoneio " + typed).rstrip())
    words = " ".join(row for row in shell.rows()[:shell.screen.cursor.y] if not row.startswith("$")).split()
    # bash shows the part of the word after the last =.
    assert sorted({word.split(",")[-1].rstrip("=") for word in words}) == sorted(offered.split())


def test_offers_options_of_a_command(shell):
    shell.send("zoneio -c 'readv -\t\t")
    shell.wait(lambda: shell.screen.cursor.y > 1 and typed_line(shell) == "zoneio -c 'readv -")
    words = " ".join(row for row in shell.rows()[:shell.screen.cursor.y] if not row.startswith("$")).split()
    # bash shows the part before it, too.
    assert {word for word in words if word != "readv"} == {"-C", "-P", "-q", "-r", "-v"}


def test_offers_all_options(shell):
    listed = [word for word in subprocess.run([program_under_test(), "--help"], capture_output=True, text=True,
                                              check=True).stdout.split() if word.startswith("--")]
    listed = [word.partition("[")[0] for word in listed]  # --guard[=MODE]
    shell.send("zoneio --\t\t")
    shell.wait(lambda: shell.screen.cursor.y > 1 and typed_line(shell) == "zoneio --")
    shown = {word.rstrip("=") for word in shell.text().split() if word.startswith("--")} - {"--"}
    assert len(listed) > 20 and shown == set(listed)
