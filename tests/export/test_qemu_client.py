"""Requests of QEMU's own client, see qemu_client.py."""
import os

import pytest
import qemu_client
from zonedvm.common import Problem


@pytest.fixture(scope="session")
def qemu():
    try:
        return qemu_client.Qemu()
    except Problem as e:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"QEMU 11.1 cannot be had: {e}")


@pytest.mark.parametrize("queues", [1, 2, 4])
@pytest.mark.parametrize("cache,aio", qemu_client.modes())
def test_requests_of_qemu_give_what_a_model_gives(qemu, tmp_path, cache, aio, queues):
    assert qemu_client.run(qemu, "zoneio", str(tmp_path), cache, aio, queues, "test", 300, 4 << 20) == ""


def test_the_export_of_qemu_passes_too(qemu, tmp_path):
    """Tests the script itself: it must not depend on anything that only zoneio has."""
    assert qemu_client.run(qemu, "qemu", str(tmp_path), "writeback", "threads", 2, "test", 1000, 4 << 20) == ""
