#!/usr/bin/python3
"""NBD servers for golden tests.

    nbd_server.py listen SOCKET COMMAND...        runs COMMAND with a listening socket (systemd's socket activation)
    nbd_server.py fault SOCKET FAULT [KEY=VALUE]  a server that does something wrong
    nbd_server.py relay SOCKET TARGET SEED PLAN   passes connections on to the socket TARGET, and breaks them

They print a line on stdout once the socket listens. SOCKET is a path, or `tcp`: a free port of 127.0.0.1; the line is its
number. FAULT is a kind of error and its place:

    close-NAME, hang-NAME      at the point NAME: greeting, option, tls (in the handshake), go, request, header (after half a header), data (after half
                               of the data); close-once and hang-once: at the first request of the first connection
    interrupt-NAME             likewise, and the client gets a SIGINT, like from a user who waits
    close-chunk                after half the header of a structured answer; close-chunk-data: after half of its data
    refuse-tls-NUMBER          the option `starttls` is refused with this error
    tls-data, tls-info         the option `starttls` is answered with data, by another kind of reply
    tls-other                  it is answered by replies to another option without end
    refuse-NUMBER              the option `go` is refused with this error (1 unsupported, 2 policy, ... 6 unknown export)
    greeting-TEXT              the text is sent instead of the greeting
    error-NUMBER               requests fail with this errno
    other-size, other-flags    connections after the first tell another size, or that the server has no flush
    no-info, short-info, reply-magic, answer-magic, answer-cookie, extent-none, extent-zero, none

PLAN: `NUMBER:BYTES` breaks this connection (the first is 0) after that many bytes from the client; `every:BYTES` breaks each one
after a random number, BYTES on average.

Keys: style (of the negotiation: `old`, without options; `simple`, with one option; `fixed`), sent (number of bytes of the facts of
the export, after which the server closes the connection; not for `fixed`), size (bytes), flags (of the export), blocks
(MINIMUM,PREFERRED,MAXIMUM), message (of a refusal), context (a metadata context to offer), extent (its flags), log (a file for the requests), accept (number of connections, after which the server
removes its socket). The protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
"""

import os
import random
import signal
import socket
import struct
import sys
import threading

OLD_MAGIC, REPLY_MAGIC, REQUEST_MAGIC, SIMPLE_MAGIC, CHUNK_MAGIC = 0x00420281861253, 0x3e889045565a9, 0x25609513, 0x67446698, 0x668e33ef
EXPORT_NAME, ABORT, STARTTLS, GO, STRUCTURED, SET_CONTEXT = 1, 2, 5, 7, 8, 10
ACK, INFO, CONTEXT, ERROR = 1, 3, 4, 1 << 31
READ, WRITE, DISCONNECT, BLOCK_STATUS = 0, 1, 2, 7
DONE, OFFSET_DATA, STATUS_CHUNK = 1, 1, 5


def listening(path):
    """The socket; prints where it listens."""
    server = socket.socket(socket.AF_INET if path == "tcp" else socket.AF_UNIX)
    server.bind(("127.0.0.1", 0) if path == "tcp" else path)
    server.listen(16)
    print(server.getsockname()[1] if path == "tcp" else path, flush=True)
    return server


