"""Runs the programs of a row in turn, and computes the results."""

import json
import statistics
import subprocess


class Failed(Exception):
    """A program could not be measured; the text says why."""


class Sample:
    """One run: seconds, and the other figures of run_timed or fio."""

    def __init__(self, seconds, user=0.0, system=0.0, peak_kib=0, output_bytes=0):
        self.seconds = seconds
        self.user = user
        self.system = system
        self.peak_kib = peak_kib
        self.output_bytes = output_bytes


class Program:
    """A command, its input and its output; one sample runs it `times` times."""

    def __init__(self, argv, stdin=None, repeat=0, to_pipe=False, times=1, prepare=None):
        self.argv = [str(word) for word in argv]
        self.stdin = stdin
        self.repeat = repeat
        self.to_pipe = to_pipe
        self.times = times
        self.prepare = prepare

    def run(self, tools):
        if self.prepare:
            self.prepare()
        command = [tools / "run_timed", "-n", str(self.times)]
        if self.stdin:
            command += ["-i", self.stdin]
        if self.repeat:
            command += ["-r", str(self.repeat)]
        if self.to_pipe:
            command += ["-o", "pipe"]
        result = subprocess.run(command + ["--"] + self.argv, capture_output=True, text=True, check=False)
        try:
            told = json.loads(result.stdout)
        except ValueError:
            raise Failed(f"{' '.join(self.argv)}: {result.stderr.strip()}") from None
        if told["status"] != 0:
            raise Failed(f"{' '.join(self.argv)}: exit status {told['status']}: {result.stderr.strip()[:500]}")
        return Sample(told["seconds"] / self.times, told["user"] / self.times, told["system"] / self.times,
                      told["peak_kib"], told["bytes"])


class Fio:
    """A fio job. The time is that of fio's own clock, which leaves out its start."""

    def __init__(self, path, how, count, depth, engine="io_uring"):
        self.argv = ["fio", "--name=bench", f"--filename={path}", "--direct=1", f"--rw=rand{how}", "--bs=4k",
                     f"--ioengine={engine}", f"--iodepth={depth}", "--size=64M", f"--io_size={count * 4}k",
                     "--randrepeat=1", "--norandommap", "--output-format=json"]
        self.how = how
        self.count = count

    def run(self, _tools):
        result = subprocess.run(self.argv, capture_output=True, text=True, check=False)
        try:
            job = json.loads(result.stdout)["jobs"][0][self.how]
        except (ValueError, KeyError):
            raise Failed(f"fio: {result.stderr.strip()}") from None
        if job["total_ios"] < self.count * 0.99 or job["runtime"] == 0:
            raise Failed(f"fio did {job['total_ios']} of {self.count} requests")
        return Sample(job["runtime"] / 1000 * self.count / job["total_ios"])


class Measured:
    """The samples of one row by program, and their medians."""

    def __init__(self, row):
        self.row = row
        self.samples = {}
        self.note = ""

    def add(self, name, sample):
        self.samples.setdefault(name, []).append(sample)

    def give_up(self, name, why):
        """Notes that the program cannot do the work."""
        self.samples.pop(name, None)
        self.note = why

    def seconds(self, name):
        samples = self.samples.get(name)
        return statistics.median(s.seconds for s in samples) if samples else None

    def peak_kib(self, name="zoneio"):
        return max(s.peak_kib for s in self.samples[name])

    def ratio(self, name):
        """The median over the pairs of: time of the other program divided by time of zoneio."""
        pairs = zip(self.samples.get(name, []), self.samples["zoneio"])
        ratios = [other.seconds / ours.seconds for other, ours in pairs]
        return statistics.median(ratios) if ratios else None


def measure(row, tools, pairs):
    """Runs the programs of a row in turn: once to warm up, and then `pairs` times. Each turn starts with another program."""
    measured = Measured(row)
    programs = dict(row.programs)
    for turn in range(-1, pairs):
        names = list(programs)
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            try:
                sample = programs[name].run(tools)
            except Failed as error:
                if name != "qemu-io":
                    raise
                # qemu-io sometimes runs out of memory for threads; then the row has no ratio.
                measured.give_up(name, str(error))
                del programs[name]
                continue
            if turn >= 0:
                measured.add(name, sample)
    return measured
