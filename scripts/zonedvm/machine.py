"""QEMU: its command line, the pipes to the guest, the wait with a time limit."""
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time

from .common import Problem

NVME_KEYS = {"zone_size": "zoned.zone_size", "zone_capacity": "zoned.zone_capacity", "max_open": "zoned.max_open",
             "max_active": "zoned.max_active"}
PORTS = ("out", "err", "control")


class NotUp(Exception):
    """The guest did not start within the time limit."""


class Machine:
    """One boot. `options`: accel, cpus, memory, share, nvme (list of dicts), vhost_user (list of (socket, plain?)), shell, verbose."""

    def __init__(self, options, kernel_image, initrd, scratch, root=None):
        """`root`: the folder of QEMU, unless it is the system's."""
        self.qemu, self.environment = root.qemu_system() if root else (["qemu-system-x86_64"], None)
        self.options, self.kernel_image, self.initrd, self.scratch = options, kernel_image, initrd, scratch
        self.status, self.up, self.console = None, False, bytearray()
        self.ends = {}

    # ---- command line
    def command(self, write_ends):
        o = self.options
        argv = [*self.qemu, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
                "-M", "q35", "-accel", "kvm" if o.accel == "kvm" else "tcg,thread=multi",
                "-cpu", "host" if o.accel == "kvm" else "max", "-smp", str(o.cpus), "-m", o.memory,
                "-kernel", self.kernel_image, "-initrd", self.initrd,
                # no_timer_check: on a busy machine, the timer of a guest without KVM is too late for Linux's check, which panics.
                "-append", f"console=ttyS0 quiet panic=-1 oops=panic no_timer_check rdinit=/init {o.kernel_args}".strip(),
                "-device", "virtio-serial-pci,max_ports=8"]
        for number, name in enumerate(PORTS, 1):
            argv += self.pipe_chardev(name, write_ends[name])
            argv += ["-device", f"virtserialport,chardev={name},nr={number}"]
        if o.shell:
            argv += ["-chardev", "stdio,id=console,signal=off"]
        else:
            argv += self.pipe_chardev("console", write_ends["console"])
        argv += ["-serial", "chardev:console"]
        if o.share:
            argv += ["-fsdev", f"local,id=share,path={comma(o.share)},security_model=none,multidevs=remap",
                     "-device", "virtio-9p-pci,fsdev=share,mount_tag=share"]
        for number, keys in enumerate(o.nvme, 1):
            argv += self.nvme(number, keys)
        if o.vhost_user:
            argv += ["-object", f"memory-backend-memfd,id=mem,size={o.memory},share=on", "-numa", "node,memdev=mem"]
        for number, disk in enumerate(o.vhost_user, 1):
            argv += self.vhost_user(number, *disk)
        return argv

    @staticmethod
    def vhost_user(number, path, is_plain):
        chardev = f"socket,id=disk{number},path={comma(path)}"
        if is_plain:
            return ["-chardev", chardev + ",reconnect-ms=100", "-device", f"vhost-user-blk-pci,chardev=disk{number}"]
        # vhost-user-blk-pci does not pass zones on. This device passes on all features of the back end, but cannot
        # reconnect.
        return ["-chardev", chardev, "-device",
                f"vhost-user-test-device-pci,virtio-id=2,num_vqs=1,vq_size=128,config_size=96,chardev=disk{number}"]

    @staticmethod
    def pipe_chardev(name, fd):
        # A duplicate of our pipe: nothing is on disk, and end of file comes when QEMU ends. append: no truncation.
        return ["-add-fd", f"fd={fd},set={fd}", "-chardev", f"file,id={name},path=/dev/fdset/{fd},append=on"]

    def nvme(self, number, keys):
        keys = dict(keys)
        backing = os.path.join(self.scratch, f"nvme{number}")
        with open(backing, "wb") as f:
            f.truncate(size_in_bytes(keys.pop("size", "32M")))
        block = keys.pop("block_size", "512")
        keys.setdefault("zone_size", "4M")
        props = "".join(f",{NVME_KEYS.get(k, k)}={size_in_bytes(v) if k.startswith('zone_') else v}"
                        for k, v in keys.items())
        return ["-drive", f"file={comma(backing)},id=nvme{number},format=raw,if=none,cache=unsafe",
                "-device", f"nvme,id=ctrl{number},serial=zoned{number}",
                "-device", f"nvme-ns,drive=nvme{number},bus=ctrl{number},nsid=1,zoned=on,"
                           f"logical_block_size={block},physical_block_size={block}{props}"]

    # ---- running
    def run(self, boot_limit, time_limit):
        """Returns the exit status of the guest. Raises NotUp if it did not start, Problem if it died."""
        write_ends = {}
        for name in PORTS + (() if self.options.shell else ("console",)):
            self.ends[name], write_ends[name] = os.pipe()
        argv = self.command(write_ends)
        if self.options.verbose:
            print("zoned-vm: " + " ".join(argv), file=sys.stderr)
        start = time.monotonic()
        with subprocess.Popen(argv, pass_fds=list(write_ends.values()), stderr=subprocess.PIPE,
                              stdin=None if self.options.shell else subprocess.DEVNULL, env=self.environment,
                              preexec_fn=die_with_parent) as qemu:
            for fd in write_ends.values():
                os.close(fd)
            try:
                self.relay(qemu, start, boot_limit, time_limit)
            finally:
                qemu.kill()
                complaint = qemu.stderr.read().decode(errors="replace").strip()
        self.note("guest up after %.1f s, done after %.1f s", self.up or 0, time.monotonic() - start)
        if self.status is None:
            raise Problem("the guest stopped without an exit status" + tail(complaint, self.console))
        return self.status

    def relay(self, qemu, start, boot_limit, time_limit):
        """Copies the output of the guest until it reports its exit status or a limit is reached."""
        with selectors.DefaultSelector() as sel:
            for name, fd in self.ends.items():
                sel.register(fd, selectors.EVENT_READ, name)
            while sel.get_map():
                limit = time_limit if self.up else min(boot_limit, time_limit or boot_limit)
                left = start + limit - time.monotonic() if limit else None
                if left is not None and left <= 0:
                    if not self.up:
                        raise NotUp(tail("", self.console))
                    raise TimeoutError(tail("", self.console))
                for key, _ in sel.select(left):
                    data = os.read(key.fd, 65536)
                    if not data:
                        sel.unregister(key.fd)
                        os.close(key.fd)
                    else:
                        self.take(key.data, data, start)
                if self.status is not None:
                    # The guest wrote all output before its status, so QEMU need not wait for the guest to stop. The loop
                    # reads every pipe to its end.
                    qemu.kill()

    def take(self, name, data, start):
        if name == "out":
            write_all(1, data)
        elif name == "err":
            write_all(2, data)
        elif name == "console":
            self.console += data
        else:
            for word in data.decode(errors="replace").splitlines():
                if word == "up":
                    self.up = time.monotonic() - start
                elif word.startswith("exit "):
                    self.status = int(word.split()[1])

    def note(self, text, *values):
        if self.options.verbose:
            print("zoned-vm: " + text % values, file=sys.stderr)


def die_with_parent():
    # QEMU must end with this process, however this process ends.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


def comma(path):
    return path.replace(",", ",,")


def size_in_bytes(text):
    """A size as for zoned-dev: in MiB, or with suffix M or G."""
    unit = {"M": 1 << 20, "G": 1 << 30}.get(text[-1:], 0)
    number = text[:-1] if unit else text
    if not number.isdigit():
        raise Problem(f"not a size in MiB: {text}")
    return int(number) * (unit or 1 << 20)


def tail(complaint, console, lines=60):
    """The messages of QEMU, then the end of the kernel's log."""
    log = bytes(console).decode(errors="replace").replace("\r", "").strip().splitlines()[-lines:]
    return "".join("\n  " + line for line in complaint.splitlines() + log)
