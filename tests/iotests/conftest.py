"""Tests in this folder are golden tests; the plugin that runs them serves other folders too."""


def pytest_addoption(pluginmanager):
    # Not `pytest_plugins`: pytest accepts that only in the top conftest.py. With a suite in another folder (run.py), this
    # is not the top one.
    if not pluginmanager.has_plugin("iotests_runner"):
        pluginmanager.import_plugin("iotests_runner")
