"""What was written is on the medium when a guest's flush is answered, except in the cache mode that ignores flushes."""
import re

import front_end as vu
import pytest


def finished_calls(trace):
    """The finished writes ("w") and successful syncs ("s") of the image, in order."""
    found, begun = [], {}
    for line in trace.read_text().splitlines():
        thread, _, call = line.partition(" ")
        name = re.search(r"(\w+)\(\d+<[^>]*/image>", call)
        if name:
            begun[thread] = "s" if "sync" in name[1] else "w"
        # The end of a call that another thread interrupted is on a line of its own.
        if thread in begun and "<unfinished" not in call:
            kind = begun.pop(thread)
            found += [kind] if kind == "w" or call.endswith("= 0") else []
    return "".join(found)


# In writethrough each write is synced before its answer, and then a flush has nothing left to do.
@pytest.mark.parametrize("cache, after_write, after_flush", [
    ("writeback", "w", "ws"), ("none", "w", "ws"), ("writethrough", "ws", "ws"), ("unsafe", "w", "w")])
def test_a_flush_syncs_the_file_before_it_is_answered(zoneio, image, tmp_path, cache, after_write, after_flush):
    trace = tmp_path / "trace"
    z = zoneio("-f", "raw", "-t", cache, "-i", "threads", str(image), under=(
        "strace", "-f", "-y", "-o", str(trace), "-e", "trace=pwrite64,pwritev,pwritev2,fsync,fdatasync"))
    z.export()
    guest = z.connect()
    guest.set_writeback(cache != "writethrough")
    for number in range(1, 4):
        assert guest.write(number * 4096, b"f" * 4096) == vu.OK
        assert finished_calls(trace) == after_flush * (number - 1) + after_write
        assert guest.do(vu.FLUSH).status == vu.OK
        assert finished_calls(trace) == after_flush * number
    assert z.quit() == (0, "")
