"""A command started from a process that is small itself: RECORD SECONDS COMMAND...

A process is charged with the memory of the one that it was forked from. Started from here, its peak is its own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main(record: str, limit: str, *command: str) -> int:
    """Run a command, `limit` seconds at the longest, and write down its seconds, processor seconds and peak memory.

    Returns
    -------
    int
        Its exit status; 128 and the signal's number where one has ended it.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command)

    def stop(*signalled):
        process.kill()
        print(f"not done after {limit} s", file=sys.stderr)

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, float(limit))
    _, status, used = os.wait4(process.pid, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    usage = {
        "seconds": time.perf_counter() - started,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }
    Path(record).write_text(json.dumps(usage), encoding="utf-8")
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
