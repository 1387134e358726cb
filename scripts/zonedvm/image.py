"""The files of the guest, as cpio archives that the kernel unpacks into its first root file system.

Three layers: base (busybox, bash, blkzone, modules, guest scripts), tools (Python, pytest, the GNU tools) and
the payload (the program and what the caller adds). The first two are cached under a hash of their inputs.
"""
import contextlib
import hashlib
import os
import stat
import subprocess
import time

from .common import Problem, find_program

GUEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guest")
MODULES = ["virtio_pci", "virtio_console", "9p", "9pnet_virtio", "configfs", "null_blk",
           "scsi_debug", "sd_mod", "nvme", "loop"]
OPTIONAL_MODULES = ["crc64_rocksoft_generic", "crct10dif_generic"]
TOOL_PACKAGES = ["coreutils", "sed", "grep", "diffutils", "findutils", "gawk", "mawk"]
PYTEST = ["pytest", "_pytest", "pluggy", "iniconfig", "packaging", "attr", "attrs", "more_itertools",
          "py", "py.py", "xdist", "execnet", "tomli", "exceptiongroup"]
NEWER_PROGRAMS = ["mkfs.btrfs", "btrfs", "mkfs.f2fs", "fsck.f2fs", "mkzonefs"]
STDLIB_LEFT_OUT = ("config-", "test", "idlelib", "tkinter", "ensurepip", "lib2to3", "turtledemo", "pydoc_data",
                   "distutils")


class Tree:
    """Files to write: guest path -> (mode, bytes, link target or path of a host file)."""

    def __init__(self):
        self.entries = {}

    def put(self, dest, mode, content):
        dest = guest_path(dest)
        parent = os.path.dirname(dest)
        if parent != "/" and parent not in self.entries:
            self.put(parent, stat.S_IFDIR | 0o755, b"")
        self.entries[dest] = (mode, content)

    def text(self, dest, content, mode=0o644):
        self.put(dest, stat.S_IFREG | mode, content.encode())

    def link(self, dest, target):
        self.put(dest, stat.S_IFLNK | 0o777, target.encode())

    def directory(self, dest):
        self.put(dest, stat.S_IFDIR | 0o755, b"")

    def file(self, dest, host):
        """Adds a host file. Follows symbolic links. Of the mode, keeps only whether it is executable."""
        self.put(dest, stat.S_IFREG | (0o755 if os.access(host, os.X_OK) else 0o644), os.path.realpath(host))

    def add(self, dest, host, leave_out=lambda name: False):
        """Adds a host file or a whole directory. Links in a directory stay links."""
        if not os.path.isdir(host):
            self.file(dest, host)
            return
        self.directory(dest)
        for name in sorted(os.listdir(host)):
            path, to = os.path.join(host, name), os.path.join(dest, name)
            if leave_out(name):
                continue
            if os.path.islink(path):
                self.link(to, os.readlink(path))
            elif os.path.isdir(path):
                self.add(to, path, lambda n: n == ".git")
            elif os.path.isfile(path):                  # no sockets, no devices
                self.file(to, path)

    def programs(self, pairs):
        """Host programs and the shared libraries they load, the libraries at their host paths."""
        for dest, host in pairs:
            self.file(dest, host)
        for lib in libraries([host for _, host in pairs]):
            self.file(lib, lib)

    def key(self):
        """A key that changes if an input changes."""
        h = hashlib.sha256()
        for dest, (mode, content) in sorted(self.entries.items()):
            h.update(f"{dest}\0{mode}\0".encode())
            if isinstance(content, str):
                st = os.stat(content)
                content = f"{content}\0{st.st_size}\0{st.st_mtime_ns}".encode()
            h.update(content + b"\0")
        return h.hexdigest()[:16]

    def write(self, out):
        """Writes a cpio archive in the format newc. The kernel requires parents before their children; add() has put them
        so."""
        for number, (dest, (mode, content)) in enumerate(self.entries.items(), 1):
            if isinstance(content, str):
                with open(content, "rb") as f:
                    content = f.read()
            cpio_entry(out, number, dest[1:], mode, content)
        cpio_entry(out, 0, "TRAILER!!!", 0, b"")


def cpio_entry(out, number, name, mode, content, device=(0, 0)):
    name = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name
    out.write(head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4))


def guest_path(path):
    """The path in the guest, where /bin, /sbin, /lib and /lib64 are links into /usr as in Debian."""
    path = os.path.normpath("/" + path.lstrip("/"))
    top = path.split("/")[1]
    return "/usr" + path if top in ("bin", "sbin", "lib", "lib64") else path


def libraries(programs):
    """The libraries that ldd finds; none for a script or a static program."""
    out = subprocess.run(["ldd", *programs], capture_output=True, text=True).stdout
    found = set()
    for line in out.splitlines():
        words = line.split()
        if "not found" in line:
            raise Problem("a library is missing on this machine: " + line.strip())
        paths = [w for w in words if w.startswith("/") and not w.endswith(":")]
        if line.startswith(("\t", " ")) and paths:
            found.add(paths[-1])
    return sorted(found)


