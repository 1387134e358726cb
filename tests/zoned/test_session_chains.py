# SPDX-License-Identifier: GPL-3.0-or-later
"""Chains of sessions on a real ext4: flushed data survives sessions, boots and lost media."""
import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


def test_session_chains():
    if os.getuid() != 0:
        pytest.skip("needs root")
    if subprocess.run(["losetup", "-f"], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs a free loop device")
    chains = os.environ.get("ZONEIO_CHAINS", "20")
    seed = os.environ.get("ZONEIO_SEED", "1")
    done = subprocess.run([os.path.join(HERE, "session-chains"), "--chains", chains, "--seed", seed],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
