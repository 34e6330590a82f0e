"""The command line in a process of its own, warnings as errors."""

import subprocess
import sys

TINY = ("--draws", "50", "--tune", "100", "--chains", "2")
COMMAND = (sys.executable, "-W", "error", "-m", "analyses.run")


def command(*arguments, **options):
    return subprocess.run((*COMMAND, *map(str, arguments)), capture_output=True, text=True, check=False, **options)
