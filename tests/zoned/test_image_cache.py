"""The cache of the guest's archives, which several runs use at the same time."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts"))
from zonedvm import image  # noqa: E402


def old_archive(folder, name):
    path = folder / name
    path.write_bytes(b"")
    os.utime(path, (0, 0))
    return path


def test_forgets_what_no_run_used_for_long(tmp_path):
    old = old_archive(tmp_path, "base-old.cpio")
    other = old_archive(tmp_path, "tools-old.cpio")
    fresh = tmp_path / "base-new.cpio"
    fresh.write_bytes(b"")
    image.forget_old(tmp_path, "base")
    assert not old.exists()
    assert fresh.exists() and other.exists()


def test_bears_with_what_another_run_took_away(tmp_path, monkeypatch):
    old = old_archive(tmp_path, "base-old.cpio")
    monkeypatch.setattr(os, "listdir", lambda path: ["base-key.cpio.4711", old.name])
    image.forget_old(tmp_path, "base")
    assert not old.exists()
