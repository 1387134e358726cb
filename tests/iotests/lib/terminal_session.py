"""Functions for golden tests that need a real terminal: run the program in a pseudo terminal by pexpect."""

import os
import re

import pexpect

PROMPT = "zoneio> "
TIMEOUT = 120


def start(*arguments, columns=80):
    """Starts the program in its own terminal."""
    return pexpect.spawn(os.environ["ZONEIO"], ["--no-rc", *arguments], dimensions=(24, columns), timeout=TIMEOUT,
                         encoding="utf-8", codec_errors="backslashreplace")


def session(*arguments, columns=80):
    """Starts the program and waits for its prompt."""
    child = start(*arguments, columns=columns)
    child.expect_exact(PROMPT)
    return child


def run(child, line):
    """Types a line and returns the output up to the next prompt, without the echo."""
    child.sendline(line)
    child.expect_exact(PROMPT)
    return clean(child.before).partition("\n")[2]


def begin(child, line):
    """Types a line and waits for its echo only."""
    child.sendline(line)
    child.expect_exact("\n")


def interrupt_until(child, pattern, pause=10):
    """Presses Ctrl-C until the pattern is shown. The first one may come before the command has started. The next one
    comes after a long pause, because a second one during the command ends the program."""
    for _ in range(int(TIMEOUT / pause)):
        child.sendintr()
        if child.expect([pattern, pexpect.TIMEOUT], timeout=pause) == 0:
            return child.match
    raise SystemExit(f"Ctrl-C did nothing; shown: {child.before!r}")


def clean(text):
    """Removes sequences that only move the cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r\n", "\n")


def end(child):
    """Ends the input and returns how the program ended."""
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    print("exit status:", child.exitstatus)
