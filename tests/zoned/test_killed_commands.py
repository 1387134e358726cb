# SPDX-License-Identifier: GPL-3.0-or-later
"""State of the file after `create -F`, `check -r` and `reopen` were killed, or failed, at any of their syncs."""
import json
import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ZONEIO = os.environ.get("ZONEIO", os.path.join(ROOT, "build/zoneio"))
FAULTS = [f"{kind} {place}" for kind in ("eio", "before", "after") for place in range(1, 5)]
ZONE = 64 << 10
TABLE = 12288


@pytest.fixture(name="preload", scope="session")
def _preload(tmp_path_factory):
    library = tmp_path_factory.mktemp("fault") / "sync_fault.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, os.path.join(HERE, "sync_fault.c"), "-ldl"], check=True)
    return library


def run(*arguments, fault=None, preload=None):
    environment = dict(os.environ)
    if fault:
        environment.update(LD_PRELOAD=str(preload), SYNC_FAULT=fault)
    return subprocess.run([ZONEIO, *arguments], capture_output=True, text=True, env=environment, check=False)


def commands(image, *lines, options=()):
    arguments = [part for line in lines for part in ("-c", line)]
    return run(*options, "--image-opts", *arguments, f"driver=zoned,filename={image}")


def states(image):
    done = run("--output", "json", "--image-opts", "-r", "-c", "zrp 0 16", f"driver=zoned,filename={image}")
    record = json.loads(done.stdout.splitlines()[-1])
    return [(zone["state"], zone["write_pointer"] - zone["start"]) for zone in record["zones"]]


@pytest.fixture(name="device")
def _device(tmp_path):
    image = tmp_path / "a.img"
    assert run("-c", f"create -f zoned -o zone.size={ZONE} {image} 1M").returncode == 0
    assert commands(image, "write -q -P 1 0z 8k", "write -q -P 2 1z 64k", "flush").returncode == 0
    return image


@pytest.mark.parametrize("fault", FAULTS)
def test_create_over_a_device(device, preload, fault):
    run("-c", f"create -F -f zoned -o zone.size={ZONE} {device} 1M", fault=fault, preload=preload)
    # The file holds no device, or the complete new one, but never old data with a new table.
    assert run("-c", f"create -F -f zoned -o zone.size={ZONE} {device} 1M").returncode == 0
    assert states(device) == [("empty", 0)] * 16


@pytest.mark.parametrize("fault", FAULTS)
def test_repair(device, preload, fault):
    with open(device, "r+b") as file:
        file.seek(40)
        file.write(b"\xff" * 8)  # in the header
        file.seek(TABLE + 16)
        file.write(b"\xff" * 8)  # the word `current` of zone 1; its word `flushed` is good
    run("-c", f"check -r {device}", fault=fault, preload=preload)
    run("-c", f"check -r {device}")
    assert run("-c", f"check {device}").returncode == 0
    assert states(device)[:3] == [("implicit-open", 8 << 10), ("full", ZONE), ("empty", 0)]
    assert commands(device, "read -P 1 0z 8k", "read -P 2 1z 64k").returncode == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_reopen(device, preload, fault):
    run("-t", "writeback", "--image-opts", "-c", "zone_reset 1z 1z", "-c", "write -q -P 3 2z 4k", "-c", "reopen -r", "-c", "reopen -w",
        "-c", "write -q -P 3 2z+wp 4k", "-c", "flush", f"driver=zoned,filename={device}", fault=fault, preload=preload)
    assert run("-c", f"check {device}").returncode == 0
    found = states(device)
    # Each command was done or not. If one was not done and did not fail, no later one was done.
    assert found[0] == ("implicit-open", 8 << 10)
    assert found[1] in (("full", ZONE), ("empty", 0))
    assert found[2] in (("empty", 0), ("implicit-open", 4 << 10), ("implicit-open", 8 << 10), ("closed", 4 << 10))
    written = found[2][1]
    assert written == 0 or commands(device, f"read -P 3 2z {written}").returncode == 0
