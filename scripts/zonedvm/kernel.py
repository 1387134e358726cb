"""The guest's kernel: a Debian kernel package, downloaded and unpacked into the cache, never installed.

The first run pins the exact package and version; later runs use it without network until --update-kernel.
"""
import lzma
import os
import re
import shutil
import subprocess
import tarfile
import tempfile

from .common import Problem, apt_line

# The modules to keep, out of 400 MB: those that a test of block devices may name with --module.
KEEP = re.compile(r"kernel/(arch|block|crypto|lib|net/9p|fs|"
                  r"drivers/(ata|block|char|md|nvme|scsi|virtio|nvdimm|dax))/|modules\.builtin$")

# Modules that another module requests by name when it starts. busybox's modprobe has no alias lookup, so these are
# treated as plain dependencies.
HIDDEN_DEPENDENCIES = {"crc64-rocksoft": ["crc64_rocksoft_generic"], "crc-t10dif": ["crct10dif_generic"],
                       "ext4": ["crc32c_generic"], "jbd2": ["crc32c_generic"], "btrfs": ["crc32c_generic"],
                       "f2fs": ["crc32_generic"]}


class Kernel:
    """An unpacked kernel: image, release and modules by name."""

    def __init__(self, folder, package):
        self.folder, self.package = folder, package
        plain_image = os.path.join(folder, "vmlinux")
        self.image = plain_image if os.path.exists(plain_image) else os.path.join(folder, "vmlinuz")
        modules = os.path.join(folder, "modules")
        self.release = os.listdir(modules)[0]
        self.root = os.path.join(modules, self.release)
        self.files = {}
        for top, _, names in os.walk(self.root):
            for n in names:
                m = re.fullmatch(r"(.*)\.ko(\.xz)?", n)
                if m:
                    self.files[plain(m[1])] = os.path.join(top, n)
        with open(os.path.join(self.root, "modules.builtin"), encoding="ascii") as f:
            self.builtin = {plain(os.path.basename(line.strip())[:-3]) for line in f}

    def content(self, name):
        with open(self.files[name], "rb") as f:
            data = f.read()
        return lzma.decompress(data) if self.files[name].endswith(".xz") else data

    def with_dependencies(self, names):
        """{module: [its dependencies]} for the names and all their dependencies; empty for built-in modules."""
        found, todo = {}, [plain(n) for n in names]
        while todo:
            name = todo.pop()
            if name in found or name in self.builtin:
                continue
            if name not in self.files:
                raise Problem(f"{self.package} has no module {name}")
            found[name] = [d for d in depends(name, self.content(name)) if d not in self.builtin]
            todo += found[name]
        return found


def plain(name):
    return name.replace("-", "_")


def depends(name, data):
    """Reads the dependencies from the module, as depmod does, so that the host needs no kmod."""
    m = re.search(rb"\0depends=([^\0]*)\0", data)
    listed = m[1].decode().split(",") if m and m[1] else []
    hidden = [d for k, extra in HIDDEN_DEPENDENCIES.items() if plain(k) == name for d in extra]
    return [plain(d) for d in listed + hidden]


def kernel(cache, package, update, install, apt=None):
    """The pinned kernel. Downloads it if it is missing or an update is requested. `apt`: of another release."""
    pin = os.path.join(cache, "kernel-" + package + ("-" + apt.suite if apt else ""))
    options = apt.options if apt else []
    if update or not os.path.exists(pin):
        if apt:
            apt.update()
        elif install:                                     # the package lists of a new machine may be empty or old
            subprocess.run(["apt-get", "-q", "update"], stdout=subprocess.DEVNULL, check=False)
        real, version = newest(package, options)
        folder = os.path.join(cache, f"{real}_{version.replace(':', '%3a')}")
        if not os.path.isdir(folder):
            download(real, version, folder, options)
        write_pin(pin, f"{real} {version} {os.path.basename(folder)}\n")
    with open(pin, encoding="utf-8") as f:
        real, version, folder = f.read().split()
    folder = os.path.join(cache, folder)
    if not os.path.isdir(folder):                      # files were removed from the cache by hand
        download(real, version, folder, options)
    return Kernel(folder, f"{real} {version}")


def write_pin(pin, text):
    with open(pin + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(pin + ".new", pin)


def apt_cache(options, *words):
    try:
        r = subprocess.run(["apt-cache", *options, *words], capture_output=True, text=True)
    except FileNotFoundError:
        raise Problem("the kernel comes from a Debian package: apt-get and apt-cache are needed") from None
    return r.stdout


def newest(package, options):
    """The newest kernel package, on which the empty package linux-image-amd64 depends."""
    real = package
    m = re.search(r"^\s*Depends: (linux-image-\S+)", apt_cache(options, "depends", package), re.M)
    if m:
        real = m[1]
    m = re.search(r"^Version: (\S+)", apt_cache(options, "show", "--no-all-versions", real), re.M)
    if not m:
        raise Problem(f"apt knows no package {package}; its lists may be empty: run\n  "
                      + apt_line([]).split(" && ", maxsplit=1)[0])
    return real, m[1]


def download(real, version, folder, options):
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as t:
        # apt drops root's rights for downloads, so it needs permission to write here
        os.chmod(t, 0o777)
        r = subprocess.run(["apt-get", "-q", *options, "download", f"{real}={version}"], cwd=t, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True)
        debs = [f for f in os.listdir(t) if f.endswith(".deb")]
        if r.returncode or not debs:
            raise Problem(f"cannot download {real}={version}; try 'apt-get update' and --update-kernel:\n"
                          + r.stderr.strip())
        unpack(os.path.join(t, debs[0]), os.path.join(t, "kernel"))
        try:
            os.rename(os.path.join(t, "kernel"), folder)
        except OSError:
            if not os.path.isdir(folder):               # otherwise another run was faster
                raise


def unpack(deb, folder):
    with subprocess.Popen(["dpkg", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as p, \
            tarfile.open(fileobj=p.stdout, mode="r|") as tar:
        for member in tar:
            dest = kept_as(member)
            if dest:
                path = os.path.join(folder, dest)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as out:
                    shutil.copyfileobj(tar.extractfile(member), out)
    if not os.path.exists(os.path.join(folder, "vmlinuz")):
        raise Problem(f"{os.path.basename(deb)} holds no kernel image")
    decompress(os.path.join(folder, "vmlinuz"), os.path.join(folder, "vmlinux"))


def decompress(packed, plain_image):
    """Unpacks the ELF kernel, which QEMU starts by its PVH entry. Without KVM, unpacking in the guest takes 3 of 5 seconds."""
    with open(packed, "rb") as f:
        data = f.read()
    start = data.find(b"\xfd7zXZ\0")
    try:
        elf = lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data[start:]) if start >= 0 else b""
    except lzma.LZMAError:
        elf = b""
    if elf.startswith(b"\x7fELF") and b"Xen\0" in elf:   # the note with the PVH entry; without it, use vmlinuz
        with open(plain_image, "wb") as f:
            f.write(elf)


def kept_as(member):
    if not member.isfile():
        return None
    if re.search(r"/boot/vmlinuz-[^/]*$", member.name):
        return "vmlinuz"
    m = re.search(r"lib/modules/([^/]+/.*)", member.name)
    return "modules/" + m[1] if m and KEEP.search(m[1]) else None
