"""The cache of the guest's archives. Several runs use it at a time."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts"))
from zonedvm import image  # noqa: E402


def old_archive(folder, name):
    path = folder / name
    path.write_bytes(b"")
    os.utime(path, (0, 0))
    return path


def test_removes_archives_that_no_run_used_for_long(tmp_path):
    old = old_archive(tmp_path, "base-old.cpio")
    other = old_archive(tmp_path, "tools-old.cpio")
    fresh = tmp_path / "base-new.cpio"
    fresh.write_bytes(b"")
    image.forget_old(tmp_path, "base")
    assert not old.exists()
    assert fresh.exists() and other.exists()


def test_tolerates_files_removed_by_another_run(tmp_path, monkeypatch):
    old = old_archive(tmp_path, "base-old.cpio")
    monkeypatch.setattr(os, "listdir", lambda path: ["base-key.cpio.4711", old.name])
    image.forget_old(tmp_path, "base")
    assert not old.exists()
