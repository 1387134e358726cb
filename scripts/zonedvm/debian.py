"""Programs and kernels of a newer Debian than this machine's. Packages and their dependencies are downloaded and unpacked
into the cache. Nothing is installed on this machine, and root is not required.

The first run pins the versions; later runs need no network until an update is asked for.
"""
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

from .common import Problem

MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITE = "trixie"
BACKPORTS = SUITE + "-backports"                        # QEMU has had the device that passes zones on since 10.2
PACKAGES = ["btrfs-progs", "f2fs-tools", "qemu-block-extra", "qemu-system-x86", "qemu-utils", "zonefs-tools"]
# The last one belongs to librados, which fio loads.
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/ceph")


class Apt:
    """A separate apt: with the lists of another release, and without installed packages."""

    suite = SUITE

    def __init__(self, cache, name="apt-" + SUITE, sources=None):
        self.folder = os.path.join(cache, name)
        for name in ("state/lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        self.write("status", "")
        sources = sources or [f"deb [signed-by={KEYRING}] {MIRROR} {suite} main" for suite in (SUITE, BACKPORTS)]
        self.write("sources.list", "".join(line + "\n" for line in sources))
        self.options = [word for key, value in {
            "Dir::Etc::SourceList": self.path("sources.list"), "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null", "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": self.path("state"), "Dir::State::status": self.path("status"),
            "Dir::Cache": self.path("cache"), "APT::Sandbox::User": "", "APT::Install-Recommends": "false",
        }.items() for word in ("-o", f"{key}={value}")]

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def has_lists(self):
        return bool(glob.glob(self.path("state/lists/*_Packages*")))

    def get(self, *words, cwd=None):
        r = subprocess.run(["apt-get", "-q", *self.options, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, cwd=cwd)
        if r.returncode:
            raise Problem(f"apt-get {' '.join(words)} has failed:\n" + r.stderr.strip())
        return r.stdout

    def update(self):
        self.get("update", "-o", "APT::Update::Error-Mode=any")


class SourceApt(Apt):
    """For source packages. `suite`: the release that has them."""

    def __init__(self, cache, suite):
        super().__init__(cache, "apt-sources-" + suite, [f"deb-src [signed-by={KEYRING}] {MIRROR} {suite} main"])

    def source(self, package):
        """The path of upstream's archive in a source package."""
        name = os.path.join("sources", package)
        os.makedirs(self.path(name), exist_ok=True)
        if not glob.glob(self.path(name + "/*.orig.tar.*")):
            self.update()
            self.get("source", "--download-only", "--tar-only", package, cwd=self.path(name))
        return glob.glob(self.path(name + "/*.orig.tar.*"))[0]


class Root:
    """The unpacked packages: programs that run with their own libraries."""

    def __init__(self, folder):
        self.folder = folder
        self.library_path = ":".join(os.path.join(folder, name) for name in LIBRARIES)

    def path(self, name):
        return os.path.join(self.folder, name)

    @property
    def loader(self):
        return os.path.realpath(self.path("usr/lib64/ld-linux-x86-64.so.2"))

    def command(self, program):
        """The command that runs one of its programs on this machine."""
        return [self.loader, "--library-path", self.library_path, self.path(program)]

    def qemu_system(self):
        """The command and the environment of QEMU."""
        firmware = [word for name in ("qemu", "seabios") for word in ("-L", self.path("usr/share/" + name))]
        return [*self.command("usr/bin/qemu-system-x86_64"), *firmware], self.environment()

    def environment(self):
        """The environment of QEMU's programs: the folders of their modules."""
        return dict(os.environ, QEMU_MODULE_DIR=self.path("usr/lib/x86_64-linux-gnu/qemu"))

    def find(self, name):
        """The path of one of its programs, relative to its root."""
        return next(f"usr/{folder}/{name}" for folder in ("sbin", "bin") if os.path.exists(self.path(f"usr/{folder}/{name}")))

    def libraries(self, program):
        """{name: path} of the libraries that a program loads."""
        listed = subprocess.run([self.loader, "--library-path", self.library_path, "--list", self.path(program)],
                                capture_output=True, text=True, check=True).stdout
        return dict(re.findall(r"^\s*(\S+) => (/\S+)", listed, re.M))


def root(cache, update, name="root", packages=tuple(PACKAGES)):
    """The packages and what they depend on. Downloads them if they are missing or an update is requested. `name`: of this
    set of packages."""
    apt = Apt(cache)
    with open(apt.path("lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)                # if there are several runs, one of them downloads
        pin = os.path.join(cache, f"{name}-{SUITE}")
        folder = pinned(pin)
        if update or folder is None or not os.path.isdir(os.path.join(cache, folder)):
            folder = make(apt, cache, name, packages)
            with open(pin + ".new", "w", encoding="utf-8") as f:
                f.write(folder + "\n")
            os.replace(pin + ".new", pin)
    return Root(os.path.join(cache, folder))


def pinned(pin):
    if not os.path.exists(pin):
        return None
    with open(pin, encoding="utf-8") as f:
        return f.read().strip()


def make(apt, cache, name, packages):
    """Downloads and unpacks the packages. The name of the folder depends on the versions."""
    apt.update()
    archives = apt.path("cache/archives")
    shutil.rmtree(archives)
    os.makedirs(os.path.join(archives, "partial"))
    apt.get("install", "--yes", "--download-only", "-t", BACKPORTS, *packages)
    debs = sorted(glob.glob(os.path.join(archives, "*.deb")))
    if not debs:
        raise Problem(f"apt has downloaded nothing for {SUITE}")
    name = f"{name}-{SUITE}-" + hashlib.sha256("\0".join(map(os.path.basename, debs)).encode()).hexdigest()[:16]
    folder = os.path.join(cache, name)
    if not os.path.isdir(folder):
        with tempfile.TemporaryDirectory(dir=cache) as t:
            unpack(debs, t)
            os.rename(os.path.join(t, "root"), folder)
    shutil.rmtree(archives)
    return name


def unpack(debs, scratch):
    """Unpacks each package into one tree, in which /bin, /sbin, /lib and /lib64 are links into /usr."""
    tree = os.path.join(scratch, "root")
    for name in ("bin", "sbin", "lib", "lib64"):
        os.makedirs(os.path.join(tree, "usr", name), exist_ok=True)
        os.symlink("usr/" + name, os.path.join(tree, name))
    for deb in debs:
        # tar keeps existing links to folders.
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as p:
            subprocess.run(["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", tree], stdin=p.stdout, check=True)
        if p.returncode:
            raise Problem(f"{os.path.basename(deb)} cannot be unpacked")
