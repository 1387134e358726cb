"""The worker process: runs cases with both programs, and minimises those that differ."""

import os
import re
from collections import Counter
from dataclasses import dataclass, field

from compare import describe, shape
from groups import generate, pick_group
from hazards import forbidden
from minimise import minimise
from normalise import accepted
from run import ChrootProgram, Program, prepare_process, run_case

# Outcomes of a case.  Only DIFFERS is a failure.
SAME, DIFFERS = "same", "differs"
ACCEPTED, UNSTABLE = "accepted", "unstable"
CRASHED, HUNG = "reference crashed", "reference hung"

RETRIES = 8         # of the reference, before a difference is one
RETRIES_IN_FLIGHT = 40      # where several asynchronous requests may be in flight, whose threads race


@dataclass
class Settings:
    reference: list[str] | None
    reference_root: str | None
    binary: str
    seed: int
    groups: list[str]
    top: str            # the folder of this run


@dataclass
class Finding:
    index: int
    group: str
    outcome: str
    shape: str = ""


@dataclass
class Report:
    """A difference, minimised and ready to be printed."""
    group: str
    setup: str
    command: str
    differences: list[str]


@dataclass
class Summary:
    counts: Counter = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)


class Worker:
    """State of a worker process: its directory and its two programs."""

    def __init__(self, settings):
        prepare_process()
        self.settings = settings
        work = os.path.join(settings.top, f"w{os.getpid()}")
        os.mkdir(work)
        self.directory = os.path.join(work, "case")
        self.binary = Program([settings.binary])
        if settings.reference_root:
            self.reference = ChrootProgram(settings.reference_root, work)
        else:
            self.reference = Program(settings.reference)

    def run_reference(self, case):
        return run_case(self.reference, case, self.directory)

    def run_binary(self, case):
        return run_case(self.binary, case, self.directory)

    def judge(self, case):
        """The outcome of a case, and both results if they matter."""
        ref = self.run_reference(case)
        if ref.rc == "timeout":
            return HUNG, ref, None
        if crashed(ref, case):
            return CRASHED, ref, None
        new = self.run_binary(case)
        if ref == new:
            return SAME, ref, new
        if accepted(ref, new):
            return ACCEPTED, ref, new
        # Repeat the runs and alternate the programs, because random results do not show in every run.
        if self.run_binary(case) == ref or any(self.run_reference(case) != ref for _ in range(retries(case))):
            return UNSTABLE, ref, new
        return DIFFERS, ref, new

    def check(self, index):
        group = pick_group(self.settings.seed, index, self.settings.groups)
        try:
            outcome, ref, new = self.judge(generate(self.settings.seed, index, group))
        except Exception as error:
            raise RuntimeError(f"--group {group} --only {self.settings.seed}:{index}: {error!r}") from error
        return Finding(index, group, outcome, shape(ref, new) if outcome == DIFFERS else "")

    def report(self, finding):
        case = minimise(generate(self.settings.seed, finding.index, finding.group),
                        lambda smaller: self.has_shape(smaller, finding.shape))
        setup, command = case.shell()
        return Report(finding.group, setup, command,
                      describe(self.run_reference(case), self.run_binary(case)))

    def has_shape(self, case, wanted):
        """A cheaper judge(): the reference runs again only if the first run has the shape."""
        if forbidden(case):
            return False
        try:
            ref = self.run_reference(case)
        except OSError:         # what was left out was needed, as by a server
            return False
        if ref.rc == "timeout" or crashed(ref, case):
            return False
        new = self.run_binary(case)
        return (ref != new and not accepted(ref, new) and shape(ref, new) == wanted
                and self.run_reference(case) == ref)


def text_of(case):
    """The arguments, input and files of the case, as bytes."""
    return " ".join(word for unit in case.units for word in unit).encode("utf-8", "surrogateescape") + (case.stdin or b"")


def retries(case):
    text = text_of(case)
    return RETRIES_IN_FLIGHT if text.count(b"aio_") - text.count(b"aio_flush") > 1 else RETRIES


def crashed(ref, case):
    """True if it was killed by a signal that no command of the case requested, or by an assertion."""
    text = text_of(case)
    if ref.killed and re.search(r": Assertion `.*' failed\.$", ref.stderr, re.M):
        return True
    return ref.killed and b"abort" not in text and b"sigraise" not in text


# The functions below run in the worker processes of a pool; each process has one Worker.

_worker = None


def start(settings):
    global _worker
    _worker = Worker(settings)


def check_many(indexes):
    summary = Summary()
    for index in indexes:
        finding = _worker.check(index)
        summary.counts[finding.group, finding.outcome] += 1
        if finding.outcome != SAME:
            summary.findings.append(finding)
    return summary


def report(finding):
    return finding, _worker.report(finding)
