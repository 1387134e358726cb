"""Makes the tables of docs/performance.md from the results of a run."""

import statistics


def tables(report):
    """The tables work, growth and session as Markdown, separated by empty lines."""
    parts = [_work(report["rows"])]
    if report["growth"]:
        parts.append(_growth(report["growth"]))
    if report["session"]:
        parts.append(_session(report["session"]))
    return "\n".join(parts)


def _work(rows):
    lines = ["| work | zoneio | qemu-io | ratio | goal | bare | limit | goal | peak MiB |",
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for row in rows:
        times = [_milliseconds(row["samples"].get(name)) for name in ("zoneio", "qemu-io", "bare")]
        peak = f"{row['peak_over_idle_kib'] / 1024:.1f}"
        lines.append(f"| {row['name']} | {times[0]} | {times[1]} | {_number(row['ratio'])} | {_goal(row['ratio_goal'])} | {times[2]}"
                     f" | {_number(row['limit'])} | {_goal(row['limit_goal'])} | {peak} |")
    return "\n".join(lines) + "\n"


def _growth(growth):
    lines = ["| | 1x | 10x | 100x | peak MiB at 100x |", "|---|--:|--:|--:|--:|"]
    for item in growth:
        each = " | ".join(f"{seconds / amount * 1e9:.0f}" for amount, seconds in item["seconds"])
        lines.append(f"| {item['name']} | {each} | {item['peak_over_idle_kib'] / 1024:.1f} |")
    return "\n".join(lines) + "\n"


def _session(session):
    lines = ["| piped commands | seconds | peak MiB |", "|--:|--:|--:|"]
    lines += [f"| {item['commands']} | {item['seconds']:.2f} | {item['peak_kib'] / 1024:.1f} |" for item in session]
    return "\n".join(lines) + "\n"


def _milliseconds(samples):
    return f"{statistics.median(sample['seconds'] for sample in samples) * 1000:.2f} ms" if samples else ""


def _number(value):
    return "" if value is None else f"{value:.2f}"


def _goal(value):
    return "" if value is None else f"{value:.3g}"
