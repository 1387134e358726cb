"""Tests in this folder are golden tests; the plugin that runs them serves other folders too."""


def pytest_addoption(pluginmanager):
    # Not `pytest_plugins`: pytest takes that from a top conftest.py only, and with a suite
    # in another folder (run.py) this one is not.
    if not pluginmanager.has_plugin("iotests_runner"):
        pluginmanager.import_plugin("iotests_runner")
