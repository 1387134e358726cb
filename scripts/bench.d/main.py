"""Measure zoneio against the real qemu-io 11.1 and against bare loops of the same system calls.

The programs of a row run in turn, --pairs times. Each turn starts with another program. Ratios are medians over the
turns. "ratio": time of qemu-io divided by time of zoneio; "limit": time of the bare loop divided by time of zoneio. Above
1, zoneio is faster. "peak": highest memory in use, minus that of a start that does nothing.

The reference is qemu-io 11.1: --reference is its command, --reference-root (or $ZONEIO_REFERENCE) a root folder that
contains it, as made by debootstrap. Without a reference, only the limits are measured.

Exit status: 0: all goals were met; 1: some were missed; 2: the run was not possible.
"""

import argparse
import json
import os
import pathlib
import platform
import shlex
import shutil
import statistics
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

import markdown
from measure import Failed, measure
from reference_root import default_reference_root
from rows import Rows, reference_command

LARGEST_GROWTH = 1.5        # highest ratio of the cost per unit of work at 100 times the work to that at 10 times


def main():
    args = parse_arguments()
    folders = []
    try:
        for place in (args.disk, args.memory):
            folders.append(pathlib.Path(tempfile.mkdtemp(prefix="zoneio-bench-", dir=place)))
        return Bench(args, *folders).run()
    except (Failed, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    reference = parser.add_mutually_exclusive_group()
    reference.add_argument("--reference", metavar="CMD", help="a qemu-io 11.1, or a command that runs one")
    reference.add_argument("--reference-root", metavar="DIR",
                           help="a root folder that holds one; default: $ZONEIO_REFERENCE, or what the tool beside the "
                                "recorded cases sets up, where that is at hand")
    parser.add_argument("--binary", metavar="FILE", help="the zoneio to measure (default: the one just built)")
    parser.add_argument("--pairs", type=int, default=5, metavar="N", help="turns per row (%(default)s)")
    parser.add_argument("--row", action="append", default=[], metavar="TEXT",
                        help="only rows whose name has TEXT; may be repeated")
    parser.add_argument("--no-growth", action="store_true", help="leave out the costs at 1, 10 and 100 times the work")
    parser.add_argument("--no-session", action="store_true", help="leave out the session of ten million commands")
    parser.add_argument("--disk", default="/var/tmp", metavar="DIR", help="on a disk with O_DIRECT (%(default)s)")
    parser.add_argument("--memory", default="/dev/shm", metavar="DIR", help="on a tmpfs, 3 GiB free (%(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write all samples and ratios there")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables of docs/performance.md there")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.binary = os.path.abspath(args.binary or args.build / "zoneio")
    if args.pairs < 1:
        parser.error("--pairs must be at least 1")
    return args


class Bench:
    def __init__(self, args, disk, memory):
        self.args = args
        self.tools = args.build / "tests/bench"
        reference = []
        if args.reference:
            reference = shlex.split(args.reference)
        elif root := args.reference_root or default_reference_root():
            reference = reference_command(os.path.realpath(root))
        self.rows = Rows(args.binary, reference, args.build, disk, memory)
        self.idle_kib = 0
        self.missed = []
        self.report = {"host": platform.platform(), "cpus": os.cpu_count(), "reference": " ".join(reference),
                       "pairs": args.pairs, "rows": [], "growth": [], "session": []}

    def run(self):
        idle = self.rows.both(["-f", "raw", "-c", "length", self.rows.memory_image])["zoneio"]
        self.idle_kib = max(idle.run(self.tools).peak_kib for _ in range(5))
        self.table()
        if not self.args.no_growth:
            self.growth()
        if not self.args.no_session and self.wanted("session"):
            self.session()
        if self.args.json:
            self.report["missed"] = self.missed
            with open(self.args.json, "w", encoding="utf-8") as file:
                json.dump(self.report, file, indent=1)
        if self.args.markdown:
            pathlib.Path(self.args.markdown).write_text(markdown.tables(self.report), encoding="utf-8")
        missed = "\n  ".join([f"{len(self.missed)} goals missed"] + self.missed)
        print("\n" + (missed if self.missed else "every goal met"))
        return 1 if self.missed else 0

    def wanted(self, name):
        return not self.args.row or any(text in name for text in self.args.row)

    def check(self, met, text):
        if not met:
            self.missed.append(text)

    def table(self):
        print(f"{'work':<52} {'zoneio':>9} {'qemu-io':>9} {'ratio':>6} {'goal':>5} {'bare':>9} {'limit':>6} {'goal':>5}"
              f" {'peak MiB':>9}")
        for row in self.rows.all():
            if not self.wanted(row.name):
                continue
            measured = measure(row, self.tools, self.args.pairs)
            self.show(row, measured)

    def show(self, row, measured):
        ratio, limit = measured.ratio("qemu-io"), measured.ratio("bare")
        peak = (measured.peak_kib() - self.idle_kib) / 1024
        print(f"{row.name:<52} {seconds(measured.seconds('zoneio')):>9} {seconds(measured.seconds('qemu-io')):>9}"
              f" {number(ratio):>6} {goal(row.ratio):>5} {seconds(measured.seconds('bare')):>9} {number(limit):>6}"
              f" {goal(row.limit):>5} {peak:>9.1f}", end="")
        if ratio is not None and row.ratio is not None:
            self.check(ratio >= row.ratio, f"{row.name}: ratio {ratio:.2f} < {row.ratio}")
        if limit is not None and row.limit is not None:
            self.check(limit >= row.limit, f"{row.name}: limit {limit:.2f} < {row.limit:.2f}")
        if row.peak_mib is not None:
            self.check(peak <= row.peak_mib, f"{row.name}: {peak:.1f} MiB > {row.peak_mib}")
        if row.rate:
            what, amount, least = row.rate
            rate = amount / measured.seconds("zoneio")
            print(f"  {rate / 1e6:.2f} M {what}/s (goal {least / 1e6:.1f})", end="")
            self.check(rate >= least, f"{row.name}: {rate:.0f} {what}/s < {least:.0f}")
        print(f"\n  qemu-io: {measured.note}" if measured.note else "", flush=True)
        self.report["rows"].append({
            "name": row.name, "ratio": ratio, "ratio_goal": row.ratio, "limit": limit, "limit_goal": row.limit,
            "peak_over_idle_kib": measured.peak_kib() - self.idle_kib,
            "samples": {name: [vars(sample) for sample in samples] for name, samples in measured.samples.items()}})

    def growth(self):
        """Checks that the cost grows in proportion to the work."""
        heading = False
        for name, steps in self.rows.growing():
            if not self.wanted(name):
                continue
            if not heading:
                print(f"\n{'nanoseconds each, at 1, 10 and 100 times the work':<52} {'1x':>9} {'10x':>9} {'100x':>9}"
                      f"   peak MiB at 100x")
                heading = True
            self.grow(name, steps)

    def grow(self, name, steps):
        cost = []
        peak = 0
        for amount, program in steps:
            samples = [program.run(self.tools) for _ in range(self.args.pairs)]
            cost.append((amount, statistics.median(sample.seconds for sample in samples)))
            peak = (max(sample.peak_kib for sample in samples) - self.idle_kib) / 1024
        each = [time / amount * 1e9 for amount, time in cost]
        print(f"{name:<52}" + "".join(f" {value:>9.0f}" for value in each) + f" {peak:>10.1f}", flush=True)
        self.check(each[2] <= each[1] * LARGEST_GROWTH, f"{name}: {each[2]:.0f} ns at 100x, {each[1]:.0f} ns at 10x")
        self.report["growth"].append({"name": name, "seconds": cost, "peak_over_idle_kib": peak * 1024})

    def session(self):
        print(f"\n{'a session of so many piped commands':<52} {'seconds':>9} {'peak MiB':>9}")
        peaks = []
        for count, program in self.rows.session():
            sample = program.run(self.tools)
            peaks.append(sample.peak_kib)
            print(f"{count:<52} {sample.seconds:>9.2f} {(sample.peak_kib - self.idle_kib) / 1024:>9.1f}", flush=True)
            self.report["session"].append({"commands": count, "seconds": sample.seconds, "peak_kib": sample.peak_kib})
        self.check(peaks[1] <= peaks[0] + 512, f"memory of a long session: {peaks[0]} KiB became {peaks[1]} KiB")


def seconds(value):
    if value is None:
        return "-"
    return f"{value * 1e3:.2f} ms" if value < 1 else f"{value:.3f} s"


def number(value):
    return "-" if value is None else f"{value:.2f}"


def goal(value):
    return "" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
