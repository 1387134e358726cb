"""Parts that all modules share: the error type, the cache folder, and the message about missing packages."""
import os
import shutil
import subprocess


class Problem(Exception):
    """An error that the user can fix; shown without a traceback."""


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(base, "zoneio", "vm")
    os.makedirs(path, exist_ok=True)
    return path


def apt_line(packages):
    sudo = "" if os.geteuid() == 0 else "sudo "
    return (f"{sudo}apt-get update && "
            f"{sudo}apt-get install -y --no-install-recommends {' '.join(sorted(packages))}")


def need(wanted, install):
    """wanted: {package: a program or file in it}. Installs missing packages, or prints the command that does."""
    def absent():
        return [p for p, what in wanted.items()
                if not (os.path.exists(what) if what.startswith("/") else find_program(what))]
    missing = absent()
    if missing and install:
        if os.geteuid() != 0:
            raise Problem("--install needs root; run:\n  " + apt_line(missing))
        subprocess.run(["sh", "-c", apt_line(missing)], check=True, stdout=2,
                       env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
        missing = absent()
    if missing:
        raise Problem("missing packages; run this, or again with --install as root:\n  " + apt_line(missing))


def find_program(name):
    # blkzone is in sbin, which is not in every user's PATH
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
