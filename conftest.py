"""One thread for linear algebra, as in analyses/run.py: here it has to be said before anything imports NumPy."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