def base_tree(kernel, modules):
    t = Tree()
    for d in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64"):
        t.directory(d)
    for d in ("bin", "sbin", "lib", "lib64"):           # not through put(), which would resolve them
        t.entries["/" + d] = (stat.S_IFLNK | 0o777, ("usr/" + d).encode())
    for d in ("proc", "sys", "dev", "tmp", "run", "root", "share", "test", "etc/zoned-vm", "var"):
        t.directory(d)
    t.link("var/tmp", "../tmp")
    busybox = find_program("busybox")
    t.file("bin/busybox", busybox)
    for applet in subprocess.run([busybox, "--list-full"], capture_output=True, text=True).stdout.split():
        if os.path.basename(applet) != "busybox":
            t.link(applet, "/bin/busybox")
    # GNU's dd is the one that can write with O_DIRECT
    t.programs([("usr/bin/bash", find_program("bash")), ("usr/bin/dd", find_program("dd")),
                ("usr/sbin/blkzone", find_program("blkzone"))])
    t.text("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    t.text("etc/group", "root:x:0:\ndisk:x:6:\nnogroup:x:65534:\n")
    t.file("init", os.path.join(GUEST, "init"))
    t.file("usr/bin/zoned-dev", os.path.join(GUEST, "zoned-dev"))
    t.file("usr/bin/zoned-self-test", os.path.join(GUEST, "zoned-self-test"))
    add_modules(t, kernel, modules)
    return t


def add_modules(tree, kernel, extra):
    optional = [m for m in OPTIONAL_MODULES if m in kernel.files]
    needs = kernel.with_dependencies(MODULES + optional + list(extra))
    where = f"lib/modules/{kernel.release}"
    lines = []
    for name in sorted(needs):
        tree.put(f"{where}/{name}.ko", stat.S_IFREG | 0o644, kernel.content(name))
        lines.append(f"{name}.ko: " + " ".join(d + ".ko" for d in load_order(name, needs)))
    tree.text(f"{where}/modules.dep", "\n".join(lines) + "\n")
    tree.file(f"{where}/modules.builtin", os.path.join(kernel.root, "modules.builtin"))


def load_order(name, needs):
    """The dependencies of a module, each before its own dependencies, because modprobe loads from the end."""
    out = []
    for d in needs[name]:
        for x in [d] + load_order(d, needs):
            if x in out:
                out.remove(x)                           # keep the last: it must be loaded earliest
            out.append(x)
    return out


def tools_tree():
    t = Tree()
    python = os.path.realpath("/usr/bin/python3")
    stdlib = os.path.join("/usr/lib", os.path.basename(python))
    t.add(stdlib, stdlib, lambda n: n.startswith(STDLIB_LEFT_OUT) or n == "EXTERNALLY-MANAGED")
    extensions = os.path.join(stdlib, "lib-dynload")
    sources = [python] + [os.path.join(extensions, n) for n in sorted(os.listdir(extensions))]
    listed = subprocess.run(["dpkg", "-L", *TOOL_PACKAGES], capture_output=True, text=True).stdout.split()
    tools = [p for p in listed if os.path.dirname(p) in ("/bin", "/usr/bin") and os.path.isfile(p)]
    for name in ("awk", "env"):
        tools += [p for p in [find_program(name)] if p and p not in tools]
    t.programs([(p, p) for p in sources + tools])
    t.link("usr/bin/python3", os.path.basename(python))
    packages = "/usr/lib/python3/dist-packages"
    for name in sorted(os.listdir(packages)):
        project = name.split("-")[0].replace("pytest_xdist", "xdist")
        if name in PYTEST or (project in PYTEST and name.endswith("-info")):
            t.add(os.path.join(packages, name), os.path.join(packages, name))
    return t


def newer_tree(root):
    """Programs of a newer Debian, which need their own libraries. A script starts each of them."""
    t = Tree()
    for name in NEWER_PROGRAMS:
        program = root.find(name)
        t.file(f"newer/bin/{name}", root.path(program))
        for library, path in root.libraries(program).items():
            t.file(f"newer/lib/{os.path.basename(library)}", path)
        t.text(f"usr/local/bin/{name}", '#!/bin/sh\nexec /newer/lib/ld-linux-x86-64.so.2 --library-path /newer/lib '
                                        f'/newer/bin/{name} "$@"\n', 0o755)
    t.file("newer/lib/ld-linux-x86-64.so.2", root.loader)
    return t


def cached(cache, kind, tree):
    """The path of the archive. Builds it unless an earlier run had exactly these inputs."""
    path = os.path.join(cache, f"{kind}-{tree.key()}.cpio")
    if not os.path.exists(path):
        part = f"{path}.{os.getpid()}"
        with open(part, "wb") as f:
            tree.write(f)
        os.replace(part, path)
        forget_old(cache, kind)
    os.utime(path)
    return path


def forget_old(cache, kind, days=14):
    """Removes archives of a kind that no run has used for this time. Other runs may use the folder meanwhile: they may
    rename a file that they have written, or remove an archive first."""
    for name in os.listdir(cache):
        path = os.path.join(cache, name)
        with contextlib.suppress(FileNotFoundError):
            if name.startswith(kind + "-") and os.path.getmtime(path) < time.time() - days * 86400:
                os.unlink(path)
