"""Finds the qemu-io with which zoneio is compared."""

import os
import pathlib
import subprocess

VERSION = "11.1"
SETUP = pathlib.Path(__file__).resolve().parents[2] / "shared/tools/reference-qemu-io"


def default_reference_root():
    """$ZONEIO_REFERENCE; otherwise the root folder that the tool of the recorded cases sets up; None if that tool is not
    installed."""
    if "ZONEIO_REFERENCE" in os.environ:
        return os.environ["ZONEIO_REFERENCE"]
    if not os.access(SETUP, os.X_OK) or os.geteuid() != 0:
        return None
    # It prints the folder on stdout, and messages on stderr.
    setup = subprocess.run([SETUP, "--setup"], stdout=subprocess.PIPE, text=True, check=False,
                           env=os.environ | {"ZONEIO_REFERENCE_VERSION": VERSION})
    return setup.stdout.strip() or None
