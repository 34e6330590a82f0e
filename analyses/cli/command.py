"""How every command ends: with an exit status, and with one line for whatever stopped it."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from analyses.ingest.request import InputError

# One thread for linear algebra: its matrices are small, and threads that wait for each other cost ten times the work.
# Nothing that a command imports before this imports NumPy, which reads it then.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

PASSED, USAGE, FAILED, PARTIAL, INTERRUPTED = 0, 2, 3, 4, 130


class CommandInterruptedError(BaseException):
    """Ctrl-C. PyMC swallows KeyboardInterrupt and returns what it has; this it lets through."""


def finish(work: Callable[[Callable[[], None]], int], *, where: Path | str) -> int:
    """Do the work of a command and return its exit status.

    Parameters
    ----------
    work : callable
        Returns the status. It is given a function that raises if Ctrl-C was pressed and the exception got lost, to be
        called before anything is published.
    where : Path or str
        What a fault of the system is about where it names no file.

    Returns
    -------
    int
        That of `work`; USAGE for bad input and for files that cannot be read or written, with a line on standard error;
        INTERRUPTED after Ctrl-C.
    """
    interrupts: list[int] = []

    def interrupt(number, _):
        interrupts.append(number)
        raise CommandInterruptedError

    def require_no_interrupt():
        if interrupts:
            raise CommandInterruptedError

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        return work(require_no_interrupt)
    except BaseException as error:
        # Compilers and importers may wrap what is raised through them: what was pressed counts, not what arrives.
        if interrupts:
            print("interrupted: existing reports are unchanged", file=sys.stderr)
            return INTERRUPTED
        if isinstance(error, InputError):
            print(error, file=sys.stderr)
            return USAGE
        if isinstance(error, OSError):
            print(f"{error.filename or where}: {error.strerror}" if error.strerror else error, file=sys.stderr)
            return USAGE
        raise
    finally:
        signal.signal(signal.SIGINT, before)
