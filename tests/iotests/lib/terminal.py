"""Runs a program on its own terminal, controlled by standard input: terminal.py COLUMNSxLINES PROGRAM ARGUMENTS.

Lines of standard input: `wait TEXT` waits until the program shows TEXT after the text of the last `wait`. `send KEYS`
types keys: \\n for Enter, \\xNN for others. At the end, everything that was shown is printed, with <ESC> for escapes and
without the escapes that switch bracketed paste. The exit status is the program's.
"""
import fcntl
import os
import pty
import re
import struct
import sys
import termios


def main():
    columns, lines = (int(n) for n in sys.argv[1].split("x"))
    steps = [line.rstrip("\n").split(" ", 1) for line in sys.stdin]
    child, terminal = pty.fork()
    if child == 0:
        os.environ.pop("COLUMNS", None)
        os.environ.pop("LINES", None)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        # The name of the program in the other tests.
        os.execv(sys.argv[2], ["qemu-io", "--no-rc", *sys.argv[3:]])
    shown, seen = b"", 0

    def read():
        nonlocal shown
        try:
            data = os.read(terminal, 65536)
        except OSError:  # no process has the terminal open any more
            data = b""
        shown += data
        return data

    for verb, text in steps:
        data = text.encode().decode("unicode_escape").encode("latin-1") if verb == "send" else text.encode()
        if verb == "send":
            os.write(terminal, data)
            continue
        while shown.find(data, seen) < 0:
            if not read():
                break
        seen = max(shown.find(data, seen), seen) + len(data)
    while read():
        pass
    text = re.sub(rb"\x1b\[\?2004[hl]\r?", b"", shown).replace(b"\r\n", b"\n").replace(b"\r", b"<CR>")
    sys.stdout.buffer.write(text.replace(b"\x1b", b"<ESC>"))
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


main()
