"""What golden tests share that need a real terminal: the program in a pseudo terminal, by pexpect."""

import os
import re

import pexpect

PROMPT = "zoneio> "
TIMEOUT = 45


def start(*arguments, columns=80):
    """The program in a terminal of its own."""
    return pexpect.spawn(os.environ["ZONEIO"], ["--no-rc", *arguments], dimensions=(24, columns), timeout=TIMEOUT,
                         encoding="utf-8", codec_errors="backslashreplace")


def session(*arguments, columns=80):
    """The same, at its prompt."""
    child = start(*arguments, columns=columns)
    child.expect_exact(PROMPT)
    return child


def run(child, line):
    """Types a line and returns what is shown up to the next prompt, without the echo of the line."""
    child.sendline(line)
    child.expect_exact(PROMPT)
    return clean(child.before).partition("\n")[2]


def begin(child, line):
    """Types a line, and waits for no more than that it is shown."""
    child.sendline(line)
    child.expect_exact("\n")


def interrupt_until(child, pattern, pause=10):
    """Presses Ctrl-C until something is shown: a first one may come before the command has begun. Only after a long
    pause once more, since a second one while the command runs ends the program."""
    for _ in range(int(TIMEOUT / pause)):
        child.sendintr()
        if child.expect([pattern, pexpect.TIMEOUT], timeout=pause) == 0:
            return child.match
    raise SystemExit(f"Ctrl-C did nothing; shown: {child.before!r}")


def clean(text):
    """Without what only moves the cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r\n", "\n")


def end(child):
    """End of input; tells how the program ended."""
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    print("exit status:", child.exitstatus)