def run_with_socket(path, command):
    server = listening(path)
    os.dup2(server.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.execvp(command[0], command)


class Gone(Exception):
    """The connection must be closed."""


class Connection:
    def __init__(self, stream, number, fault, keys):
        self.stream, self.number, self.fault = stream, number, fault
        self.size = int(keys.get("size", 1 << 20))
        self.flags = int(keys.get("flags", "0x1ed"), 0)
        if number > 0:
            self.size *= 2 if fault == "other-size" else 1
            self.flags &= ~4 if fault == "other-flags" else ~0
        self.keys = keys
        self.structured = False

    def serve(self):
        try:
            self.negotiate()
            while True:
                self.answer()
        except (Gone, OSError):
            pass
        finally:
            self.stream.close()

    def receive(self, count):
        data = b""
        while len(data) < count:
            part = self.stream.recv(count - len(data))
            if not part:
                raise Gone
            data += part
        return data

    def send(self, data):
        self.stream.sendall(data)

    def point(self, name):
        """Ends or hangs the connection if the fault is at this point."""
        if self.fault == f"close-{name}":
            raise Gone
        if self.fault == f"hang-{name}":
            self.stream.recv(1 << 20)
            threading.Event().wait()
        if self.fault == f"interrupt-{name}":
            self.interrupt()

    def interrupt(self):
        """Sends SIGINT to the client, like a user while the client waits for an answer."""
        process, _, _ = struct.unpack("3i", self.stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        os.kill(process, signal.SIGINT)
        threading.Event().wait()

    def negotiate(self):
        self.point("greeting")
        if self.fault.startswith("greeting-"):
            self.send(self.fault.removeprefix("greeting-").encode())
            raise Gone
        style = self.keys.get("style", "fixed")
        if style == "old":
            self.send(b"NBDMAGIC" + struct.pack(">Q", OLD_MAGIC))
            return self.tell_export(struct.pack(">QI", self.size, self.flags) + bytes(124))
        self.send(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3 if style == "fixed" else 0))
        zeroes = not struct.unpack(">I", self.receive(4))[0] & 2
        while not self.take_option(zeroes):
            pass
        if self.fault == "close-ready":
            raise Gone

    def tell_export(self, facts):
        sent = int(self.keys.get("sent", len(facts)))
        self.send(facts[:sent])
        if sent < len(facts):
            raise Gone

    def reply(self, option, kind, data=b""):
        magic = 1 if self.fault == "reply-magic" else REPLY_MAGIC
        self.send(struct.pack(">QIII", magic, option, kind, len(data)) + data)

    def take_option(self, zeroes):
        _, option, length = struct.unpack(">QII", self.receive(16))
        self.receive(length)
        self.point("option")
        if option == GO:
            return self.go()
        if option == EXPORT_NAME:
            self.tell_export(struct.pack(">QH", self.size, self.flags) + (bytes(124) if zeroes else b""))
            return True
        if option == STARTTLS:
            return self.start_tls()
        if option == STRUCTURED and "context" in self.keys:
            self.structured = True
            self.reply(option, ACK)
        elif option == SET_CONTEXT and self.structured:
            self.reply(option, CONTEXT, struct.pack(">I", 1) + self.keys["context"].encode())
            self.reply(option, ACK)
        elif option == ABORT:
            self.reply(option, ACK)
            raise Gone
        else:
            self.reply(option, ERROR + 1)
        return False

    def start_tls(self):
        if self.fault.startswith("refuse-tls-"):
            self.reply(STARTTLS, ERROR + int(self.fault.removeprefix("refuse-tls-")), self.keys.get("message", "").encode())
        elif self.fault == "tls-info":
            self.reply(STARTTLS, INFO, b"xx")
        elif self.fault == "tls-other":
            while True:
                self.reply(GO, ACK)
        else:
            self.reply(STARTTLS, ACK, b"xx" if self.fault == "tls-data" else b"")
            self.point("tls")
        return False

    def go(self):
        self.point("go")
        if self.fault.startswith("refuse-") and not self.fault.startswith("refuse-tls-"):
            self.reply(GO, ERROR + int(self.fault.removeprefix("refuse-")), self.keys.get("message", "").encode())
            return False
        if "blocks" in self.keys:
            self.reply(GO, INFO, struct.pack(">HIII", 3, *map(int, self.keys["blocks"].split(","))))
        if self.fault == "short-info":
            self.reply(GO, INFO, struct.pack(">HQ", 0, self.size))
        elif self.fault != "no-info":
            self.reply(GO, INFO, struct.pack(">HQH", 0, self.size, self.flags))
        self.reply(GO, ACK)
        return True

    def answer(self):
        magic, flags, kind, cookie, offset, length = struct.unpack(">IHHQQI", self.receive(28))
        assert magic == REQUEST_MAGIC
        if kind == WRITE:
            self.receive(length)
        self.log(kind, flags, offset, length)
        if kind == DISCONNECT:
            raise Gone
        self.point("request")
        if self.number == 0:
            self.point("once")
        if kind == BLOCK_STATUS:
            self.tell_extent(cookie, length)
        elif kind == READ and self.structured:
            self.chunk(OFFSET_DATA, cookie, struct.pack(">Q", offset) + b"d" * length)
        else:
            self.simple(cookie, b"d" * length if kind == READ else b"")

    def log(self, kind, flags, offset, length):
        if "log" in self.keys:
            names = {0: "read", 1: "write", 2: "disconnect", 3: "flush", 4: "trim", 5: "cache", 6: "zero", 7: "status"}
            with open(self.keys["log"], "a", encoding="ascii") as log:
                print(names[kind], f"flags={flags:#x} offset={offset} length={length}", file=log)

    def simple(self, cookie, data):
        error = int(self.fault.removeprefix("error-")) if self.fault.startswith("error-") else 0
        magic = 1 if self.fault == "answer-magic" else SIMPLE_MAGIC
        cookie += 77 if self.fault == "answer-cookie" else 0
        header = struct.pack(">IIQ", magic, error, cookie)
        if self.fault == "close-header":
            self.send(header[:8])
            raise Gone
        if self.fault == "close-data" and data:
            self.send(header + data[:len(data) // 2])
            raise Gone
        self.send(header + (data if error == 0 else b""))

    def chunk(self, kind, cookie, data):
        sent = struct.pack(">IHHQI", CHUNK_MAGIC, DONE, kind, cookie, len(data)) + data
        if self.fault == "close-chunk" or (self.fault == "close-chunk-data" and data):
            self.send(sent[:10] if self.fault == "close-chunk" else sent[:-len(data) // 2])
            raise Gone
        self.send(sent)

    def tell_extent(self, cookie, length):
        if self.fault == "extent-none":
            self.chunk(0, cookie, b"")
        else:
            length = 0 if self.fault == "extent-zero" else length
            self.chunk(STATUS_CHUNK, cookie, struct.pack(">III", 1, length, int(self.keys.get("extent", "0"), 0)))


def serve_faults(path, fault, keys):
    server = listening(path)
    number = 0
    last = int(keys.get("accept", "1" if fault == "refuse-second" else "0"))
    while True:
        stream, _ = server.accept()
        number += 1
        if number == last:
            server.close()
            os.unlink(path)
        threading.Thread(target=Connection(stream, number - 1, fault, keys).serve, daemon=True).start()
        if number == last:
            threading.Event().wait()


def copy(source, target, limit, number):
    """Copies up to `limit` bytes from one socket to another, then ends both connections."""
    try:
        while limit > 0 and (data := source.recv(min(limit, 1 << 16))):
            target.sendall(data)
            limit -= len(data)
        if limit == 0:
            print(f"relay: connection {number} broken", file=sys.stderr, flush=True)
    except OSError:
        pass
    for stream in (source, target):
        try:
            stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def relay(path, target, seed, plan):
    server = listening(path)
    draw = random.Random(seed)
    which, count = plan.split(":")
    number = 0
    while True:
        stream, _ = server.accept()
        onward = socket.socket(socket.AF_UNIX)
        onward.connect(target)
        limit = round(draw.expovariate(1 / int(count))) + 1000 if which == "every" else int(count) if which == str(number) else 1 << 62
        threading.Thread(target=copy, args=(stream, onward, limit, number), daemon=True).start()
        threading.Thread(target=copy, args=(onward, stream, 1 << 62, number), daemon=True).start()
        number += 1


def main(mode, path, *words):
    if mode == "listen":
        run_with_socket(path, list(words))
    elif mode == "relay":
        relay(path, *words)
    else:
        serve_faults(path, words[0], dict(word.split("=", 1) for word in words[1:]))


if __name__ == "__main__":
    main(*sys.argv[1:])
