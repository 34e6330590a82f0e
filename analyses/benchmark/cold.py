"""A command whose caches of PyTensor and numba are empty: COMMAND..."""

import os
import subprocess
import sys
import tempfile


def main(*command: str) -> int:
    """Run it with caches in a folder that is thrown away, and return its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        flags = ",".join(filter(None, (os.environ.get("PYTENSOR_FLAGS"), f"base_compiledir={folder}")))
        caches = {"PYTENSOR_FLAGS": flags, "NUMBA_CACHE_DIR": folder}
        return subprocess.run(command, env=os.environ | caches).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
