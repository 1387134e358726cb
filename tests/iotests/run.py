#!/usr/bin/python3
"""Run golden tests in any folder: run.py [pytest's options] [--zoneio PATH] [FOLDER or TEST ...]"""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    sys.exit(pytest.main(["-c", str(HERE / "pytest.ini"), "-p", "iotests_runner", *sys.argv[1:]]))
