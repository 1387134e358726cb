"""Where the qemu-io is that zoneio is compared with."""

import os
import pathlib
import subprocess

VERSION = "11.1"
SETUP = pathlib.Path(__file__).resolve().parents[2] / "shared/tools/reference-qemu-io"


def default_reference_root():
    """$ZONEIO_REFERENCE; else the root folder that the recorded cases' tool sets up, where that is at hand; else None."""
    if "ZONEIO_REFERENCE" in os.environ:
        return os.environ["ZONEIO_REFERENCE"]
    if not os.access(SETUP, os.X_OK) or os.geteuid() != 0:
        return None
    # Its messages go to stderr; what it prints is the folder.
    setup = subprocess.run([SETUP, "--setup"], stdout=subprocess.PIPE, text=True, check=False,
                           env=os.environ | {"ZONEIO_REFERENCE_VERSION": VERSION})
    return setup.stdout.strip() or None
