"""pytest plugin: golden tests, each made of two files.

NAME is an executable script, NAME.out is what it prints (stdout and stderr in one
stream).  Tests need no registration: every executable file with a `.out` file beside it is a test.  docs/testing.md and docs/golden-tests.md describe how to run and write them.
"""

import difflib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

# Shells start background commands with SIGINT ignored, and children inherit that. A handler is not inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
# So does nohup with SIGHUP. This process then still survives SIGHUP.
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

HERE = Path(__file__).resolve().parent
DEFAULT_PROGRAM = HERE.parents[1] / "build" / "zoneio"
DEFAULT_TIMEOUT = 180

# Variables that a test inherits: paths of tools, and settings of instrumented builds. Anything else could change its
# output.
PASSED_ON = re.compile(r"PATH|LD_LIBRARY_PATH|LLVM_PROFILE_FILE|[A-Z]+SAN_OPTIONS|IOTESTS_\w+")


# --- options -------------------------------------------------------------------------

def pytest_addoption(parser):
    group = parser.getgroup("iotests", "golden tests")
    group.addoption("--zoneio", metavar="PATH",
                    help="program under test (default: $ZONEIO, else build/zoneio)")
    group.addoption("--update-golden", action="store_true",
                    help="write what the tests print to their .out files")
    group.addoption("--keep-dirs", action="store_true",
                    help="keep the directories in which the tests ran")


def pytest_configure(config):
    if config.option.help or config.option.collectonly:
        return
    program = program_under_test(config)
    if not os.access(program, os.X_OK) or program.is_dir():
        raise pytest.UsageError(f"no program to test at {program}: build it or give --zoneio PATH")


def pytest_report_header(config):
    return f"zoneio: {program_under_test(config)}"


def program_under_test(config):
    chosen = config.getoption("zoneio") or os.environ.get("ZONEIO") or DEFAULT_PROGRAM
    return config.invocation_params.dir / chosen


# --- collection ----------------------------------------------------------------------

def pytest_collect_file(file_path, parent):
    if is_golden_test(file_path, creating=parent.config.option.update_golden):
        return GoldenFile.from_parent(parent, path=file_path, nodeid=node_id(file_path, parent.config.rootpath))
    return None


def node_id(path, root):
    """The name of a test in reports: its path, absolute if it is not below pytest's root. In that case pytest's own names
    start at the given folder, so tests of two suites could have one name."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def is_golden_test(path, creating):
    """True for a script with a golden file; while updating, also for a script without one."""
    if not os.access(path, os.X_OK) or path.suffix in (".out", ".bad"):
        return False
    return golden_path(path).exists() or (creating and "." not in path.name)


def golden_path(script):
    return script.with_name(script.name + ".out")


def bad_path(script):
    return script.with_name(script.name + ".out.bad")


class GoldenFile(pytest.File):
    def __init__(self, *, nodeid, **others):
        super().__init__(name=nodeid, nodeid=nodeid, **others)   # -k matches this name

    def collect(self):
        yield GoldenTest.from_parent(self, name="golden")


class GoldenTest(pytest.Item):
    def runtest(self):
        config = self.config
        result = run_script(self.path, program_under_test(config),
                            keep=config.option.keep_dirs)
        if result.directory:
            self.add_report_section("call", "directory", str(result.directory))
        if result.not_run:
            # Reports the script as the place; pytest.skip() would report this line.
            raise pytest.skip.Exception(result.not_run, _use_item_location=True)
        if config.option.update_golden and not result.trouble:
            golden_path(self.path).write_bytes(result.output)
        self.judge(result)

    def judge(self, result):
        golden = golden_path(self.path)
        expected = golden.read_bytes() if golden.exists() else b""
        bad = bad_path(self.path)
        if result.output == expected and not result.trouble:
            bad.unlink(missing_ok=True)
            return
        bad.write_bytes(result.output)
        reasons = [result.trouble] if result.trouble else []
        reasons.append(unified_diff(expected, result.output, *map(self.shown, (golden, bad))))
        raise GoldenMismatch("\n".join(reasons))

    def repr_failure(self, excinfo):
        if isinstance(excinfo.value, GoldenMismatch):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, 0, self.shown(self.path)

    def shown(self, path):
        """The path relative to the folder in which pytest was started, if that is shorter."""
        return min(str(path), os.path.relpath(path, self.config.invocation_params.dir), key=len)


class GoldenMismatch(Exception):
    """The output differs from the golden file; the text is the difference."""


def unified_diff(expected, actual, expected_name, actual_name):
    def lines(data):
        # Not splitlines(), because a carriage return is part of a line here.
        found = re.findall(r"[^\n]*\n|[^\n]+", data.decode("utf-8", "backslashreplace"))
        return [line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in found]
    return "".join(difflib.unified_diff(lines(expected), lines(actual), expected_name, actual_name))


# --- running -------------------------------------------------------------------------

@dataclass
class Result:
    output: bytes
    not_run: str = ""             # why the test cannot run here
    trouble: str = ""             # why the test fails, whatever its output
    directory: Path | None = None  # folder of the run, if it was kept


def run_script(script, program, keep=False):
    # The real path, because the program may print it and the filters replace it.
    directory = Path(tempfile.mkdtemp(prefix="iotests-")).resolve()
    try:
        with tempfile.TemporaryDirectory(prefix="iotests-log-") as log_directory:
            return run_in(directory, Path(log_directory), script, program, keep)
    finally:
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)


def run_in(directory, log_directory, script, program, keep):
    # A file, not a pipe: a process left behind could hold a pipe open for ever.
    log = log_directory / "output"
    not_run = log_directory / "notrun"
    with open(log, "wb") as stream:
        process = subprocess.Popen([str(script)], cwd=directory, env=environment(directory, program, not_run),
                                   stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                                   start_new_session=True)
        trouble = wait(process, timeout_of(script))
    return Result(output=log.read_bytes(), trouble=trouble,
                  not_run=not_run.read_text().strip() if not_run.exists() else "",
                  directory=directory if keep else None)


def environment(directory, program, not_run):
    env = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    env["PATH"] = env.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
    env.update(LC_ALL="C", TERM="dumb", TZ="UTC",
               HOME=str(directory), TMPDIR=str(directory), XDG_STATE_HOME=str(directory),
               TEST_DIR=str(directory), ZONEIO=str(program),
               IOTESTS_COMMON=str(HERE / "lib" / "common.rc"), IOTESTS_NOTRUN=str(not_run))
    return env


def timeout_of(script):
    declared = re.search(rb"^# timeout: (\d+)$", script.read_bytes(), re.MULTILINE)
    return int(declared[1]) if declared else DEFAULT_TIMEOUT


def wait(process, timeout):
    """Waits for the script, then ends the processes that it left. Returns an error text, or None."""
    trouble = ""
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        trouble = f"no end after {timeout} seconds"
        # SIGTERM first, so that the script can detach its loop devices.
        signal_group(process, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            pass
    signal_group(process, signal.SIGKILL)
    process.wait()
    if process.returncode < 0 and not trouble:
        trouble = f"the script was killed by signal {-process.returncode}"
    return trouble


def signal_group(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
